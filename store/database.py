"""A connection to the database behind DATABASE_URL, and transactions on it.

A transaction is a plain function of a `Tx`, written once for both databases and run in one go: on PostgreSQL on the
event loop, through SQLAlchemy's greenlets; on SQLite on a thread (see `store.sqlite`).
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.util import await_only

from agent.errors import StoreDown

T = TypeVar("T")

CARDS = "twokey_cards"
"""The channel on which processes on PostgreSQL tell one another that cards lag behind."""
PATIENCE = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""In seconds; what libpq's own defaults would make two hours."""
_NOTIFY = text("SELECT pg_notify(:channel, '')")


@dataclass(frozen=True, slots=True)
class Tx:
    """A running transaction, and what is to be called once it is committed."""

    connection: Connection
    after_commit: list[Callable[[], None]] = field(default_factory=list)

    def drive(self, work: Callable[[object], Awaitable[T]]) -> T:
        """Do it, inside this transaction, on the driver's own asynchronous connection. PostgreSQL only."""
        return await_only(work(self.connection.connection.driver_connection))


class Database:
    """Runs transactions on PostgreSQL; `store.sqlite` does so on a file."""

    is_sqlite = False
    now = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    """SQL for the moment, by the database's clock."""
    for_update = " FOR UPDATE"
    has_table = "SELECT to_regclass(:name) IS NOT NULL"
    """SQL for whether there is a table of that name."""

    def __init__(self, url: URL, pool_size: int = 10) -> None:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - slow to import, and not for SQLite

        self.url = url
        self._engine = create_async_engine(url, pool_size=pool_size, max_overflow=pool_size, hide_parameters=True)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction: committed at the end, rolled back by any error. Raises StoreDown."""
        with vendor_errors():
            result, callbacks = await self._try(lambda sync: in_tx(work, sync), is_last=False)
        for callback in callbacks:
            callback()
        return result

    async def _try(self, work: Callable[[Connection], T], *, is_last: bool) -> T:
        """One try, and one more where the connection turns out to be dead before anything could be committed: to ask
        each whether it lives, before each use, costs as much as a statement."""
        done: list[T] = []
        try:
            async with self._engine.connect() as connection, connection.begin():
                done.append(await connection.run_sync(work))
        except DBAPIError as error:
            if done or is_last or not error.connection_invalidated:
                raise
            return await self._try(work, is_last=True)
        return done[0]

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do it, without writing. Raises StoreDown."""
        with vendor_errors():
            return await self._try(work, is_last=False)

    async def alter(self, work: Callable[[Connection], T]) -> T:
        """Do it in a transaction on a whole connection of SQLAlchemy's, for the schema. Raises StoreDown."""
        return await self.write(lambda tx: work(tx.connection))

    @property
    def connect_args(self) -> dict[str, Any]:
        """What the driver connects with, for a connection of one's own: given up, and known to be dead, in seconds."""
        _, given = self.url.get_dialect()().create_connect_args(self.url)
        return {**PATIENCE, **given}

    def call_out(self, tx: Tx, channel: str) -> None:
        """Once it is committed, every `store.watch.Watch` on that channel hears it."""
        tx.connection.execute(_NOTIFY, {"channel": channel})

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


def in_tx(work: Callable[[Tx], T], connection: Connection) -> tuple[T, list[Callable[[], None]]]:
    """The result, and what is to be called once it is committed."""
    tx = Tx(connection)
    return work(tx), tx.after_commit


_DOWN = (
    OperationalError,
    InterfaceError,
    PoolTimeout,
    OSError,
    sqlite3.OperationalError,
    sqlite3.InterfaceError,
    sqlite3.NotSupportedError,
)


@contextmanager
def vendor_errors() -> Iterator[None]:
    """The database's own errors end here. What is wrong with a statement is a bug of ours, and stays what it is."""
    try:
        yield
    except _DOWN as error:
        raise StoreDown(f"the database cannot be used: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0][:200] if said else ""
