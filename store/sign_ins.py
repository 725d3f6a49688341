"""Sign-ins as rows: asked for, used once, seen, ended. Shared by all processes, so that once means once.

A moment is the caller's clock's, as everywhere where people's time counts. Rows that nothing can come of any more are
deleted whenever a new one is made.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import TextClause, text

from agent.ports import Clock
from store.codec import micros, moment
from store.database import Database, Tx

KEPT = timedelta(days=100)

_OLD = text("DELETE FROM sign_in WHERE made_at < :before")
_LATELY = text("SELECT count(*) FROM sign_in WHERE person = :person AND kind = :kind AND made_at > :since")
_MAKE = text("INSERT INTO sign_in (id, person, kind, made_at, tries) VALUES (:id, :person, :kind, :now, 0)")
_FIND = text("SELECT id, person, kind, made_at, tries, used_at, seen_at, ended_at FROM sign_in WHERE id = :id")
_USE = text(
    "UPDATE sign_in SET used_at = :now, seen_at = :now "
    "WHERE id = :id AND kind = :kind AND used_at IS NULL AND ended_at IS NULL AND made_at > :since"
)
_TRY = text(
    "UPDATE sign_in SET tries = tries + 1 "
    "WHERE id = :id AND kind = 'code' AND used_at IS NULL AND tries < :most AND made_at > :since"
)
_SEE = text("UPDATE sign_in SET seen_at = :now WHERE id = :id AND seen_at < :now")
_END = text("UPDATE sign_in SET ended_at = :now WHERE id = :id AND ended_at IS NULL")
_END_ALL = text("UPDATE sign_in SET ended_at = :now WHERE person = :person AND ended_at IS NULL")


@dataclass(frozen=True, slots=True)
class SignInRow:
    """One of them."""

    id: str
    person: str
    kind: str
    made_at: datetime
    tries: int
    used_at: datetime | None
    seen_at: datetime | None
    ended_at: datetime | None


class SignIns:
    """All sign-ins of a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock

    async def make(self, new_id: str, person: str, kind: str, *, most: int, within: timedelta) -> bool:
        """A new one, unless the person was sent so many of that kind within that time."""
        now = self.clock.now()

        def work(tx: Tx) -> bool:
            tx.connection.execute(_OLD, {"before": micros(now - KEPT)})
            lately = {"person": person, "kind": kind, "since": micros(now - within)}
            if int(tx.connection.execute(_LATELY, lately).scalar() or 0) >= most:
                return False
            values = {"id": new_id, "person": person, "kind": kind, "now": micros(now)}
            tx.connection.execute(_MAKE, values)
            return True

        return await self.database.write(work)

    async def find(self, sign_in: str) -> SignInRow | None:
        """That one."""
        row = await self.database.read(lambda c: c.execute(_FIND, {"id": sign_in}).one_or_none())
        if row is None:
            return None
        made, tries, *moments = row[3], row[4], *row[5:8]
        used, seen, ended = (None if each is None else moment(each) for each in moments)
        return SignInRow(row[0], row[1], row[2], moment(made), tries, used, seen, ended)

    async def use(self, sign_in: str, kind: str, *, within: timedelta) -> bool:
        """Use it up; whether it was there to be used, which it is once and for so long."""
        now = self.clock.now()
        values: dict[str, str | int] = {"id": sign_in, "kind": kind, "now": micros(now), "since": micros(now - within)}
        return await self._changed(_USE, values)

    async def try_code(self, sign_in: str, *, most: int, within: timedelta) -> bool:
        """Count a try; whether one was left. Counted before it is looked at, so that two at once are two."""
        return await self._changed(_TRY, {"id": sign_in, "most": most, "since": micros(self.clock.now() - within)})

    async def see(self, sign_in: str) -> None:
        """The browser was here."""
        await self._changed(_SEE, {"id": sign_in, "now": micros(self.clock.now())})

    async def end(self, sign_in: str) -> None:
        """Nobody is signed in by it any more."""
        await self._changed(_END, {"id": sign_in, "now": micros(self.clock.now())})

    async def end_all(self, person: str) -> None:
        """The same for all of a person's, those that were only asked for among them."""
        await self._changed(_END_ALL, {"person": person, "now": micros(self.clock.now())})

    async def _changed(self, statement: TextClause, values: dict[str, str | int]) -> bool:
        return await self.database.write(lambda tx: tx.connection.execute(statement, values).rowcount) > 0
