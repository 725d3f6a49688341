"""The embedded database: one file, written by one thread.

- All writing is on one thread, so that writers take turns in order instead of spinning on the file's lock, and a
  transaction takes the lock at its start, so that it never fails half-way.
- What is waiting while a commit is being synced to disk is committed together next (a savepoint each, so that one that
  fails takes nobody with it): under load the disk is waited for once, not once a transaction.
- A hop to a thread for each statement would cost more than the statements: a transaction is one hop.
- WAL, so that readers do not wait; full sync, so that what was acknowledged survives the plug.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from agent.errors import ConfigError
from store.database import Database, Tx, in_tx, vendor_errors

T = TypeVar("T")
Callbacks = list[Callable[[], None]]
Job = tuple[Callable[[Tx], object], "Future[tuple[object, Callbacks]]"]

READERS = 4
AT_ONCE = 32
"""Transactions that may share one commit."""


class SqliteDatabase(Database):
    """A database in a file."""

    is_sqlite = True
    now = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    for_update = ""

    def __init__(self, url: URL) -> None:
        if not url.database or url.database == ":memory:":
            raise ConfigError("DATABASE_URL: SQLite needs a file, as in sqlite+aiosqlite:///twokey.db")
        self.url = url
        self._file = create_engine(url.set(drivername="sqlite"), pool_size=READERS + 1, hide_parameters=True)
        event.listen(self._file, "connect", _prepare)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction, when those before it are through. Raises StoreDown.

        A caller that is cancelled does not undo it: what was begun is committed, and its callbacks are called.
        """
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_all, name="store-writer", daemon=True)
            self._writer.start()
        done: Future[tuple[T, Callbacks]] = Future()
        self._jobs.put((work, done))  # type: ignore[arg-type]  # a Future of T is one of object
        waiting = asyncio.wrap_future(done)
        waiting.add_done_callback(_call_back)
        with vendor_errors():
            return (await asyncio.shield(waiting))[0]

    def _write_all(self) -> None:
        """The writing thread."""
        while (job := self._jobs.get()) is not None:
            jobs, ended = [job], False
            while len(jobs) < AT_ONCE and not ended:
                try:
                    more = self._jobs.get_nowait()
                except Empty:
                    break
                if more is None:
                    ended = True
                else:
                    jobs.append(more)
            self._commit(jobs)
            if ended:
                return

    def _commit(self, jobs: list[Job]) -> None:
        """All of them in one transaction; each is told what came of it, and only once it is on disk."""
        results: list[tuple[object, Callbacks] | BaseException] = []
        try:
            with self._file.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                results = [_attempt(work, connection) for work, _ in jobs]
                connection.commit()
        except BaseException as error:  # noqa: BLE001 - handed on to everybody who waits
            results = [error] * len(jobs)
        for (_, done), result in zip(jobs, results, strict=True):
            if isinstance(result, BaseException):
                done.set_exception(result)
            else:
                done.set_result(result)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do it on a snapshot, without writing. Raises StoreDown."""
        with vendor_errors():
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._file.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            return work(connection)

    async def aclose(self) -> None:
        """Let what is running end, and close all connections."""
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        await asyncio.to_thread(self._readers.shutdown)
        self._file.dispose()


def _attempt(work: Callable[[Tx], object], connection: Connection) -> tuple[object, Callbacks] | BaseException:
    """One transaction among others: what came of it, or why it was undone. Raises when the whole is broken."""
    connection.exec_driver_sql("SAVEPOINT one")
    try:
        done = in_tx(work, connection)
    except Exception as error:
        connection.exec_driver_sql("ROLLBACK TO one")
        connection.exec_driver_sql("RELEASE one")
        if isinstance(error, SQLAlchemyError) and getattr(error, "connection_invalidated", False):
            raise
        return error
    connection.exec_driver_sql("RELEASE one")
    return done


def _call_back(done: "asyncio.Future[tuple[T, Callbacks]]") -> None:
    """Also when nobody waits for the transaction any more."""
    if done.cancelled() or done.exception() is not None:
        return
    for callback in done.result()[1]:
        callback()


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin and end where we say so
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
