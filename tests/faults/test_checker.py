"""The checker itself: a sound run passes, and each way to break one is named."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.conversation import Identity
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    MessageReceived,
    ModelResponded,
    ReplySent,
    ToolCall,
    ToolReturned,
    ToolStarted,
)
from agent.thread import IT_HAPPENED, RUN_AGAIN
from agent.verdict import Answered, ApprovalKind, Approved, Approvers, Decider, Decision, Expired, Rejected
from store.codec import chained, genesis
from tests.faults import checker
from tests.faults.evidence import Effect, Evidence, Link, Post, Thread
from tests.faults.record import Mail

AT = datetime(2026, 1, 1, tzinfo=UTC)
ADA = Identity(channel="slack", id="U0ADA")
SAID = MessageReceived(at=AT, delivery_id="d1", sender=ADA, text="do q1q")
ANSWERED = ModelResponded(at=AT, seen=1, calls=(ToolCall(id="c1", provider_id="p1", name="charge"),))
STARTED = ToolStarted(at=AT, call_id="c1", tool="charge", digest="abc", rule="approval a1")
RETURNED = ToolReturned(at=AT, call_id="c1", result="done")
SENT = ReplySent(at=AT, reply_id="r7", receipts=("T:C:9",))
EFFECT = Effect("t1.c1", "charge", "q1q-0", 10, 20)
POST = Post("C", "9.0", "t1.r7", 0, "q1q")


def asked(approval_id: str = "a1", about: ApprovalKind = "call") -> ApprovalRequested:
    """People are asked about the call."""
    return ApprovalRequested(
        at=AT,
        approval_id=approval_id,
        about=about,
        call_id="c1",
        tool="charge",
        digest="abc",
        title="Charge",
        why="money",
        rule="charges",
        approvers=Approvers(roles=("lead",)),
        expires_at=AT,
    )


def decided(decision: Decision, person: str = "dana", approval_id: str = "a1") -> ApprovalDecided:
    """Somebody decided."""
    by = Decider(person=person, identity=ADA, via="slack")
    return ApprovalDecided(at=AT, approval_id=approval_id, decision=decision, by=by)


YES = decided(Approved(digest="abc"))
ADAS_YES = decided(Approved(digest="abc"), "ada")
WHOLE = (SAID, ANSWERED, asked(), YES, STARTED, RETURNED, SENT)


def thread(events: Sequence[Event]) -> Thread:
    """A thread with that log."""
    links = chained(events, 0, genesis("t1"))
    rows = tuple(
        Link(link.seq, link.kind, link.at, link.digest, link.hash, link.body, event)
        for link, event in zip(links, events, strict=True)
    )
    return Thread("t1", len(rows), len(rows), rows[-1].hash, "active", rows)


def run(*events: Event, **changes: object) -> Evidence:
    """What a run left that went well, but for the changes."""
    sound = Evidence((thread(events or WHOLE),), (EFFECT,), (POST,), (), frozenset({"q1q"}))
    return replace(sound, **changes)  # type: ignore[arg-type]  # names are those of Evidence


def test_a_sound_run_passes() -> None:
    assert checker.judge(run()) == {}


DOUBT = (SAID, ANSWERED, asked(), YES, STARTED, asked("a2", "in_doubt"))
HAPPENED = decided(Answered(text=IT_HAPPENED), approval_id="a2")
CARD = replace(POST, key="card:a1", mark="")
LATE_MAIL = Mail("dana@x", "<2>", "apr_1", "Approval wanted: Charge", "")


@pytest.mark.parametrize(
    "evidence, broken",
    [
        (run(acknowledged=frozenset({"q1q", "q2q"})), "messages_lost"),
        (run(*WHOLE, SAID), "messages_taken_twice"),
        (run(threads=(replace(thread(WHOLE), last_seq=8, done_seq=8),)), "gaps"),
        (run(threads=(replace(thread(WHOLE), head=b"x"),)), "broken_chains"),
        (run(SAID, ANSWERED, STARTED, RETURNED, SENT), "unapproved_starts"),
        (run(SAID, ANSWERED, asked(), decided(Approved(digest="xyz")), STARTED, RETURNED, SENT), "unapproved_starts"),
        (run(SAID, ANSWERED, asked(), ADAS_YES, STARTED, RETURNED, SENT), "unapproved_starts"),
        (run(SAID, ANSWERED, asked(), STARTED, YES, RETURNED, SENT), "unapproved_starts"),
        (run(effects=(EFFECT, replace(EFFECT, key="t1.c9"))), "unapproved_starts"),
        (run(effects=(EFFECT, EFFECT)), "doubled_effects"),
        (run(*DOUBT, HAPPENED, SENT, effects=(EFFECT, EFFECT)), "doubled_effects"),
        (run(SAID, ANSWERED, asked(), YES, STARTED, SENT), "doubts_unasked"),
        (run(SAID, ANSWERED, asked(), decided(Rejected()), SENT), "effects_of_refused_calls"),
        (run(SAID, ANSWERED, asked(), decided(Expired()), SENT), "effects_of_refused_calls"),
        (run(posts=(POST, replace(POST, ts="10.0"))), "doubled_messages"),
        (run(posts=(POST, replace(CARD, ts="10.0"), replace(CARD, ts="11.0"))), "doubled_messages"),
        (run(mails=(replace(LATE_MAIL, message_id="<1>"), LATE_MAIL)), "doubled_messages"),
        (run(posts=()), "unsent_replies"),
        (run(posts=(POST, replace(POST, key="t1.r9", mark=""))), "unsent_replies"),
        (run(posts=(replace(POST, ts="9.5"), replace(POST, key="t1.r9", mark=""))), "unordered_replies"),
        (run(open_approvals=1), "restless"),
        (run(cards_behind=1), "restless"),
        (run(threads=(replace(thread(WHOLE), done_seq=3),)), "restless"),
        (run(threads=(replace(thread(WHOLE), status="stalled"),)), "restless"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named(evidence: Evidence, broken: str) -> None:
    assert broken in checker.judge(evidence)


def test_two_effects_of_different_answers_must_not_overlap() -> None:
    second = ModelResponded(at=AT, seen=6, calls=(ToolCall(id="c2", provider_id="p2", name="jot"),))
    jotted = ToolStarted(at=AT, call_id="c2", tool="jot", digest="d", rule="notes")
    done = ToolReturned(at=AT, call_id="c2", result="done")
    late = Effect("t1.c2", "jot", "q1q-1", 15, 25)
    evidence = run(*WHOLE, second, jotted, done, effects=(EFFECT, late))

    assert "overlapping_effects" in checker.judge(evidence)
    assert checker.judge(replace(evidence, effects=(EFFECT, replace(late, start=21)))) == {}
    assert checker.judge(replace(evidence, has_frozen=True)) == {}


def test_a_call_may_run_again_when_somebody_said_so() -> None:
    again = (*DOUBT, decided(Answered(text=RUN_AGAIN), approval_id="a2"), STARTED, RETURNED, SENT)

    assert checker.judge(run(*again, effects=(EFFECT, EFFECT))) == {}
    assert "doubled_effects" in checker.judge(run(*again, effects=(EFFECT, EFFECT, EFFECT)))
    assert checker.in_doubt(run(*again)) == (1, 1)
