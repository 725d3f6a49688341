"""The approvals of the store in memory: what `store.approvals` promises."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from agent.approval import recorded
from agent.ports import Clock
from store.approvals import ApprovalFacts, DueCard
from store.codec import micros
from tests.memory_grants import MemoryGrants
from tests.memory_tables import CardRow, MemoryDatabase, MemoryTx


class MemoryApprovals(MemoryGrants):
    """As `store.approvals.ApprovalIndex`."""

    def __init__(self, database: MemoryDatabase, clock: Clock, lease: float = 30.0) -> None:
        self.database = database
        self.clock = clock
        self.lease = lease

    async def facts(self, approval_id: str) -> ApprovalFacts | None:
        """What the log says of it."""
        return await self.database.read(lambda tx: _facts(tx, approval_id))

    async def listed(self, *, open_only: bool = True, thread_id: str = "", limit: int = 100) -> list[str]:
        """Ids of approvals, the soonest to expire first."""

        def work(tx: MemoryTx) -> list[str]:
            found = [
                (row.expires_at, key)
                for key, row in tx.tables.approvals.items()
                if (row.status == "open" or not open_only) and thread_id in {"", row.thread_id}
            ]
            return [key for _, key in sorted(found)][:limit]

        return await self.database.read(work)

    async def open_cards(self, limit: int) -> tuple[list[str], int]:
        """Ids of the cards on which something can be decided, and how many there are in all."""

        def work(tx: MemoryTx) -> list[str]:
            rows = [
                (row.expires_at, row.plan or key) for key, row in tx.tables.approvals.items() if row.status == "open"
            ]
            return list(dict.fromkeys(card for _, card in sorted(rows)))

        found = await self.database.read(work)
        return found[:limit], len(found)

    async def said_by(self, person: str, limit: int) -> list[str]:
        """Ids of the cards on which this person had a say, the latest first."""

        def work(tx: MemoryTx) -> list[str]:
            says = [
                (-at, tx.tables.approvals[each].plan or each)
                for (who, each), at in tx.tables.says.items()
                if who == person
            ]
            return list(dict.fromkeys(card for _, card in sorted(says)))[:limit]

        return await self.database.read(work)

    async def facts_of(self, cards: Sequence[str]) -> list[ApprovalFacts]:
        """What the log says of these cards, in their order."""
        found = [await self.facts(each) for each in cards]
        return [each for each in found if each is not None]

    async def due_cards(self, limit: int = 50, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Cards that lag behind, on other channels than these."""
        clock = micros(self.clock.now())

        def work(tx: MemoryTx) -> list[tuple[str, str]]:
            found = [
                (card.not_before, row.thread_id, row.asked_seq, key[1], key)
                for key, card in tx.tables.cards.items()
                if _lags(tx, card, clock)
                and not key[1].startswith(tuple(without))
                and (row := tx.tables.approvals[key[0]])
            ]
            return [each[-1] for each in sorted(found)][:limit]

        return await self.database.read(work)

    async def claim_card(self, approval_id: str, address_key: str) -> DueCard | None:
        """Take on the work of showing it, unless somebody else has."""
        clock, lease = micros(self.clock.now()), int(self.lease * 1_000_000)

        def work(tx: MemoryTx) -> DueCard | None:
            key = (approval_id, address_key)
            card = tx.tables.cards.get(key)
            if card is None or not _lags(tx, card, clock):
                return None
            tx.put(tx.tables.cards, key, replace(card, tried=True, lease_until=tx.now + lease))
            found = DueCard(approval_id, card.address, card.wanted, card.shown, card.receipt, card.tried, card.attempts)
            _, _, number = address_key.partition(" remind:")
            main = tx.tables.cards.get((approval_id, card.address.key))
            return replace(found, reminder=int(number), card_receipt=main.receipt if main else "") if number else found

        return await self.database.write(work)

    async def card_shown(self, card: DueCard, receipt: str) -> None:
        """The place shows what was wanted then."""
        await self._change(card, lambda row: replace(row, shown=card.wanted, receipt=receipt, attempts=0))

    async def card_failed(self, card: DueCard, delay: float | None) -> None:
        """It could not be shown; look again after `delay` seconds, or never."""
        if delay is None:
            await self._change(card, lambda row: replace(row, shown=card.wanted, attempts=row.attempts + 1))
            return
        at = micros(self.clock.now()) + int(delay * 1_000_000)
        await self._change(card, lambda row: replace(row, attempts=row.attempts + 1, not_before=at))

    async def card_held(self, card: DueCard, until: datetime) -> None:
        """It was not shown, and is not to be before then."""
        await self._change(card, lambda row: replace(row, tried=card.tried, not_before=micros(until)))

    async def _change(self, card: DueCard, change: Callable[[CardRow], CardRow]) -> None:
        def work(tx: MemoryTx) -> None:
            key = (card.approval_id, card.key)
            tx.put(tx.tables.cards, key, replace(change(tx.tables.cards[key]), lease_until=0))

        await self.database.write(work)


def _lags(tx: MemoryTx, card: CardRow, clock: int) -> bool:
    return card.shown < card.wanted and card.not_before <= clock and card.lease_until <= tx.now


def _facts(tx: MemoryTx, approval_id: str) -> ApprovalFacts | None:
    row = tx.tables.approvals.get(approval_id)
    if row is None:
        return None
    plan = sorted((row.asked_seq, key) for key, row in tx.tables.approvals.items() if row.plan == approval_id)
    mates = tuple(_alone(tx, key) for _, key in plan)
    return replace(_alone(tx, approval_id), mates=mates)


def _alone(tx: MemoryTx, approval_id: str) -> ApprovalFacts:
    row = tx.tables.approvals[approval_id]
    events = (entry.event for entry in tx.tables.entries(row.thread_id, row.asked_seq - 1))
    record = recorded(each for each in events if getattr(each, "approval_id", "") == approval_id)
    assert record is not None
    return ApprovalFacts(approval_id, row.thread_id, record)
