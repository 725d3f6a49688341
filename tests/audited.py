"""A database with a history that auditors ask about: a refund that was approved, one that was rejected, a mail."""

from datetime import datetime, timedelta

from agent.conversation import Identity, MailHeaders, MailThread, SlackThread, SlackUser
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    ModelResponded,
    ReplySent,
    ThreadCancelled,
    ToolReturned,
    ToolStarted,
)
from agent.verdict import Approved, Decider, Rejected
from store.mails import Mails
from store.threads import Threads
from tests.builders import ADA, AT, DANA, LEADS, a_call, a_message

PLACE = SlackThread(team="T0", channel="C0", thread_ts="1700000000.000100")
GRACE = Identity(channel="mail", id="grace@customers.example", name="Grace Hopper")
LETTER = "<letter-1@customers.example>"
RAW = f"Message-ID: {LETTER}\r\nFrom: grace@customers.example\r\n\r\nHello".encode()
SECRET = "My card is 4111"


def asked(name: str, call_id: str, at: datetime) -> ApprovalRequested:
    """People are asked about a refund."""
    return ApprovalRequested(
        at=at,
        approval_id=name,
        about="call",
        call_id=call_id,
        tool="refund",
        arguments={"order_id": SECRET, "amount": 20.0},
        digest="d1",
        title=f"Refund: {SECRET}",
        why="It moves money.",
        rule="money",
        preview=SECRET,
        requester=ADA,
        approvers=LEADS,
        expires_at=at + timedelta(days=1),
        shown_on=(SlackUser(team="T0", user="U0DANA", person="dana"),),
    )


def story(at: datetime = AT) -> list[Event]:
    """What follows on Ada's message."""
    dana = Decider(person="dana", identity=DANA, via="slack")
    refund = a_call("refund", "c1", order_id=SECRET, amount=20.0)
    again = a_call("refund", "c2", order_id=SECRET, amount=20.0)
    return [
        ModelResponded(at=at, seen=1, text=SECRET, calls=(refund,), stop="calls", items=({"said": SECRET},)),
        asked("apr_1", "c1", at),
        ApprovalDecided(at=at, approval_id="apr_1", decision=Approved(digest="d1"), by=dana),
        ToolStarted(at=at, call_id="c1", tool="refund", digest="d1", rule="approved by dana"),
        ToolReturned(at=at, call_id="c1", approval_id="apr_1", result={"refunded": SECRET}),
        ModelResponded(at=at, seen=6, text=SECRET, calls=(again,), stop="calls"),
        asked("apr_2", "c2", at),
        ApprovalDecided(at=at, approval_id="apr_2", decision=Rejected(reason="=cmd|' /C calc'!A0"), by=dana),
        ModelResponded(at=at, seen=9, text=SECRET),
        ReplySent(at=at, reply_id="r10", receipts=("1700000000.000200",)),
    ]


async def done(threads: Threads, name: str) -> None:
    """A worker finds nothing left to do; cards are shown."""
    held = await threads.claim(name)
    assert held is not None
    log = await held.load()
    await held.release([], len(log), None)


async def tell(threads: Threads, at: datetime = AT) -> None:
    """thr_a: two refunds. thr_b: a mail, cancelled."""
    await threads.take_in(PLACE, a_message(SECRET, at=at), keys=["slack:1"], new_id="thr_a", agent="support")
    await threads.inform("thr_a", story(at))
    await Mails(threads.database, threads.clock).keep(RAW, "raw", ["agent@us.example"])
    letter = a_message(SECRET, at=at, sender=GRACE, mail=MailHeaders(message_id=LETTER, subject=SECRET))
    place = MailThread(mailbox="agent@us.example", root=f"{LETTER} {GRACE.id}")
    await threads.take_in(place, letter, keys=[f"mail:{GRACE.id}:{LETTER}"], new_id="thr_b", agent="support")
    await threads.inform("thr_b", [ThreadCancelled(at=at, by=ADA, reason="Not ours")])
    for each in ("thr_a", "thr_b"):
        await done(threads, each)
