"""The embedded database: one file, written by one thread.

- All writing is on one thread, so that writers take turns in order instead of spinning on the file's lock, and a
  transaction takes the lock at its start, so that it never fails half-way.
- What is waiting while a commit is being synced to disk is committed together next (a savepoint each, so that one that
  fails takes nobody with it): under load the disk is waited for once, not once a transaction.
- A hop to a thread for each statement would cost more than the statements: a transaction is one hop.
- WAL, so that readers do not wait; full sync, so that what was acknowledged survives the plug.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar, cast

from sqlalchemy import URL, Connection, create_engine

from agent.errors import ConfigError
from store.database import Callbacks, Database, Tx, call_back, in_tx, portable, vendor_errors
from store.lane import Job, Lane
from store.raw import RawConnection

T = TypeVar("T")
Work = Callable[[Tx], object]

AT_ONCE = 32
"""Transactions that may share one commit."""


class SqliteDatabase(Database):
    """A database in a file."""

    is_sqlite = True
    now = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    for_update = ""
    has_table = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name)"

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise ConfigError("DATABASE_URL: SQLite needs a file, as in sqlite+aiosqlite:///twokey.db")
        self.url = url
        self._path = url.database
        self._open: dict[str, sqlite3.Connection] = {}
        self._writer = Lane("store-writer", self._write_all, AT_ONCE)
        self._reader = Lane("store-reader", self._read_all, AT_ONCE)

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction, when those before it are through. Raises StoreDown.

        A caller that is cancelled does not undo it: what was begun is committed, and its callbacks are called.
        """
        running = self._writer.put(work)
        running.add_done_callback(call_back)
        with vendor_errors():
            result, _ = cast("tuple[T, Callbacks]", await asyncio.shield(running))
            return result

    async def read(self, work: Callable[[Connection], T], *, as_one: bool = False) -> T:  # noqa: ARG002 - it always is
        """Do it on a snapshot, without writing. Raises StoreDown."""
        with vendor_errors():
            return cast("T", await self._reader.put(work))

    async def alter(self, work: Callable[[Connection], T]) -> T:
        """Do it in a transaction on a connection of SQLAlchemy's, for the schema. Raises StoreDown."""
        with vendor_errors():
            return await asyncio.to_thread(self._alter, work)

    def _alter(self, work: Callable[[Connection], T]) -> T:
        engine = create_engine(self.url.set(drivername="sqlite"), creator=self._connect, hide_parameters=True)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                result = work(connection)
                connection.commit()
                return result
        finally:
            engine.dispose()

    def _write_all(self, jobs: list[Job]) -> list[object]:
        """All of them in one transaction; each is told what came of it, and only once it is on disk. One that is alone
        needs no savepoint."""
        try:
            connection = self._connection("write")
            connection.execute("BEGIN IMMEDIATE")
            try:
                if len(jobs) == 1:
                    results: list[object] = [in_tx(cast("Work", jobs[0].work), _raw(connection))]
                else:
                    results = [_attempt(cast("Work", job.work), connection) for job in jobs]
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except BaseException as error:  # noqa: BLE001 - handed on to everybody who waits
            return [portable(error)] * len(jobs)
        return results

    def _read_all(self, jobs: list[Job]) -> list[object]:
        """All of them on one snapshot."""
        try:
            connection = self._connection("read")
            connection.execute("BEGIN")
            try:
                return [_look(cast("Callable[[RawConnection], object]", job.work), connection) for job in jobs]
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            return [portable(error)] * len(jobs)

    def _connection(self, purpose: str) -> sqlite3.Connection:
        """The thread's own connection, opened when it is first needed."""
        if purpose not in self._open:
            self._open[purpose] = self._connect()
        return self._open[purpose]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    def call_out(self, tx: Tx, channel: str) -> None:
        """Nobody hears it: other processes on a file look each second."""

    async def aclose(self) -> None:
        """Let what is running end, and close all connections."""
        await self._writer.aclose()
        await self._reader.aclose()
        while self._open:
            self._open.popitem()[1].close()


def _attempt(work: Work, connection: sqlite3.Connection) -> object:
    """One transaction among others: what came of it, or why it was undone. Raises when the whole is broken."""
    connection.execute("SAVEPOINT one")
    try:
        done = in_tx(work, _raw(connection))
    except Exception as error:  # noqa: BLE001 - handed on to whoever waits for it
        connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")
        return portable(error)
    connection.execute("RELEASE one")
    return done


def _raw(connection: sqlite3.Connection) -> Connection:
    return cast("Connection", RawConnection(connection))


def _look(work: Callable[[RawConnection], object], connection: sqlite3.Connection) -> object:
    try:
        return work(RawConnection(connection))
    except Exception as error:  # noqa: BLE001 - handed on to whoever waits for it
        return portable(error)
