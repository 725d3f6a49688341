"""Grants of the store in memory: what `store.grants` promises."""

from agent.events import GrantGiven, GrantRevoked
from agent.grant import GrantFacts
from agent.ports import Clock
from store.codec import micros
from tests.memory_tables import GrantRow, MemoryDatabase, MemoryTx


class MemoryGrants:
    """As `store.grants.GrantIndex`."""

    database: MemoryDatabase
    clock: Clock

    async def grants_for(self, tool: str) -> list[GrantFacts]:
        """The grants that stand for calls of this tool, the soonest to end first."""
        return [each for each in await self.grants() if each.grant.tool == tool]

    async def grants(
        self, *, standing: bool = True, thread_id: str = "", given_by: str = "", limit: int = 200
    ) -> list[GrantFacts]:
        """The grants that stand, the soonest to end first; or all there were, the last to end first."""

        def work(tx: MemoryTx) -> list[GrantFacts]:
            found = [
                (row.until if standing else -row.until, key)
                for key, row in tx.tables.grants.items()
                if thread_id in {"", row.thread_id} and given_by in {"", row.given_by}
                if not standing or self._stands(row)
            ]
            return [_facts(tx, tx.tables.grants[key]) for _, key in sorted(found)][:limit]

        return await self.database.read(work)

    async def grant(self, grant_id: str) -> GrantFacts | None:
        """One grant; None when there is no such."""

        def work(tx: MemoryTx) -> GrantFacts | None:
            row = tx.tables.grants.get(grant_id)
            return _facts(tx, row) if row else None

        return await self.database.read(work)

    def _stands(self, row: GrantRow) -> bool:
        is_left = row.uses is None or row.used < row.uses
        return row.revoked_seq is None and row.until > micros(self.clock.now()) and is_left


def _facts(tx: MemoryTx, row: GrantRow) -> GrantFacts:
    given = tx.tables.events[row.thread_id, row.seq][1]
    assert isinstance(given, GrantGiven)
    revoked = tx.tables.events[row.thread_id, row.revoked_seq][1] if row.revoked_seq else None
    assert revoked is None or isinstance(revoked, GrantRevoked)
    return GrantFacts(row.thread_id, given, row.used, revoked)
