"""Procrastinate's tables are made and brought up to date with ours, and never touched when they are not ours."""

import sys
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, text

from agent.errors import ConfigError
from store import procrastinate_schema, schema
from store.connect import connect
from store.database import Database

OBJECTS = text(
    "SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'procrastinate%') "
    "+ (SELECT count(*) FROM pg_proc WHERE proname LIKE 'procrastinate%') "
    "+ (SELECT count(*) FROM pg_type WHERE typname LIKE 'procrastinate%')"
)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    """An empty one."""
    found = connect(postgres_url)
    yield found
    await found.aclose()


async def make_older(database: Database) -> None:
    """Have it as a Procrastinate of some releases ago needed it."""
    steps = procrastinate_schema._steps()[:-3]
    for each in steps:
        await database.alter(lambda c, each=each: procrastinate_schema._apply(c, each, each.stem))  # type: ignore[misc]  # bound at once


def functions(connection: Connection) -> set[str]:
    """Procrastinate's, by name."""
    found = connection.execute(text("SELECT proname FROM pg_proc WHERE proname LIKE 'procrastinate%'"))
    return set(found.scalars())


@pytest.mark.postgres
async def test_a_newer_procrastinate_is_missed_and_migrated_to(database: Database) -> None:
    await make_older(database)
    await schema.migrate(database)
    assert await schema.is_current(database)
    upgraded = await database.read(functions)
    await database.alter(procrastinate_schema.remove)
    await make_older(database)
    assert not await schema.is_current(database)
    with pytest.raises(ConfigError, match=r"newer schema of Procrastinate's; run: twokey admin migrate"):
        await schema.require(database)
    await schema.migrate(database)
    assert await schema.is_current(database)
    assert await database.read(functions) == upgraded
    await database.alter(procrastinate_schema.remove)
    await database.alter(procrastinate_schema.install)
    assert await database.read(functions) <= upgraded  # an upgrade keeps old ones, for processes that still run


@pytest.mark.postgres
async def test_removed_is_removed_without_a_trace(database: Database) -> None:
    await schema.migrate(database)
    assert await database.read(lambda c: c.execute(OBJECTS).scalar())
    await database.alter(procrastinate_schema.remove)
    assert await database.read(lambda c: c.execute(OBJECTS).scalar()) == 0
    assert not await schema.is_current(database)


@pytest.mark.postgres
async def test_tables_of_somebody_elses_procrastinate_are_left_alone(database: Database) -> None:
    whole = (procrastinate_schema._folder() / "schema.sql").read_text(encoding="utf-8")
    await database.alter(lambda c: c.execution_options(no_parameters=True).exec_driver_sql(whole).close())
    with pytest.raises(ConfigError, match="a database of its own"):
        await schema.migrate(database)
    assert await schema.version(database) is None


@pytest.mark.parametrize("name", ["psycopg", "psycopg_pool", "procrastinate"])
def test_postgresql_without_its_extra_is_refused_in_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)  # what Python itself does for a module that must not be found
    with pytest.raises(ConfigError, match=rf"DATABASE_URL: PostgreSQL needs .*\b{name}\b.*'twokey\[postgres\]'"):
        connect("postgresql+psycopg://twokey@localhost/twokey")
