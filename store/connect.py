"""From DATABASE_URL to the database behind it."""

from importlib.util import find_spec

from sqlalchemy import make_url

from agent.errors import ConfigError
from store.database import Database
from store.sqlite import SqliteDatabase


def connect(url: str) -> Database:
    """The database behind the URL. Nothing is opened yet. Raises ConfigError for one that cannot be."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return SqliteDatabase(parts)
    if missing := [each for each in ("psycopg", "psycopg_pool", "procrastinate") if find_spec(each) is None]:
        raise ConfigError(
            f"DATABASE_URL: PostgreSQL needs {' and '.join(missing)}; install the extra: pip install 'twokey[postgres]'"
        )
    from store.postgres import PostgresDatabase  # noqa: PLC0415 - an extra; SQLite does without

    return PostgresDatabase(parts)
