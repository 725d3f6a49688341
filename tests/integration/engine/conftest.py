"""Every test of the engine runs on both databases."""

from pathlib import Path

import pytest

from tests.migrated import sqlite_at


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with today's schema."""
    if request.param == "sqlite":
        return sqlite_at(tmp_path / "twokey.db")
    found: str = request.getfixturevalue("migrated_postgres_url")
    return found
