"""The schema's version: asked at every start, changed only by Alembic (imported only then: it is slow to import)."""

from pathlib import Path

from sqlalchemy import Connection, text

from agent.errors import ConfigError
from store.database import Database

HEAD = "0001"
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
    return await version(database) == HEAD


async def migrate(database: Database) -> tuple[str | None, str]:
    """Bring the schema to HEAD; the versions before and after. Safe to run twice, and by two at once."""
    before = await version(database)
    if before != HEAD:
        await database.alter(_upgrade)
    return before, HEAD


async def require(database: Database) -> None:
    """Embedded databases migrate themselves; others never behind the operator's back. Raises ConfigError."""
    at = await version(database)
    if at == HEAD:
        return
    if not database.is_sqlite:
        where = f"at version {at}" if at else "empty"
        raise ConfigError(
            f"DATABASE_URL: the database is {where}, this release needs {HEAD}; run: twokey admin migrate"
        )
    await migrate(database)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - a fifth of a second, only needed here
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
