"""The look-up tables of the store in memory: what `store.projection` and `store.approvals` promise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from agent.errors import AlreadySettled
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    MessageReceived,
    ReplySent,
    TimerFired,
    ToolFailed,
    ToolReturned,
)
from agent.ports import Clock
from store.approvals import ApprovalFacts, DueCard
from store.codec import micros
from tests.memory_tables import ApprovalRow, CardRow, MemoryDatabase, MemoryTx


def project(tx: MemoryTx, thread_id: str, seq: int, event: Event) -> bool:
    """Bring the tables in line with this event. True when a card has changed. Raises AlreadySettled."""
    match event:
        case ApprovalRequested():
            _open(tx, thread_id, seq, event)
        case ApprovalDecided():
            _settle(tx, seq, event)
        case ToolReturned(approval_id=approval_id) | ToolFailed(approval_id=approval_id) if approval_id:
            _outcome(tx, seq, approval_id)
        case TimerFired(timer=timer) if timer.startswith("remind:"):
            _remind(tx, *timer.split(":")[1:])
        case MessageReceived(mail=mail) if mail is not None:
            _landmarks(tx, thread_id, [mail.message_id])
            return False
        case ReplySent(receipts=receipts):
            _landmarks(tx, thread_id, [each for each in receipts if each.startswith("<")])
            return False
        case _:
            return False
    return True


def _open(tx: MemoryTx, thread_id: str, seq: int, event: ApprovalRequested) -> None:
    assert event.approval_id not in tx.tables.approvals, "an approval would be overwritten"
    row = ApprovalRow(thread_id, "open", seq, micros(event.expires_at))
    tx.put(tx.tables.approvals, event.approval_id, row)
    for address in event.shown_on:
        tx.put(tx.tables.cards, (event.approval_id, address.key), CardRow(address))


def _bump(tx: MemoryTx, approval_id: str) -> None:
    for key, card in list(tx.tables.cards.items()):
        if key == (approval_id, card.address.key):
            tx.put(tx.tables.cards, key, replace(card, wanted=card.wanted + 1, attempts=0, not_before=0))


def _remind(tx: MemoryTx, approval_id: str, number: str) -> None:
    for key, card in list(tx.tables.cards.items()):
        if key == (approval_id, card.address.key):
            tx.put(tx.tables.cards, (approval_id, f"{key[1]} remind:{number}"), CardRow(card.address))
    _bump(tx, approval_id)


def _settle(tx: MemoryTx, seq: int, event: ApprovalDecided) -> None:
    row = tx.tables.approvals.get(event.approval_id)
    if row is None or row.status != "open":
        raise AlreadySettled
    settled = replace(row, status=event.decision.outcome, decided_seq=seq)
    tx.put(tx.tables.approvals, event.approval_id, settled)
    _bump(tx, event.approval_id)


def _outcome(tx: MemoryTx, seq: int, approval_id: str) -> None:
    if (row := tx.tables.approvals.get(approval_id)) is not None:
        tx.put(tx.tables.approvals, approval_id, replace(row, outcome_seq=seq))
    _bump(tx, approval_id)


def _landmarks(tx: MemoryTx, thread_id: str, message_ids: list[str]) -> None:
    for each in message_ids:
        if each not in tx.tables.landmarks:
            tx.put(tx.tables.landmarks, each, thread_id)


class MemoryApprovals:
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

    async def due_cards(self, limit: int = 50) -> list[tuple[str, str]]:
        """Cards that lag behind."""
        clock = micros(self.clock.now())

        def work(tx: MemoryTx) -> list[tuple[str, str]]:
            found = [
                (card.not_before, row.thread_id, row.asked_seq, key[1], key)
                for key, card in tx.tables.cards.items()
                if _lags(tx, card, clock) and (row := tx.tables.approvals[key[0]])
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
    log = tx.tables.events
    request = log[row.thread_id, row.asked_seq][1]
    assert isinstance(request, ApprovalRequested)
    decided = log[row.thread_id, row.decided_seq][1] if row.decided_seq else None
    outcome = log[row.thread_id, row.outcome_seq][1] if row.outcome_seq else None
    assert decided is None or isinstance(decided, ApprovalDecided)
    assert outcome is None or isinstance(outcome, ToolReturned | ToolFailed)
    return ApprovalFacts(row.thread_id, request, decided, outcome)
