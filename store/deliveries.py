"""What was taken in before, by the names that providers give it, and how far a history has been read.

A history that has been read to the end leaves a mark: a row among the deliveries that belongs to no thread. It is
written when the reading is complete, so that one that was cut short is done again.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from agent.conversation import ApiThread, MailThread, SlackThread
from store import codec
from store.codec import micros, moment
from store.database import Database, Tx

_KNOWN = text(
    "SELECT key, conversation FROM delivery JOIN thread ON thread.id = delivery.thread_id "
    "WHERE at >= :since AND key LIKE :prefix ORDER BY at DESC LIMIT :limit"
)
_LIVELY = text(
    "SELECT conversation FROM thread JOIN (SELECT thread_id, max(at) AS latest FROM delivery WHERE at >= :since "
    "AND key LIKE :prefix GROUP BY thread_id ORDER BY latest DESC LIMIT :limit) AS lively "
    "ON lively.thread_id = thread.id"
)
_FIRST = text("SELECT min(at) FROM delivery")
_MARK = text("SELECT max(at) FROM delivery WHERE key = :key")
_SET_MARK = text(
    "INSERT INTO delivery (key, thread_id, at) VALUES (:key, '', :at) "
    "ON CONFLICT (key) DO UPDATE SET at = CASE WHEN delivery.at < :at THEN :at ELSE delivery.at END"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """One delivery that was taken in."""

    key: str
    conversation: SlackThread | MailThread | ApiThread


class Deliveries:
    """The deliveries of a database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def known(self, prefix: str, since: datetime, limit: int = 20_000) -> list[Taken]:
        """What was taken in since then under names that begin so, the newest first."""
        values = {"prefix": f"{prefix}%", "since": micros(since), "limit": limit}
        rows = await self.database.read(lambda c: c.execute(_KNOWN, values).all())
        return [Taken(key, codec.conversation(conversation)) for key, conversation in rows]

    async def lively(
        self, prefix: str, since: datetime, limit: int = 200
    ) -> list[SlackThread | MailThread | ApiThread]:
        """The conversations in which somebody wrote since then, under names that begin so."""
        values = {"prefix": f"{prefix}%", "since": micros(since), "limit": limit}
        rows = await self.database.read(lambda c: list(c.execute(_LIVELY, values).scalars()))
        return [codec.conversation(each) for each in rows]

    async def read_until(self, name: str) -> datetime | None:
        """Up to when the history of that name has been read; else since when anything was taken in at all."""

        def look(connection: Connection) -> int | None:
            mark: int | None = connection.execute(_MARK, {"key": _mark(name)}).scalar()
            first: int | None = mark if mark is not None else connection.execute(_FIRST).scalar()
            return first

        found = await self.database.read(look)
        return moment(found) if found is not None else None

    async def set_read(self, name: str, until: datetime) -> None:
        """The history of that name has been read up to that moment. It never goes back."""

        def work(tx: Tx) -> None:
            tx.connection.execute(_SET_MARK, {"key": _mark(name), "at": micros(until)})

        await self.database.write(work)


def _mark(name: str) -> str:
    return f"read:{name}"
