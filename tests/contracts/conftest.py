"""One empty store for each test, of each make."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.stores import MAKES, Store, store_at, store_in_memory
from tests.migrated import sqlite_at


@pytest.fixture(params=MAKES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty one."""
    if request.param == "memory":
        yield store_in_memory()
        return
    is_file = request.param == "sqlite"
    url = sqlite_at(tmp_path / "contract.db") if is_file else str(request.getfixturevalue("migrated_postgres_url"))
    async with store_at(url) as found:
        yield found
