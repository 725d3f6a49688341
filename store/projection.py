"""What an event changes in the look-up tables, in the transaction that appends it.

The tables are indexes of facts: dropping them and projecting the log again gives them back (card receipts excepted:
those are found again by the marks that the messages carry).
"""

from collections.abc import Iterable

from sqlalchemy import text

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
from store.database import Tx

_OPEN = text(
    "INSERT INTO approval (id, thread_id, about, status, asked_seq, expires_at, version, plan) "
    "VALUES (:id, :thread_id, :about, 'open', :seq, :expires_at, 0, :plan)"
)
_CARD = text(
    "INSERT INTO card (approval_id, address_key, address, wanted, shown, receipt, tried, attempts, not_before, "
    "lease_until) SELECT COALESCE(plan, id), :key, :address, 1, 0, '', :tried, 0, 0, 0 FROM approval "
    "WHERE id = :approval_id ON CONFLICT DO NOTHING"
)
_SETTLE = text(
    "UPDATE approval SET status = :status, decided_seq = :seq "
    "WHERE id = :id AND status = 'open' AND (version = :version OR :version IS NULL)"
)
_VOTE = text(
    "UPDATE approval SET version = version + 1, noted_seq = :seq "
    "WHERE id = :id AND status = 'open' AND version = :version"
)
_NOTE = text("UPDATE approval SET noted_seq = :seq WHERE id = :id")
_REMARK = text("UPDATE approval SET noted_seq = :seq WHERE id = :id AND status = 'open'")
_IS_OPEN = text("SELECT status = 'open' FROM approval WHERE id = :id")
_OUTCOME = text("UPDATE approval SET outcome_seq = :seq WHERE id = :id")
_CARD_OF = "(SELECT COALESCE(plan, id) FROM approval WHERE id = :id)"
"""The approval whose cards show it."""
_BUMP = text(
    "UPDATE card SET wanted = wanted + 1, attempts = 0, not_before = 0 "
    f"WHERE approval_id = {_CARD_OF} AND address_key NOT LIKE '% remind:%'"
)
_SAY = text(
    "INSERT INTO say (person, approval_id, at) VALUES (:person, :approval_id, :at) "
    "ON CONFLICT (person, approval_id) DO UPDATE SET at = excluded.at"
)
_GRANT = text(
    "INSERT INTO grants (id, tool, thread_id, given_by, seq, until, uses, used) "
    "VALUES (:id, :tool, :thread_id, :given_by, :seq, :until, :uses, 0)"
)
_USE = text(
    "UPDATE grants SET used = used + 1 "
    "WHERE id = :id AND revoked_seq IS NULL AND until > :at AND (uses IS NULL OR used < uses)"
)
_REVOKE = text("UPDATE grants SET revoked_seq = :seq WHERE id = :id AND revoked_seq IS NULL")
_REMIND = text(
    "INSERT INTO card (approval_id, address_key, address, wanted, shown, receipt, tried, attempts, not_before, "
    "lease_until) SELECT approval_id, address_key || :suffix, address, 1, 0, '', :tried, 0, 0, 0 FROM card "
    f"WHERE approval_id = {_CARD_OF} AND address_key NOT LIKE '% remind:%' ON CONFLICT DO NOTHING"
)
_LANDMARK = text("INSERT INTO landmark (key, thread_id) VALUES (:key, :thread_id) ON CONFLICT DO NOTHING")


def project(tx: Tx, thread_id: str, events: Iterable[tuple[int, Event]]) -> bool:
    """Bring the tables in line with these events of one thread, given with their places. True when a card has changed.

    Raises AlreadySettled when one of them is a say on an approval that is no longer open, and Conflict when others had
    their say meanwhile, or it uses a grant that is used up.
    """
    cards_changed = False
    for seq, event in events:
        match event:
            case MessageReceived(mail=mail) if mail is not None:
                _landmarks(tx, thread_id, [mail.message_id])
            case ReplySent(receipts=receipts):
                _landmarks(tx, thread_id, [each for each in receipts if each.startswith("<")])
            case GrantUsed() | GrantRevoked():
                _change_grant(tx, seq, event)
            case DecisionRefused(approval_id=approval_id):
                tx.connection.execute(_NOTE, {"id": approval_id, "seq": seq})
            case _:
                cards_changed |= _project_shown(tx, thread_id, seq, event)
    return cards_changed


def _project_shown(tx: Tx, thread_id: str, seq: int, event: Event) -> bool:
    """What a card tells of. True when it is something of that kind."""
    match event:
        case ApprovalRequested():
            _open(tx, thread_id, seq, event)
        case ApprovalDecided():
            _settle(tx, seq, event)
        case ApprovalVoted() | ApprovalAmended() | ApprovalRemarked():
            _while_open(tx, seq, event)
        case ApprovalEscalated() | RemarkAnswered():
            _note(tx, seq, event.approval_id, event.shown_on if isinstance(event, ApprovalEscalated) else ())
        case GrantGiven():
            _grant(tx, thread_id, seq, event)
        case ToolReturned(approval_id=approval_id) | ToolFailed(approval_id=approval_id) if approval_id:
            tx.connection.execute(_OUTCOME, {"id": approval_id, "seq": seq})
            tx.connection.execute(_BUMP, {"id": approval_id})
        case TimerFired(timer=timer) if timer.startswith("remind:"):
            _remind(tx, timer)
        case _:
            return False
    return True


