"""Takes out of the database what is older than anybody needs: in small transactions, so that nobody waits for it.

- Delivery names and raw mails go by their own age: what comes again after so long is a new message.
- Cards go when their approval is settled and would have expired by then; the approval itself stays, with its thread.
- Threads go only when asked for, and only finished ones: nothing to do, no timer, no open approval, and no event since.
  All that belongs to them goes with them, the log first of all. Those in which anything was decided or done, and not
  only said, are kept for as long as an auditor may ask for them. Where a grant was given, or used, the thread stays
  until that grant has been over for as long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, TextClause, text

from store.codec import micros
from store.database import Database, Tx

BATCH = 500

_ONLY_SAID = ("message_received", "model_responded", "model_failed", "reply_sent", "reply_failed")
"""Kinds of events that no auditor asks about where there is nothing else in the thread."""
_DELIVERIES = "FROM delivery WHERE at < :before"
_MAILS = "FROM raw_mail WHERE at < :before"
_CARDS = (
    "FROM card WHERE approval_id IN (SELECT id FROM approval WHERE status <> 'open' AND expires_at < :before) "
    "AND lease_until = 0 AND shown >= wanted"
)
_LASTS = "revoked_seq IS NULL AND until > :before"
_FINISHED = (
    "FROM thread WHERE created_at < :before AND last_seq = done_seq AND wake_at IS NULL AND lease_until = 0 "
    # Numbers of events only ever grow, as whoever follows them wants it: so the newest stays.
    "AND (SELECT id FROM event WHERE thread_id = thread.id AND seq = last_seq) < (SELECT max(id) FROM event) "
    "AND NOT EXISTS (SELECT 1 FROM approval WHERE thread_id = thread.id AND approval.status = 'open') "
    f"AND NOT EXISTS (SELECT 1 FROM grants WHERE thread_id = thread.id AND {_LASTS}) "
    f"AND NOT EXISTS (SELECT 1 FROM event JOIN grants ON event.body LIKE '%\"' || grants.id || '\"%' AND {_LASTS} "
    "WHERE event.thread_id = thread.id AND kind = 'grant_used') "
    "AND (SELECT at FROM event WHERE thread_id = thread.id AND seq = last_seq) < CASE WHEN EXISTS ("
    f"SELECT 1 FROM event WHERE thread_id = thread.id AND kind NOT IN ({', '.join(repr(each) for each in _ONLY_SAID)})"
    ") THEN :audited ELSE :before END"
)
_KEYS = {
    "deliveries": text(f"SELECT key {_DELIVERIES} ORDER BY at LIMIT :limit"),
    "mails": text(f"SELECT key {_MAILS} ORDER BY at LIMIT :limit"),
}
_PARTS = (  # in this order: a part finds its rows by those that go after it
    "DELETE FROM card WHERE approval_id IN (SELECT id FROM approval WHERE thread_id IN ({ids}))",
    "DELETE FROM say WHERE approval_id IN (SELECT id FROM approval WHERE thread_id IN ({ids}))",
    "DELETE FROM grants WHERE thread_id IN ({ids})",
    "DELETE FROM approval WHERE thread_id IN ({ids})",
    "DELETE FROM event WHERE thread_id IN ({ids})",
    "DELETE FROM landmark WHERE thread_id IN ({ids})",
    "DELETE FROM delivery WHERE thread_id IN ({ids})",
    "DELETE FROM thread WHERE id IN ({ids})",
)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went, or would go."""

    deliveries: int
    mails: int
    cards: int
    threads: int


class Retention:
    """Counts and deletes. With `audited`, threads that are of interest to an auditor only when older than that."""

    def __init__(self, database: Database, batch: int = BATCH, audited: datetime | None = None) -> None:
        self.database = database
        self.batch = batch
        self.audited = audited

    async def count(self, before: datetime, *, threads: bool) -> Purged:
        """What a purge would take. With `threads`, finished ones too."""
        values = {"before": micros(before)}
        of_threads = values | {"audited": self._audited(before)}

        def work(connection: Connection) -> Purged:
            def number(what: str, values: dict[str, int] = values) -> int:
                return int(connection.execute(text(f"SELECT count(*) {what}"), values).scalar() or 0)

            gone = number(_FINISHED, of_threads) if threads else 0
            return Purged(number(_DELIVERIES), number(_MAILS), number(_CARDS), gone)

        return await self.database.read(work)

    def _audited(self, before: datetime) -> int:
        return micros(min(before, self.audited) if self.audited else before)

    async def purge(self, before: datetime, *, threads: bool) -> Purged:
        """Delete what is older. With `threads`, finished ones too. Safe beside running processes."""
        gone = await self._all(lambda tx: self._threads(tx, before)) if threads else 0
        return Purged(
            deliveries=await self._all(lambda tx: self._rows(tx, "delivery", _KEYS["deliveries"], before)),
            mails=await self._all(lambda tx: self._rows(tx, "raw_mail", _KEYS["mails"], before)),
            cards=await self._all(lambda tx: self._cards(tx, before)),
            threads=gone,
        )

    async def _all(self, some: Callable[[Tx], int]) -> int:
        """Batch after batch, until one is not full."""
        total = 0
        while True:
            gone = await self.database.write(some)
            total += gone
            if gone < self.batch:
                return total

    def _rows(self, tx: Tx, table: str, select: TextClause, before: datetime) -> int:
        keys = tx.connection.execute(select, {"before": micros(before), "limit": self.batch}).scalars().all()
        if keys:
            tx.connection.execute(text(f"DELETE FROM {table} WHERE key = :key"), [{"key": key} for key in keys])
        return len(keys)

    def _cards(self, tx: Tx, before: datetime) -> int:
        select = text(f"SELECT approval_id, address_key {_CARDS} LIMIT :limit")
        rows = tx.connection.execute(select, {"before": micros(before), "limit": self.batch}).all()
        if rows:
            delete = text("DELETE FROM card WHERE approval_id = :approval_id AND address_key = :address_key")
            tx.connection.execute(delete, [{"approval_id": row[0], "address_key": row[1]} for row in rows])
        return len(rows)

    def _threads(self, tx: Tx, before: datetime) -> int:
        """Locked while it is looked at, so that nothing comes in between: a message that does makes it a new thread."""
        lock = " FOR UPDATE SKIP LOCKED" if self.database.for_update else ""
        select = text(f"SELECT id {_FINISHED} LIMIT :limit{lock}")
        given = {"before": micros(before), "audited": self._audited(before), "limit": self.batch}
        ids = tx.connection.execute(select, given).scalars().all()
        values = {f"id{place}": each for place, each in enumerate(ids)}
        for part in _PARTS if ids else ():
            tx.connection.execute(text(part.format(ids=", ".join(f":{name}" for name in values))), values)
        return len(ids)
