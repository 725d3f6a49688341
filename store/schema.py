"""The schema's version: asked at every start, changed only by Alembic (imported only then: it is slow to import)."""

from pathlib import Path

from sqlalchemy import Connection, text

from agent.errors import ConfigError
from store import procrastinate_schema
from store.database import Database

HEAD = "0007"
"""The version that this release reads and writes; the newest file in `migrations/versions`."""


async def version(database: Database) -> str | None:
    """The version that the database is at; None when it has never been migrated. Raises StoreDown."""

    def look(connection: Connection) -> str | None:
        if not connection.execute(text(database.has_table), {"name": "alembic_version"}).scalar():
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return found

    return await database.read(look)


async def is_current(database: Database) -> bool:
    """Whether this release may work on it."""
    if await version(database) != HEAD:
        return False
    return database.is_sqlite or await database.read(procrastinate_schema.is_current)


async def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema to HEAD; the versions before and after. Safe to run twice, and by two at once."""
    before = await version(database)
    if not await is_current(database):
        await database.alter(_upgrade)
        while not database.is_sqlite and await database.alter(procrastinate_schema.step):
            continue
    return before, HEAD


async def require(database: Database) -> None:
    """Embedded databases migrate themselves; others never behind the operator's back. Raises ConfigError."""
    if await is_current(database):
        return
    if not database.is_sqlite:
        at = await version(database)
        where = f"at version {at}" if at else "empty"
        wants = "a newer schema of Procrastinate's" if at == HEAD else HEAD
        raise ConfigError(
            f"DATABASE_URL: the database is {where}, this release needs {wants}; run: twokey admin migrate"
        )
    await migrate(database)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a fifth of a second, only needed here
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