def _grant(tx: Tx, thread_id: str, seq: int, event: GrantGiven) -> None:
    grant, given_by = event.grant, event.by.person
    values = {"id": grant.id, "tool": grant.tool, "thread_id": thread_id, "given_by": given_by, "seq": seq}
    tx.connection.execute(_GRANT, {**values, "until": micros(grant.until), "uses": grant.uses})
    _note(tx, seq, event.approval_id)


def _change_grant(tx: Tx, seq: int, event: GrantUsed | GrantRevoked) -> None:
    if isinstance(event, GrantUsed):
        done = tx.connection.execute(_USE, {"id": event.grant_id, "at": micros(event.at)})
    else:
        done = tx.connection.execute(_REVOKE, {"id": event.grant_id, "seq": seq})
    if done.rowcount != 1:
        raise Conflict


def _note(tx: Tx, seq: int, approval_id: str, also_on: Iterable[Destination] = ()) -> None:
    tx.connection.execute(_NOTE, {"id": approval_id, "seq": seq})
    _show(tx, approval_id, also_on)
    tx.connection.execute(_BUMP, {"id": approval_id})


def _while_open(tx: Tx, seq: int, event: ApprovalVoted | ApprovalAmended | ApprovalRemarked) -> None:
    """A vote and a change, on what was seen; a question, at any time."""
    values: dict[str, str | int] = {"id": event.approval_id, "seq": seq}
    if isinstance(event, ApprovalRemarked):
        taken = tx.connection.execute(_REMARK, values)
    else:
        taken = tx.connection.execute(_VOTE, {**values, "version": event.version})
    if taken.rowcount != 1:
        raise _why_not(tx, event.approval_id)
    if not isinstance(event, ApprovalRemarked):
        _say(tx, event)
    _show(tx, event.approval_id, event.shown_on if isinstance(event, ApprovalAmended) else ())
    tx.connection.execute(_BUMP, {"id": event.approval_id})


def _say(tx: Tx, event: ApprovalVoted | ApprovalAmended | ApprovalDecided) -> None:
    """Whose it was. Nobody's list has what time, a cancellation or somebody whom people.yaml does not know decided."""
    if event.by and event.by.person:
        values = {"person": event.by.person, "approval_id": event.approval_id, "at": micros(event.at)}
        tx.connection.execute(_SAY, values)


def _why_not(tx: Tx, approval_id: str) -> AlreadySettled | Conflict:
    is_open = tx.connection.execute(_IS_OPEN, {"id": approval_id}).scalar_one_or_none()
    return Conflict() if is_open else AlreadySettled()


def _open(tx: Tx, thread_id: str, seq: int, event: ApprovalRequested) -> None:
    values = {"id": event.approval_id, "thread_id": thread_id, "about": event.about, "seq": seq}
    tx.connection.execute(_OPEN, {**values, "expires_at": micros(event.expires_at), "plan": event.plan or None})
    _show(tx, event.approval_id, event.shown_on)
    if event.plan:
        tx.connection.execute(_BUMP, {"id": event.approval_id})


def _show(tx: Tx, approval_id: str, places: Iterable[Destination]) -> None:
    """A card at each of these places, unless there is one: its own, or that of the plan that it is part of."""
    rows = [
        {"approval_id": approval_id, "key": each.key, "address": each.model_dump_json(), "tried": False}
        for each in places
    ]
    if rows:
        tx.connection.execute(_CARD, rows)


def _settle(tx: Tx, seq: int, event: ApprovalDecided) -> None:
    version = event.version if event.by else None  # time, and whoever stops the work, need not have seen the latest
    values = {"id": event.approval_id, "status": event.decision.outcome, "seq": seq, "version": version}
    if tx.connection.execute(_SETTLE, values).rowcount != 1:
        raise _why_not(tx, event.approval_id)
    _say(tx, event)
    tx.connection.execute(_BUMP, {"id": event.approval_id})


def _remind(tx: Tx, timer: str) -> None:
    """A reminder is a card of its own at each place, shown once; and the card itself is shown again if it was lost."""
    _, approval_id, number = timer.split(":")
    tx.connection.execute(_REMIND, {"id": approval_id, "suffix": reminder_suffix(int(number)), "tried": False})
    tx.connection.execute(_BUMP, {"id": approval_id})


def reminder_suffix(number: int) -> str:
    """What stands behind the key of an address, for a reminder there. No address has a space."""
    return f" remind:{number}"


def _landmarks(tx: Tx, thread_id: str, message_ids: list[str]) -> None:
    if message_ids:
        tx.connection.execute(_LANDMARK, [{"key": each, "thread_id": thread_id} for each in message_ids])
