"""What Home tabs are made from, read once for many of them."""

import asyncio
from collections.abc import Sequence

from store.approvals import ApprovalFacts, ApprovalIndex


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
