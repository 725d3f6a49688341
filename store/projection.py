"""What an event changes in the look-up tables, in the transaction that appends it.

The tables are indexes of facts: dropping them and projecting the log again gives them back (card receipts excepted:
those are found again by the marks that the messages carry).
"""

from collections.abc import Iterable

from sqlalchemy import text

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
from store.codec import micros
from store.database import Tx

_OPEN = text(
    "INSERT INTO approval (id, thread_id, about, status, asked_seq, expires_at) "
    "VALUES (:id, :thread_id, :about, 'open', :seq, :expires_at)"
)
_CARD = text(
    "INSERT INTO card (approval_id, address_key, address, wanted, shown, receipt, tried, attempts, not_before, "
    "lease_until) VALUES (:approval_id, :key, :address, 1, 0, '', :tried, 0, 0, 0)"
)
_SETTLE = text("UPDATE approval SET status = :status, decided_seq = :seq WHERE id = :id AND status = 'open'")
_OUTCOME = text("UPDATE approval SET outcome_seq = :seq WHERE id = :id")
_BUMP = text(
    "UPDATE card SET wanted = wanted + 1, attempts = 0, not_before = 0 "
    "WHERE approval_id = :id AND address_key NOT LIKE '% remind:%'"
)
_REMIND = text(
    "INSERT INTO card (approval_id, address_key, address, wanted, shown, receipt, tried, attempts, not_before, "
    "lease_until) SELECT approval_id, address_key || :suffix, address, 1, 0, '', :tried, 0, 0, 0 FROM card "
    "WHERE approval_id = :id AND address_key NOT LIKE '% remind:%'"
)
_LANDMARK = text("INSERT INTO landmark (key, thread_id) VALUES (:key, :thread_id) ON CONFLICT DO NOTHING")


def project(tx: Tx, thread_id: str, events: Iterable[tuple[int, Event]]) -> bool:
    """Bring the tables in line with these events of one thread, given with their places. True when a card has changed.

    Raises AlreadySettled when one of them decides an approval that is no longer open.
    """
    cards_changed = False
    for seq, event in events:
        match event:
            case ApprovalRequested():
                _open(tx, thread_id, seq, event)
            case ApprovalDecided():
                _settle(tx, seq, event)
            case ToolReturned(approval_id=approval_id) | ToolFailed(approval_id=approval_id) if approval_id:
                tx.connection.execute(_OUTCOME, {"id": approval_id, "seq": seq})
                tx.connection.execute(_BUMP, {"id": approval_id})
            case MessageReceived(mail=mail) if mail is not None:
                _landmarks(tx, thread_id, [mail.message_id])
                continue
            case ReplySent(receipts=receipts):
                _landmarks(tx, thread_id, [each for each in receipts if each.startswith("<")])
                continue
            case TimerFired(timer=timer) if timer.startswith("remind:"):
                _remind(tx, timer)
            case _:
                continue
        cards_changed = True
    return cards_changed


def _open(tx: Tx, thread_id: str, seq: int, event: ApprovalRequested) -> None:
    values = {"id": event.approval_id, "thread_id": thread_id, "about": event.about, "seq": seq}
    tx.connection.execute(_OPEN, {**values, "expires_at": micros(event.expires_at)})
    if event.shown_on:
        tx.connection.execute(
            _CARD,
            [
                {"approval_id": event.approval_id, "key": a.key, "address": a.model_dump_json(), "tried": False}
                for a in event.shown_on
            ],
        )


def _settle(tx: Tx, seq: int, event: ApprovalDecided) -> None:
    values = {"id": event.approval_id, "status": event.decision.outcome, "seq": seq}
    done = tx.connection.execute(_SETTLE, values)
    if done.rowcount != 1:
        raise AlreadySettled
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
