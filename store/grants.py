"""Grants as rows: which stand, and what the log says of each."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from agent.events import GrantGiven, GrantRevoked
from agent.grant import GrantFacts
from agent.ports import Clock
from store import codec
from store.codec import micros
from store.database import Database

MOST = 500
"""Of a tool, so many that stand are looked at before somebody is asked."""

_FOUND = (
    "SELECT grants.thread_id, used, given.seq, given.kind, given.at, given.body, "
    "revoked.seq, revoked.kind, revoked.at, revoked.body FROM grants "
    "JOIN event AS given ON given.thread_id = grants.thread_id AND given.seq = grants.seq "
    "LEFT JOIN event AS revoked ON revoked.thread_id = grants.thread_id AND revoked.seq = revoked_seq"
)
_STANDING = "revoked_seq IS NULL AND until > :now AND (uses IS NULL OR used < uses)"
_ONE = text(f"{_FOUND} WHERE grants.id = :id")
FOR_TOOL = text(f"{_FOUND} WHERE tool = :tool AND {_STANDING} ORDER BY until, grants.id LIMIT :limit")


class GrantIndex:
    """All grants of a database."""

    database: Database
    clock: Clock

    async def grants_for(self, tool: str) -> list[GrantFacts]:
        """The grants that stand for calls of this tool, the soonest to end first. What has ended costs nothing."""
        values = {"tool": tool, "now": micros(self.clock.now()), "limit": MOST}
        rows = await self.database.read(lambda c: c.execute(FOR_TOOL, values).all())
        return [_facts(row) for row in rows]

    async def grants(
        self, *, standing: bool = True, thread_id: str = "", given_by: str = "", limit: int = 200
    ) -> list[GrantFacts]:
        """The grants that stand, the soonest to end first; or all there were, the last to end first. Only those given
        in this thread or by this person, when that is said."""
        where = [_STANDING] if standing else []
        wanted = {"grants.thread_id": ("thread_id", thread_id), "given_by": ("given_by", given_by)}
        where += [f"{column} = :{name}" for column, (name, value) in wanted.items() if value]
        values: dict[str, object] = {name: value for name, value in wanted.values() if value}
        values |= {"limit": limit, **({"now": micros(self.clock.now())} if standing else {})}
        clause = f" WHERE {' AND '.join(where)}" if where else ""
        order = "until, grants.id" if standing else "until DESC, grants.id"
        statement = text(f"{_FOUND}{clause} ORDER BY {order} LIMIT :limit")
        return [_facts(row) for row in await self.database.read(lambda c: c.execute(statement, values).all())]

    async def grant(self, grant_id: str) -> GrantFacts | None:
        """One grant; None when there is no such."""
        row = await self.database.read(lambda c: c.execute(_ONE, {"id": grant_id}).one_or_none())
        return _facts(row) if row else None


def _facts(row: Sequence[Any]) -> GrantFacts:
    given = codec.entry(*row[2:6]).event
    assert isinstance(given, GrantGiven)  # noqa: S101 - its place points at nothing else
    revoked = codec.entry(*row[6:10]).event if row[6] is not None else None
    assert revoked is None or isinstance(revoked, GrantRevoked)  # noqa: S101 - nor does this
    return GrantFacts(row[0], given, row[1], revoked)
