"""One process on one SQLite file: a second worker would only wait for the first, and a frozen one would stop both."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import ConfigError
from store.database import Database


@contextmanager
def exclusive(database: Database) -> Iterator[None]:
    """Hold the file's lock. Raises ConfigError when another process does."""
    path = Path(f"{database.url.database}.lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"DATABASE_URL: another process works on {path.stem}; stop it, or use PostgreSQL for several processes"
            ) from None
        yield
