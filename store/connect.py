"""From DATABASE_URL to the database behind it."""

from sqlalchemy import make_url

from store.database import Database
from store.sqlite import SqliteDatabase


def connect(url: str) -> Database:
    """The database behind the URL. Nothing is opened yet. Raises ConfigError for one that cannot be."""
    parts = make_url(url)
    return SqliteDatabase(parts) if parts.get_backend_name() == "sqlite" else Database(parts)
