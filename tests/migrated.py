"""Databases with today's schema, soon: migrated once, copied for each test. `test_schema.py` migrates for real."""

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from store import schema
from store.connect import connect
from tests.postgres import PostgresServer


async def _migrate(url: str) -> None:
    database = connect(url)
    try:
        await schema.migrate(database)
    finally:
        await database.aclose()


def _migrate_apart(url: str) -> None:
    """Migrate on an event loop of its own, whether or not one is running here."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _migrate(url)).result()


@cache
def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        _migrate_apart(f"sqlite+aiosqlite:///{path}")
        return path.read_bytes()


def sqlite_at(path: Path) -> str:
    """Make that file a database with today's schema; its URL."""
    path.write_bytes(_sqlite())
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a database with today's schema and nothing in it, to be copied."""
    name = postgres_server.create()
    _migrate_apart(postgres_server.url(name))
    return name


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The SQLAlchemy URL of a database with today's schema, this test's alone."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)
