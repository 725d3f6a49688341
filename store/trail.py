"""The audit log as it grows: what is settled, and how far it was told.

Events are numbered as they are written, and on PostgreSQL a lower number may be committed after a higher one. A number
counts as settled once every transaction that had begun to write when it was seen has ended; nothing is told beyond. So
whoever follows the numbers misses none. On SQLite there is one writer, and what can be seen is settled.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.database import Database, Tx
from store.export import page_of
from store.facts import Fact

PAGE = 500
LEASE = 10 * 1_000_000
"""Microseconds that a process is given to tell a page; then another tells it again."""

_LONGEST = text("SELECT max(id) FROM event")
_MARK = text("SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)")
_RUNNING = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)")
_TOLD = text("SELECT event_id FROM audit_cursor WHERE name = 'stdout'")
_ADVANCE = text("UPDATE audit_cursor SET event_id = :last, lease_until = 0 WHERE name = 'stdout' AND event_id = :first")
_ALWAYS = 2**62


@dataclass(frozen=True, slots=True)
class Page:
    """Facts, and the number of the last event that was looked at for them."""

    facts: list[Fact]
    last: int
    is_last: bool


class Trail:
    """Follows the log of a database."""

    def __init__(self, database: Database, page: int = PAGE) -> None:
        self.database = database
        self.page = page
        self._settled = 0
        self._unsettled: tuple[int, int] | None = None
        """The highest number seen, and a transaction that began after it was."""
        self._claim = text(
            f"UPDATE audit_cursor SET lease_until = {database.now} + {LEASE} "
            f"WHERE name = 'stdout' AND lease_until <= {database.now} AND event_id < :until RETURNING event_id"
        )

    async def settled(self) -> int:
        """Up to which number nothing more will come in between."""
        if self.database.is_sqlite:
            return await self.database.read(_longest)
        if self._unsettled is not None:
            number, mark = self._unsettled
            running = await self.database.read(lambda c: int(c.execute(_RUNNING).scalar() or 0))
            if running <= mark:
                return self._settled
            self._settled, self._unsettled = number, None
        longest = await self.database.read(_longest)
        if longest > self._settled:  # first what is seen, then the mark: whoever had a number then has begun before it
            mark = await self.database.write(lambda tx: int(tx.connection.execute(_MARK).scalar() or 0))
            self._unsettled = (longest, mark)
        return self._settled

    async def after(self, number: int, until: int) -> Page:
        """The facts behind that number, a page of them."""
        values = {"after": number, "until": until, "since": -_ALWAYS, "before": _ALWAYS, "limit": self.page}
        facts, last, is_last = await self.database.read(lambda c: page_of(c, values))
        return Page(facts, until if is_last else last, is_last)

    async def told(self) -> int:
        """Up to which number standard output was told, by whichever process."""
        return await self.database.read(lambda c: int(c.execute(_TOLD).scalar() or 0))

    async def claim(self, until: int) -> int | None:
        """Take on telling standard output what is behind this number; None when there is nothing, or another does."""

        def work(tx: Tx) -> int | None:
            found: int | None = tx.connection.execute(self._claim, {"until": until}).scalar_one_or_none()
            return found

        return await self.database.write(work)

    async def advance(self, first: int, last: int) -> None:
        """What was claimed behind `first` is told up to `last`."""
        values = {"first": first, "last": last}
        await self.database.write(lambda tx: tx.connection.execute(_ADVANCE, values).close())


def _longest(connection: Connection) -> int:
    return int(connection.execute(_LONGEST).scalar() or 0)
