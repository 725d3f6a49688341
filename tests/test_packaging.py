"""The locks, the image and the compose file: what can be known of them without a container engine."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures import ROOT
from tests.repository import shown, tracked

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "worker", "migrate")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def pins(lock: str) -> dict[str, str]:
    """The packages in a lock, each with its version."""
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_each_locked_package_is_pinned_by_hash_and_by_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith((" ", "#"))]

    assert packages
    assert all(re.match(r"[\w.-]+==\S+( ; .+)? \\$", line) for line in packages)
    assert all(lines[lines.index(line) + 1].strip().startswith("--hash=sha256:") for line in packages)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock"])
def test_the_locks_agree_so_that_any_two_can_be_installed_together(lock: str) -> None:
    other = pins("requirements-dev.lock")

    assert {name: other.get(name, version) for name, version in pins(lock).items()} == pins(lock)


def test_each_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *(each for extra in extras for each in extra)]
    names = {re.split(r"[^\w.-]", each)[0].lower() for each in wanted}

    assert names <= pins("requirements.lock").keys()
    assert names <= pins("requirements-dev.lock").keys()


@pytest.mark.parametrize("name", OURS)
def test_each_service_of_ours_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["environment"]["DATABASE_URL"].startswith("postgresql+psycopg://")


def test_nothing_starts_before_the_schema_is_up_to_date() -> None:
    assert SERVICES["migrate"]["command"] == ["admin", "migrate"]
    assert SERVICES["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    for name in ("web", "worker"):
        assert SERVICES[name]["command"] == ["run", "--role", name]
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_database_is_not_published() -> None:
    assert "ports" not in SERVICES["postgres"]
    assert "healthcheck" in SERVICES["postgres"]


def test_the_image_runs_without_rights_and_is_asked_for_its_health() -> None:
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]

    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert "/healthz" in last_stage
    assert 'ENTRYPOINT ["twokey"]\nCMD ["run"]' in last_stage


def test_the_image_is_built_from_locks_and_never_migrates() -> None:
    commands = re.sub(r"^#.*$", "", DOCKERFILE, flags=re.MULTILINE)

    assert commands.count("--require-hashes") == 2
    assert "migrate" not in commands


def test_no_secret_can_get_into_the_image() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]

    assert rules[0] == "*", "everything is kept out unless it is let in by name"
    assert not any(rule.startswith("!.") for rule in rules)


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed: `make setup` installs it")
    words = [
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    built = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert built.returncode == 0, built.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        licences = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]

    assert {shown(path) for path in tracked() if shown(path).split("/")[0] in packages} <= held
    assert {name.split("/")[0] for name in held} == packages
    assert {"bot/pages/page.css", "sandbox/page/static/index.html", "store/migrations/script.py.mako"} <= held
    assert licences
