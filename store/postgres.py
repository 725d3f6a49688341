"""PostgreSQL: transactions on a few threads, each with a connection of its own.

psycopg's plain connections take a statement in a fraction of what its asynchronous ones cost, with or without
SQLAlchemy's greenlets around them, and a transaction is a plain function that would rather not be taken apart. What
only reads is not wrapped in a transaction: each statement sees what is committed then, as it would within one.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

import psycopg
from sqlalchemy import URL, Connection, NullPool, create_engine, text

from store.database import Callbacks, Database, Tx, call_back, in_tx, portable, vendor_errors
from store.lane import Job, Lane
from store.raw import RawConnection, respelt

T = TypeVar("T")

PATIENCE = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""In seconds; what libpq's own defaults would make two hours."""
FAREWELL = 5.0
"""Seconds that a statement may still take when the process ends."""
_NOTIFY = text("SELECT pg_notify(:channel, '')")
_SNAPSHOT = text("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
_END = text("COMMIT")
_DOWN = (psycopg.OperationalError, psycopg.InterfaceError)


class PostgresDatabase(Database):
    """A database on a server."""

    now = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    for_update = " FOR UPDATE"
    has_table = "SELECT to_regclass(:name) IS NOT NULL"

    def __init__(self, url: URL, connections: int = 12) -> None:
        self.url = url
        self._lane = Lane("store", _perform, abreast=connections)
        self._mine = threading.local()
        self._all: set[psycopg.Connection[Any]] = set()

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction. Raises StoreDown."""
        running = self._lane.put(partial(self._write, work))
        running.add_done_callback(call_back)
        with vendor_errors(*_DOWN):
            result, _ = cast("tuple[T, Callbacks]", await asyncio.shield(running))
            return result

    async def read(self, work: Callable[[Connection], T], *, as_one: bool = False) -> T:
        """Do it, without writing; `as_one`: all its statements on the same snapshot. Raises StoreDown."""
        with vendor_errors(*_DOWN):
            return cast("T", await self._lane.put(partial(self._read, _on_snapshot(work) if as_one else work)))

    async def alter(self, work: Callable[[Connection], T]) -> T:
        """Do it in a transaction on a connection of SQLAlchemy's, for the schema. Raises StoreDown."""
        with vendor_errors(*_DOWN):
            return await asyncio.to_thread(self._alter, work)

    def _write(self, work: Callable[[Tx], T]) -> tuple[T, Callbacks]:
        return self._try(lambda connection: in_tx(work, connection), is_read=False)

    def _read(self, work: Callable[[Connection], T]) -> T:
        return self._try(work, is_read=True)

    def _try(self, work: Callable[[Connection], T], *, is_read: bool, is_last: bool = False) -> T:
        """One try, and one more where the connection turns out to be dead before anything could be committed: to ask
        each whether it lives, before each use, costs as much as a statement."""
        connection, is_ending = self._connection(), False
        try:
            connection.autocommit = is_read
            result = work(cast("Connection", RawConnection(connection, respelt)))
            is_ending = True
            if not is_read:
                connection.commit()
        except BaseException:
            with suppress(psycopg.Error):  # then it is broken, if it was not before
                connection.rollback()
            if not connection.broken or is_ending or is_last:
                raise
            return self._try(work, is_read=is_read, is_last=True)
        return result

    def _connection(self) -> "psycopg.Connection[Any]":
        """The thread's own, made when it is first needed and when it is broken."""
        mine: psycopg.Connection[Any] | None = getattr(self._mine, "connection", None)
        if mine is None or mine.closed:
            if mine is not None:
                self._all.discard(mine)
            mine = self._mine.connection = psycopg.connect(**self.connect_args)
            self._all.add(mine)
        return mine

    def _alter(self, work: Callable[[Connection], T]) -> T:
        engine = create_engine(self.url, poolclass=NullPool, connect_args=dict(PATIENCE), hide_parameters=True)
        with engine.begin() as connection:
            return work(connection)

    @property
    def connect_args(self) -> Mapping[str, Any]:
        """What the driver connects with: given up, and known to be dead, in seconds."""
        _, given = self.url.get_dialect()().create_connect_args(self.url)
        return {**PATIENCE, **given}

    def call_out(self, tx: Tx, channel: str) -> None:
        """Once it is committed, every `store.watch.Watch` on that channel hears it."""
        tx.connection.execute(_NOTIFY, {"channel": channel})

    async def aclose(self) -> None:
        """Let what is running end, for a few seconds, and close all connections."""
        await self._lane.aclose(FAREWELL)
        while self._all:
            self._all.pop().close()


def _on_snapshot(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    """The same work, in a transaction of its own that sees nothing of what others commit meanwhile."""

    def snapshot(connection: Connection) -> T:
        connection.execute(_SNAPSHOT)
        result = work(connection)
        connection.execute(_END)
        return result

    return snapshot


def _perform(jobs: list[Job]) -> list[object]:
    results: list[object] = []
    for job in jobs:
        try:
            results.append(cast("Callable[[], object]", job.work)())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits for it
            results.append(portable(error))
    return results
