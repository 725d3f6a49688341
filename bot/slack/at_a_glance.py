"""What Home tabs are made from, looked up once for many of them.

Only for looking: a tab may show for a minute what a group was before. Whoever decides is looked up at that moment, and
what Slack answers a minute must be left for that.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.conversation import Identity
from agent.ports import Clock
from approvals.standing import Standing
from store.approvals import ApprovalFacts, ApprovalIndex

REMEMBERED = timedelta(minutes=1)


class RememberedGroups:
    """Who is in a group, asked once a minute. Satisfies `approvals.standing.Standing`."""

    def __init__(self, standing: Standing, clock: Clock) -> None:
        self.standing = standing
        self.clock = clock
        self._known: dict[tuple[str, str], tuple[datetime, frozenset[str]]] = {}

    async def check(self, who: Identity) -> str:
        """Asked anew."""
        return await self.standing.check(who)

    async def members(self, team: str, group: str) -> frozenset[str]:
        """As they were known to be within the last minute. Raises ChannelError; failures are not remembered."""
        now = self.clock.now()
        asked_at, found = self._known.get((team, group), (now - REMEMBERED, frozenset()))
        if now - asked_at < REMEMBERED:
            return found
        found = await self.standing.members(team, group)
        self._known[team, group] = (now, found)
        return found


class OnePass(ApprovalIndex):
    """What stands open, read once for everybody whose tab is made in the same round."""

    def __init__(self, index: ApprovalIndex) -> None:
        super().__init__(index.database, index.clock)
        self._reading = asyncio.Lock()
        self._open: dict[int, tuple[list[str], int]] = {}
        self._facts: dict[tuple[str, ...], list[ApprovalFacts]] = {}

    async def open_cards(self, limit: int) -> tuple[list[str], int]:
        """As `ApprovalIndex` has it."""
        async with self._reading:
            if limit not in self._open:
                self._open[limit] = await super().open_cards(limit)
        return self._open[limit]

    async def facts_of(self, cards: Sequence[str]) -> list[ApprovalFacts]:
        """As `ApprovalIndex` has it."""
        key = tuple(cards)
        async with self._reading:
            if key not in self._facts:
                self._facts[key] = await super().facts_of(cards)
        return self._facts[key]
