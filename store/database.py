"""A connection to the database behind DATABASE_URL, and transactions on it.

A transaction is a plain function of a `Tx`, written once for both databases and run in one go: on PostgreSQL on the
event loop, through SQLAlchemy's greenlets; on SQLite on a thread, since a hop to a thread for each statement costs
more than the statements (measured: 20 hops a transaction, and acknowledgements four times slower).

SQLite: all writing is on one thread, so that writers take turns in order instead of spinning on the file's lock; a
transaction takes the lock at its start, so that it never fails half-way; WAL, so that readers do not wait; full sync,
so that what was acknowledged survives the plug. PostgreSQL: as it comes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from agent.errors import ConfigError, StoreDown

T = TypeVar("T")

READERS = 4


@dataclass(frozen=True, slots=True)
class Tx:
    """A running transaction, and what is to be called once it is committed."""

    connection: Connection
    after_commit: list[Callable[[], None]] = field(default_factory=list)


class Database:
    """Runs transactions. Made by `connect`."""

    is_sqlite = False
    now = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    """SQL for the moment, by the database's clock."""
    for_update = " FOR UPDATE"

    def __init__(self, url: URL, pool_size: int = 10) -> None:
        self.url = url
        self._engine = create_async_engine(
            url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, hide_parameters=True
        )

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction: committed at the end, rolled back by any error. Raises StoreDown."""
        with _vendor_errors():
            async with self._engine.connect() as connection, connection.begin():
                result, callbacks = await connection.run_sync(lambda sync: _in_tx(work, sync))
        for callback in callbacks:
            callback()
        return result

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do it, without writing. Raises StoreDown."""
        with _vendor_errors():
            async with self._engine.connect() as connection:
                return await connection.run_sync(work)

    async def is_reachable(self) -> bool:
        """Whether it answers."""
        try:
            await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
        except StoreDown:
            return False
        return True

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


class SqliteDatabase(Database):
    """The embedded one."""

    is_sqlite = True
    now = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    for_update = ""

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise ConfigError("DATABASE_URL: SQLite needs a file, as in sqlite+aiosqlite:///twokey.db")
        self.url = url
        plain = url.set(drivername="sqlite")
        self._sync_engine = create_engine(plain, pool_size=READERS + 1, hide_parameters=True)
        event.listen(self._sync_engine, "connect", _prepare_sqlite)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction, when those before it are through. Raises StoreDown.

        A caller that is cancelled does not undo it: what was begun is committed, and its callbacks are called.
        """
        running = asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)
        running.add_done_callback(_call_back)
        with _vendor_errors():
            return (await asyncio.shield(running))[0]

    def _write(self, work: Callable[[Tx], T]) -> tuple[T, list[Callable[[], None]]]:
        with self._sync_engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            done = _in_tx(work, connection)
            connection.commit()
            return done

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do it on a snapshot, without writing. Raises StoreDown."""
        with _vendor_errors():
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._sync_engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            return work(connection)

    async def aclose(self) -> None:
        """Let what is running end, and close all connections."""
        for threads in (self._writer, self._readers):
            await asyncio.to_thread(threads.shutdown)
        self._sync_engine.dispose()


def connect(url: str) -> Database:
    """The database behind the URL. Nothing is opened yet. Raises ConfigError for one that cannot be."""
    parts = make_url(url)
    return SqliteDatabase(parts) if parts.get_backend_name() == "sqlite" else Database(parts)


def _in_tx(work: Callable[[Tx], T], connection: Connection) -> tuple[T, list[Callable[[], None]]]:
    tx = Tx(connection)
    return work(tx), tx.after_commit


def _call_back(running: Awaitable[object]) -> None:
    """Also when nobody waits for the transaction any more."""
    assert isinstance(running, asyncio.Future)  # noqa: S101 - for the type checker
    if running.cancelled() or running.exception() is not None:
        return
    for callback in running.result()[1]:
        callback()


@contextmanager
def _vendor_errors() -> Iterator[None]:
    """The database's own errors end here. What is wrong with a statement is a bug of ours, and stays what it is."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, OSError) as error:
        raise StoreDown(f"the database cannot be used: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0][:200] if said else ""


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin and end where we say so
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
