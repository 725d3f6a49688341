"""What the fault tests are given: a folder, a PostgreSQL server that may be crashed, a disk that may be filled."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster, a_cluster
from tests.faults.disk import a_small_disk
from tests.faults.timepiece import Timepiece, a_timepiece


def pytest_configure(config: pytest.Config) -> None:
    """The mark of what runs real processes and harms them."""
    config.addinivalue_line("markers", "faults: harms real processes, databases and channels, and judges what is left")


@pytest.fixture(autouse=True)
def _quiet_servers() -> Iterator[None]:
    """The sandbox's servers complain of clients that were killed; that is what is done to them here."""
    log = logging.getLogger("uvicorn.error")
    before = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(before)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of this module's own."""
    with a_cluster() as found:
        if found is None:
            pytest.skip("PostgreSQL's server binaries are not installed")
        yield found


@pytest.fixture
def timepiece(tmp_path: Path) -> Timepiece:
    """A clock that can be put forward and back."""
    found = a_timepiece(tmp_path)
    if found is None:
        pytest.skip("libfaketime is not installed")
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk of its own, and small."""
    folder = tmp_path / "disk"
    with a_small_disk(folder) as is_mounted:
        if not is_mounted:
            pytest.skip("a small disk can be mounted by root only, and not in every container")
        yield folder
