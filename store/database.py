"""A connection to the database behind DATABASE_URL, and transactions on it.

SQLite: one writer at a time waits its turn here, in order, instead of spinning on the file's lock; the writing
transaction takes the lock at its start, so that it never fails half-way; WAL, so that readers do not wait; full sync,
so that what was acknowledged survives the plug. PostgreSQL: as it comes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from agent.errors import ConfigError, StoreDown


@dataclass(frozen=True, slots=True)
class Tx:
    """A running transaction, and what is to be called once it is committed."""

    connection: AsyncConnection
    after_commit: list[Callable[[], None]] = field(default_factory=list)


class Database:
    """Hands out transactions."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writing = asyncio.Lock()
        if self.is_sqlite:
            if not self.url.database or self.url.database == ":memory:":
                raise ConfigError("DATABASE_URL: SQLite needs a file, as in sqlite+aiosqlite:///twokey.db")
            self.engine = create_async_engine(self.url, pool_size=pool_size, hide_parameters=True)
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
        else:
            self.engine = create_async_engine(
                self.url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, hide_parameters=True
            )
        self.now = (
            "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
            if self.is_sqlite
            else "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
        )
        """SQL for the moment, by the database's clock."""
        self.for_update = "" if self.is_sqlite else " FOR UPDATE"

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """A transaction that writes. Committed at the end, rolled back by any error. Raises StoreDown."""
        with _vendor_errors():
            async with self._transaction() as tx:
                yield tx
        for callback in tx.after_commit:
            callback()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Tx]:
        if not self.is_sqlite:
            async with self.engine.connect() as connection:
                tx = Tx(connection)
                async with connection.begin():
                    yield tx
        else:
            async with self._writing, self.engine.connect() as connection:
                tx = Tx(connection)
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield tx
                except BaseException:
                    await asyncio.shield(connection.exec_driver_sql("ROLLBACK"))
                    raise
                await connection.exec_driver_sql("COMMIT")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with. Raises StoreDown."""
        with _vendor_errors():
            async with self.engine.connect() as connection:
                yield connection

    async def is_reachable(self) -> bool:
        """Whether it answers."""
        try:
            async with self.read() as connection:
                await connection.exec_driver_sql("SELECT 1")
        except StoreDown:
            return False
        return True

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@contextmanager
def _vendor_errors() -> Iterator[None]:
    """The database's own errors end here. What is wrong with a statement is a bug of ours, and stays what it is."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise StoreDown(f"the database cannot be used: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0][:200] if text else ""


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin and end where we say so
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
