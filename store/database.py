"""A connection to the database behind DATABASE_URL, and transactions on it.

A transaction is a plain function of a `Tx`, written once for both databases and run in one go, on a thread: see
`store.sqlite` and `store.postgres`.
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import InterfaceError, OperationalError

from agent.errors import StoreDown

T = TypeVar("T")
Callbacks = list[Callable[[], None]]

CARDS = "twokey_cards"
"""The channel on which processes on PostgreSQL tell one another that cards lag behind."""


@dataclass(frozen=True, slots=True)
class Tx:
    """A running transaction, and what is to be called once it is committed."""

    connection: Connection
    after_commit: Callbacks = field(default_factory=list)


class Database(ABC):
    """Runs transactions."""

    url: URL
    is_sqlite = False
    now: str
    """SQL for the moment, by the database's clock, in microseconds since 1970."""
    for_update: str
    """SQL that locks the rows of a SELECT."""
    has_table: str
    """SQL for whether there is a table of the name `:name`."""

    @abstractmethod
    async def write(self, work: Callable[[Tx], T]) -> T:
        """Do it in a transaction: committed at the end, rolled back by any error. Raises StoreDown.

        A caller that is cancelled does not undo it: what was begun is committed, and its callbacks are called.
        """

    @abstractmethod
    async def read(self, work: Callable[[Connection], T], *, as_one: bool = False) -> T:
        """Do it, without writing; `as_one`: all its statements on the same snapshot. Raises StoreDown."""

    @abstractmethod
    async def alter(self, work: Callable[[Connection], T]) -> T:
        """Do it in a transaction on a connection of SQLAlchemy's, for the schema. Raises StoreDown."""

    @property
    def connect_args(self) -> Mapping[str, Any]:
        """What the driver connects with, for a connection of one's own; empty where there is none to be had."""
        return {}

    @abstractmethod
    def call_out(self, tx: Tx, channel: str) -> None:
        """Once it is committed, every `store.watch.Watch` on that channel hears it."""

    async def is_reachable(self) -> bool:
        """Whether it answers."""
        try:
            await self.read(lambda connection: connection.execute(text("SELECT 1")).scalar())
        except StoreDown:
            return False
        return True

    @abstractmethod
    async def aclose(self) -> None:
        """Let what is running end, and close all connections."""


def in_tx(work: Callable[[Tx], T], connection: Connection) -> tuple[T, Callbacks]:
    """The result, and what is to be called once it is committed."""
    tx = Tx(connection)
    return work(tx), tx.after_commit


def call_back(done: "asyncio.Future[object]") -> None:
    """Call what a transaction wants called, also when nobody waits for it any more."""
    if done.cancelled() or done.exception() is not None:
        return
    for callback in cast("tuple[object, Callbacks]", done.result())[1]:
        callback()


def portable(error: BaseException) -> BaseException:
    """The error, to be handed to another thread. StopIteration cannot be set on a future."""
    return RuntimeError(str(error)) if isinstance(error, StopIteration) else error


_DOWN: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    OSError,
    sqlite3.OperationalError,
    sqlite3.InterfaceError,
    sqlite3.NotSupportedError,
)


@contextmanager
def vendor_errors(*more: type[Exception]) -> Iterator[None]:
    """The database's own errors end here. What is wrong with a statement is a bug of ours, and stays what it is."""
    try:
        yield
    except _DOWN + more as error:
        raise StoreDown(f"the database cannot be used: {type(error).__name__}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0][:200] if said else ""
