"""The one database of a simulated world, in two makes: dictionaries, and the product's own SQL on SQLite in memory."""

import sqlite3
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, StaticPool, create_engine

from agent.entries import Entry
from store import codec, schema
from store.codec import Link
from store.database import in_tx
from store.raw import RawConnection
from store.statements import CONVERSATION, ENTRIES
from tests.memory_tables import Conversation, MemoryDatabase

T = TypeVar("T")


class InMemory(MemoryDatabase):
    """Dictionaries; see `tests.memory`."""

    now_sql = ""

    def threads(self) -> list[dict[str, Any]]:
        """All thread rows."""
        names = ("id", "last_seq", "epoch", "lease_until", "wake_at", "not_before", "status", "done_seq", "head")
        return [{name: getattr(row, name) for name in names} for row in self.tables.threads.values()]

    def cards(self) -> list[dict[str, Any]]:
        """All card rows."""
        names = ("wanted", "shown", "not_before", "lease_until", "attempts")
        return [
            {"approval_id": key[0], "address_key": key[1], **{name: getattr(card, name) for name in names}}
            for key, card in self.tables.cards.items()
        ]

    def grants(self) -> dict[str, int]:
        """How often each grant was used, by its row."""
        return {name: row.used for name, row in self.tables.grants.items()}

    def entries(self, thread_id: str) -> tuple[Entry, ...]:
        """A log."""
        return self.tables.entries(thread_id, 0)

    def place(self, thread_id: str) -> Conversation:
        """Where a thread lives."""
        return self.tables.threads[thread_id].conversation

    def links(self, thread_id: str) -> list[Link]:
        """A log as it is written."""
        log = self.tables.events
        return [log[each][0] for each in log if each[0] == thread_id]


@cache
def _opened() -> tuple[sqlite3.Connection, list[Callable[[], int]]]:
    """One connection for all worlds, emptied for each; its clock is the current world's."""
    clock: list[Callable[[], int]] = []
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.create_function("virtual_now", 0, lambda: clock[0]())  # noqa: PLW0108 - the clock is another one in each world
    engine = create_engine("sqlite://", poolclass=StaticPool, creator=lambda: opened)
    with engine.connect() as connection:
        schema._upgrade(connection)
        connection.commit()
    return opened, clock


class OnSqlite:
    """The product's own statements, with a database clock that is virtual."""

    now_sql = "virtual_now()"
    tables = ("event", "delivery", "landmark", "card", "grants", "say", "approval", "thread")

    def __init__(self, now: Callable[[], int]) -> None:
        self.opened, clock = _opened()
        self.connection = cast("Connection", RawConnection(self.opened))
        clock[:] = [now]
        for each in self.tables:
            self.opened.execute(f"DELETE FROM {each}")  # noqa: S608 - one of the names above

    def transact(self, work: Callable[[Any], T]) -> tuple[T, list[Callable[[], None]]]:
        """In one go."""
        self.opened.execute("BEGIN")
        try:
            result = in_tx(work, self.connection)
        except BaseException:
            self.opened.execute("ROLLBACK")
            raise
        self.opened.execute("COMMIT")
        return result

    def look(self, work: Callable[[Any], T]) -> T:
        """Without writing."""
        return work(self.connection)

    def _rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        found = self.opened.execute(statement, values)
        names = [each[0] for each in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]

    def threads(self) -> list[dict[str, Any]]:
        """All thread rows."""
        return self._rows("SELECT * FROM thread ORDER BY id")

    def cards(self) -> list[dict[str, Any]]:
        """All card rows."""
        return self._rows("SELECT * FROM card")

    def grants(self) -> dict[str, int]:
        """How often each grant was used, by its row."""
        return {str(row["id"]): int(row["used"]) for row in self._rows("SELECT id, used FROM grants")}

    def entries(self, thread_id: str) -> tuple[Entry, ...]:
        """A log."""
        return codec.entries(self.connection.execute(ENTRIES, {"id": thread_id, "after": 0}).all())

    def place(self, thread_id: str) -> Conversation:
        """Where a thread lives."""
        return codec.conversation(str(self.connection.execute(CONVERSATION, {"id": thread_id}).scalar_one_or_none()))

    def links(self, thread_id: str) -> list[Link]:
        """A log as it is written."""
        statement = "SELECT seq, kind, at, body, digest, hash FROM event WHERE thread_id = :id ORDER BY id"
        rows = self._rows(statement, id=thread_id)
        return [Link(**row) for row in rows]
