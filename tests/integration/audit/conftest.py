"""Every test of the audit log runs on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.connect import connect
from store.database import Database
from tests.migrated import sqlite_at


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with today's schema."""
    if request.param == "sqlite":
        return sqlite_at(tmp_path / "twokey.db")
    found: str = request.getfixturevalue("migrated_postgres_url")
    return found


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open one."""
    found = connect(url)
    yield found
    await found.aclose()
