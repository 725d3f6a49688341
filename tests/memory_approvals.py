"""The look-up tables of the store in memory: what `store.projection` and `store.approvals` promise."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from agent.approval import recorded
from agent.conversation import MailAddress, SlackThread, SlackUser
from agent.errors import AlreadySettled, Conflict
from agent.events import (
    ApprovalAmended,
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRemarked,
    ApprovalRequested,
    ApprovalVoted,
    DecisionRefused,
    Event,
    GrantGiven,
    GrantRevoked,
    GrantUsed,
    MessageReceived,
    RemarkAnswered,
    ReplySent,
    TimerFired,
    ToolFailed,
    ToolReturned,
)
from agent.ports import Clock
from store.approvals import ApprovalFacts, DueCard
from store.codec import micros
from tests.memory_grants import MemoryGrants
from tests.memory_tables import ApprovalRow, CardRow, GrantRow, MemoryDatabase, MemoryTx


def project(tx: MemoryTx, thread_id: str, seq: int, event: Event) -> bool:
    """Bring the tables in line with this event. True when a card has changed. Raises AlreadySettled."""
    match event:
        case MessageReceived(mail=mail) if mail is not None:
            _landmarks(tx, thread_id, [mail.message_id])
        case ReplySent(receipts=receipts):
            _landmarks(tx, thread_id, [each for each in receipts if each.startswith("<")])
        case GrantUsed() | GrantRevoked():
            _change_grant(tx, seq, event)
        case DecisionRefused(approval_id=approval_id):
            _noted(tx, seq, approval_id)
        case _:
            return _project_shown(tx, thread_id, seq, event)
    return False


def _project_shown(tx: MemoryTx, thread_id: str, seq: int, event: Event) -> bool:
    match event:
        case ApprovalRequested():
            _open(tx, thread_id, seq, event)
        case ApprovalDecided():
            _settle(tx, seq, event)
        case ApprovalVoted() | ApprovalAmended():
            _vote(tx, seq, event)
        case ApprovalEscalated() | ApprovalRemarked() | RemarkAnswered() | GrantGiven():
            _note(tx, thread_id, seq, event)
        case ToolReturned(approval_id=approval_id) | ToolFailed(approval_id=approval_id) if approval_id:
            _outcome(tx, seq, approval_id)
        case TimerFired(timer=timer) if timer.startswith("remind:"):
            _remind(tx, *timer.split(":")[1:])
        case _:
            return False
    return True


def _open(tx: MemoryTx, thread_id: str, seq: int, event: ApprovalRequested) -> None:
    assert event.approval_id not in tx.tables.approvals, "an approval would be overwritten"
    row = ApprovalRow(thread_id, "open", seq, micros(event.expires_at), plan=event.plan or None)
    tx.put(tx.tables.approvals, event.approval_id, row)
    _show(tx, event.approval_id, event.shown_on)
    if event.plan:
        _bump(tx, event.approval_id)


def _show(tx: MemoryTx, approval_id: str, places: Iterable[SlackThread | SlackUser | MailAddress]) -> None:
    for address in places:
        if (approval_id, address.key) not in tx.tables.cards:
            tx.put(tx.tables.cards, (approval_id, address.key), CardRow(address))


def _vote(tx: MemoryTx, seq: int, event: ApprovalVoted | ApprovalAmended) -> None:
    row = _open_row(tx, event.approval_id, event.version)
    tx.put(tx.tables.approvals, event.approval_id, replace(row, version=row.version + 1, noted_seq=seq))
    _say(tx, event)
    _show(tx, event.approval_id, event.shown_on if isinstance(event, ApprovalAmended) else ())
    _bump(tx, event.approval_id)


def _say(tx: MemoryTx, event: ApprovalVoted | ApprovalAmended | ApprovalDecided) -> None:
    if event.by and event.by.person:
        tx.put(tx.tables.says, (event.by.person, event.approval_id), micros(event.at))


def _open_row(tx: MemoryTx, approval_id: str, version: int | None) -> ApprovalRow:
    row = tx.tables.approvals.get(approval_id)
    if row is None or row.status != "open":
        raise AlreadySettled
    if version not in {None, row.version}:
        raise Conflict
    return row


def _note(
    tx: MemoryTx, thread_id: str, seq: int, event: ApprovalEscalated | ApprovalRemarked | RemarkAnswered | GrantGiven
) -> None:
    if isinstance(event, GrantGiven):
        grant = event.grant
        row = GrantRow(grant.tool, thread_id, event.by.person, seq, micros(grant.until), grant.uses)
        tx.put(tx.tables.grants, grant.id, row)
    _noted(tx, seq, event.approval_id)
    _show(tx, event.approval_id, event.shown_on if isinstance(event, ApprovalEscalated) else ())
    _bump(tx, event.approval_id)


def _noted(tx: MemoryTx, seq: int, approval_id: str) -> None:
    if (row := tx.tables.approvals.get(approval_id)) is not None:
        tx.put(tx.tables.approvals, approval_id, replace(row, noted_seq=seq))


def _change_grant(tx: MemoryTx, seq: int, event: GrantUsed | GrantRevoked) -> None:
    row = tx.tables.grants.get(event.grant_id)
    if row is None or row.revoked_seq is not None:
        raise Conflict
    if isinstance(event, GrantRevoked):
        tx.put(tx.tables.grants, event.grant_id, replace(row, revoked_seq=seq))
        return
    if row.until <= micros(event.at) or (row.uses is not None and row.used >= row.uses):
        raise Conflict
    tx.put(tx.tables.grants, event.grant_id, replace(row, used=row.used + 1))


def _bump(tx: MemoryTx, approval_id: str) -> None:
    row = tx.tables.approvals.get(approval_id)
    approval_id = (row.plan or approval_id) if row else approval_id
    for key, card in list(tx.tables.cards.items()):
        if key == (approval_id, card.address.key):
            tx.put(tx.tables.cards, key, replace(card, wanted=card.wanted + 1, attempts=0, not_before=0))


def _remind(tx: MemoryTx, approval_id: str, number: str) -> None:
    for key, card in list(tx.tables.cards.items()):
        if key == (approval_id, card.address.key):
            tx.put(tx.tables.cards, (approval_id, f"{key[1]} remind:{number}"), CardRow(card.address))
    _bump(tx, approval_id)


def _settle(tx: MemoryTx, seq: int, event: ApprovalDecided) -> None:
    row = _open_row(tx, event.approval_id, event.version if event.by else None)
    settled = replace(row, status=event.decision.outcome, decided_seq=seq)
    tx.put(tx.tables.approvals, event.approval_id, settled)
    _say(tx, event)
    _bump(tx, event.approval_id)


def _outcome(tx: MemoryTx, seq: int, approval_id: str) -> None:
    if (row := tx.tables.approvals.get(approval_id)) is not None:
        tx.put(tx.tables.approvals, approval_id, replace(row, outcome_seq=seq))
    _bump(tx, approval_id)


def _landmarks(tx: MemoryTx, thread_id: str, message_ids: list[str]) -> None:
    for each in message_ids:
        if each not in tx.tables.landmarks:
            tx.put(tx.tables.landmarks, each, thread_id)


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
    plan = sorted((row.asked_seq, key) for key, row in tx.tables.approvals.items() if row.plan == approval_id)
    mates = tuple(_alone(tx, key) for _, key in plan)
    return replace(_alone(tx, approval_id), mates=mates)


def _alone(tx: MemoryTx, approval_id: str) -> ApprovalFacts:
    row = tx.tables.approvals[approval_id]
    events = (entry.event for entry in tx.tables.entries(row.thread_id, row.asked_seq - 1))
    record = recorded(each for each in events if getattr(each, "approval_id", "") == approval_id)
    assert record is not None
    return ApprovalFacts(approval_id, row.thread_id, record)
