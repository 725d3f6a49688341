"""The migrations make exactly the tables that the code declares, on both databases, and only when asked on one."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

import store.tables
from agent.errors import ConfigError, StoreDown
from store import schema
from store.connect import connect
from store.procrastinate_schema import is_ours


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'twokey.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


def differences(connection: Connection) -> list[object]:
    """What autogenerate would change."""
    assert store.tables.ThreadRow.__tablename__ == "thread"
    return list(
        compare_metadata(MigrationContext.configure(connection, opts={"include_name": is_ours}), SQLModel.metadata)
    )


async def test_the_migrations_make_the_tables_that_the_code_declares(url: str) -> None:
    database = connect(url)
    assert await schema.migrate(database) == (None, schema.HEAD)
    assert await schema.migrate(database) == (schema.HEAD, schema.HEAD)
    assert await database.alter(differences) == []
    assert await schema.is_current(database)
    await database.aclose()


def test_head_is_the_newest_migration() -> None:
    folder = Path(store.tables.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == schema.HEAD


async def test_an_embedded_database_migrates_itself(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    await schema.require(database)
    assert await schema.is_current(database)
    await database.aclose()


@pytest.mark.postgres
async def test_postgresql_is_never_migrated_behind_the_operators_back(postgres_url: str) -> None:
    database = connect(postgres_url)
    with pytest.raises(ConfigError, match="twokey admin migrate"):
        await schema.require(database)
    assert await schema.version(database) is None
    await database.aclose()


async def test_a_database_that_is_not_there_is_said_to_be_down(tmp_path: Path) -> None:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(StoreDown, match="unable to open database file"):
        await schema.version(database)
    assert not await database.is_reachable()
    await database.aclose()
