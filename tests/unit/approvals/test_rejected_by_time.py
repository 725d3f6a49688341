"""Where a rule takes time for a no, nobody is said to have said it, and it is not called expired: on every surface."""

from datetime import timedelta

import pytest

from agent.context import turns
from agent.entries import Entry
from agent.events import ApprovalDecided, ApprovalRequested, ModelResponded
from agent.ports import ResultTurn
from agent.state import ThreadState
from agent.thread import fold
from agent.timing import TIMED_OUT, due
from agent.verdict import Approvers, Expired, OnTimeout, Rejected
from approvals.attempt import settled_text
from bot import approval_texts
from bot.mail import approval_mail
from bot.pages.words import stands
from bot.slack.blocks import text_of
from bot.slack.plans import status_of
from tests.builders import AT, a_call, a_message, a_thread
from tests.unit.slack.cards import ASKED, a_card

ENDS = AT + timedelta(hours=1)
LATE = a_card(status="rejected", decided_at=ASKED, reason=TIMED_OUT)
NOT_IN_TIME = "nobody decided"


def waiting(on_timeout: OnTimeout) -> ThreadState:
    call = a_call("refund", order_id="1", amount=1.0)
    asked = ApprovalRequested(
        at=AT,
        approval_id="apr_1",
        about="call",
        call_id=call.id,
        tool=call.name,
        title="Refund",
        why="why",
        rule="r",
        approvers=Approvers(roles=("lead",)),
        expires_at=ENDS,
        on_timeout=on_timeout,
    )
    return a_thread(a_message(), ModelResponded(at=AT, seen=1, calls=(call,), stop="calls"), asked)


@pytest.mark.parametrize("on_timeout, decision", [("expire", Expired()), ("reject", Rejected(reason=TIMED_OUT))])
def test_the_rule_says_what_it_means_that_nobody_decided_in_time(
    on_timeout: OnTimeout, decision: Expired | Rejected
) -> None:
    state = waiting(on_timeout)

    (event,) = due(state, ENDS)

    assert event == ApprovalDecided(at=ENDS, approval_id="apr_1", decision=decision)
    assert due(state, ENDS - timedelta(seconds=1)) == ()


def test_the_model_is_told_them_apart() -> None:
    told = {}
    for on_timeout in ("expire", "reject"):
        state = waiting("expire" if on_timeout == "expire" else "reject")
        after = fold(state, [Entry(4, each) for each in due(state, ENDS)])
        (told[on_timeout],) = (each.text for each in turns(after) if isinstance(each, ResultTurn))

    assert told["expire"] == "Expired: nobody decided in time. This is not a refusal. It did not run."
    assert told["reject"].startswith("Rejected by the policy. It did not run. Reason: nobody decided in time")


@pytest.mark.parametrize(
    "words",
    [
        f"{stands(LATE, ASKED).label}: {stands(LATE, ASKED)}",
        approval_mail.settled_text(LATE),
        approval_texts.card_text(LATE),
        text_of(LATE),
        status_of(LATE),
        settled_text(LATE),
    ],
)
def test_people_are_told_that_nobody_decided_and_not_that_somebody_said_no(words: str) -> None:
    assert NOT_IN_TIME in words.lower()
    assert "reject" in words.lower()
    assert "somebody" not in words.lower()
    assert "by  (" not in words


def test_a_no_of_somebody_is_still_theirs() -> None:
    theirs = a_card(status="rejected", decided_at=ASKED, decided_by="Dana", decided_via="slack", reason="too much")

    assert not theirs.is_rejected_by_time
    assert "Dana" in str(stands(theirs, ASKED))
    assert "Dana" in approval_mail.settled_text(theirs)
