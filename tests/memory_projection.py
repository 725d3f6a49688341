"""What an event changes in the look-up tables of the store in memory: what `store.projection` promises."""

from collections.abc import Iterable
from dataclasses import replace

from agent.conversation import Destination
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
from store.codec import micros
from tests.memory_tables import ApprovalRow, CardRow, GrantRow, MemoryTx


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


def _show(tx: MemoryTx, approval_id: str, places: Iterable[Destination]) -> None:
    approval_id = _card_of(tx, approval_id)
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
    if isinstance(event, ApprovalRemarked):
        _open_row(tx, event.approval_id, None)
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
    approval_id = _card_of(tx, approval_id)
    for key, card in list(tx.tables.cards.items()):
        if key == (approval_id, card.address.key):
            tx.put(tx.tables.cards, key, replace(card, wanted=card.wanted + 1, attempts=0, not_before=0))


def _card_of(tx: MemoryTx, approval_id: str) -> str:
    row = tx.tables.approvals.get(approval_id)
    return (row.plan or approval_id) if row else approval_id


def _remind(tx: MemoryTx, approval_id: str, number: str) -> None:
    card_of = _card_of(tx, approval_id)
    for key, card in list(tx.tables.cards.items()):
        reminder = (card_of, f"{key[1]} remind:{number}")
        if key == (card_of, card.address.key) and reminder not in tx.tables.cards:
            tx.put(tx.tables.cards, reminder, CardRow(card.address))
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
