"""What `decide` names, case by case. The promises themselves are attacked in `tests/properties`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.effects import CallModel, Effect, RefuseCall, RequestApproval, RunTool, SendReply, Wait
from agent.events import (
    ApprovalDecided,
    ModelFailed,
    ModelResponded,
    TimerFired,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.reducer import Rules, decide
from agent.state import ThreadState
from agent.thread import IT_HAPPENED, RUN_AGAIN, STOP
from agent.timing import BACKOFF, due, next_moment, retry_at
from agent.verdict import Answered, Approved, Decider, Expired
from tests.builders import AT, DANA, a_call, a_message, a_thread, rules
from tests.unit.agent.test_context import asked

RULES = rules()
REFUND = a_call("refund", "c1", order_id="1", amount=2.0)
LOOK_UP = a_call("look_up", "c2", order_id="1")
DIGEST = RULES.tools["refund"].digest(REFUND.arguments)
APPROVED = ApprovalDecided(
    at=AT, approval_id="apr_1", decision=Approved(digest=DIGEST), by=Decider(person="dana", identity=DANA, via="web")
)
STARTED = ToolStarted(at=AT, call_id="c1", tool="refund", digest=DIGEST, rule="r")


def answered(*calls: object) -> ModelResponded:
    return ModelResponded.model_validate({"at": AT, "seen": 1, "calls": calls, "stop": "calls"})


def after(*events: object) -> Effect:
    return decide(a_thread(a_message(), *events), RULES)


def test_a_message_is_shown_to_the_model() -> None:
    assert after() == CallModel()
    assert decide(a_thread(), RULES) == Wait()


def test_words_are_said_before_anything_else() -> None:
    effect = after(ModelResponded(at=AT, seen=1, text="Hello"), a_message("More", delivery_id="d2"))
    assert effect == SendReply("r2", "Hello")


def test_a_gated_call_asks_first_and_the_free_one_runs_beside_it() -> None:
    effect = after(answered(REFUND, LOOK_UP))
    assert isinstance(effect, RequestApproval)
    assert effect.call == REFUND
    beside = after(answered(REFUND, LOOK_UP), asked())
    assert beside == RunTool((LOOK_UP,), ("reads",))
    assert isinstance(after(answered(REFUND, LOOK_UP), asked(), ToolReturned(at=AT, call_id="c2", result=1)), Wait)


def test_an_approved_call_runs_under_its_approval() -> None:
    assert after(answered(REFUND), asked(), APPROVED) == RunTool((REFUND,), ("approval apr_1",))


def test_an_approval_of_something_else_asks_again() -> None:
    other = APPROVED.model_copy(update={"decision": Approved(digest="of an older schema")})
    assert isinstance(after(answered(REFUND), asked(), other), RequestApproval)


def test_a_call_that_was_started_and_never_came_back_is_asked_about() -> None:
    effect = after(answered(REFUND), asked(), APPROVED, STARTED)
    assert isinstance(effect, RequestApproval)
    assert effect.about == "in_doubt"
    assert effect.choices == (IT_HAPPENED, RUN_AGAIN, STOP)
    assert effect.ask.approvers.roles == ("lead",)


@pytest.mark.parametrize("answer, runs", [(IT_HAPPENED, False), (STOP, False), (RUN_AGAIN, True)])
def test_a_call_in_doubt_runs_again_only_when_somebody_says_so(answer: str, *, runs: bool) -> None:
    doubt = asked("in_doubt").model_copy(update={"approval_id": "apr_2", "digest": DIGEST})
    said = ApprovalDecided(at=AT, approval_id="apr_2", decision=Answered(text=answer))
    effect = after(answered(REFUND), asked(), APPROVED, STARTED, doubt, said)
    assert isinstance(effect, RunTool) is runs
    assert runs or effect == CallModel()


def test_an_idempotent_call_is_run_again_by_itself() -> None:
    tools = {**RULES.tools, "refund": replace(RULES.tools["refund"], idempotent=True)}
    again = Rules(tools=tools, judge=RULES.judge)
    effect = decide(a_thread(a_message(), answered(REFUND), asked(), APPROVED, STARTED), again)
    assert effect == RunTool((REFUND,), ("run again under the same key",))


@pytest.mark.parametrize(
    "call, error",
    [
        (a_call("refund", "c1"), "order_id: Field required"),
        (a_call("no_such", "c1"), "there is no tool named no_such"),
        (a_call("look_up", "c1").model_copy(update={"malformed": "cut short"}), "cut short"),
    ],
)
def test_a_call_that_cannot_run_is_refused_with_words_to_mend_it_by(call: object, error: str) -> None:
    effect = after(answered(call))
    assert isinstance(effect, RefuseCall)
    assert error in effect.error


def failures(count: int) -> ThreadState:
    state = a_thread(a_message(), *(ModelFailed(at=AT, error="503", retry_at=AT) for _ in range(count)))
    assert state.model_failures == count
    return state


def test_the_model_is_tried_again_later_and_given_up_in_the_end() -> None:
    for count, seconds in enumerate(BACKOFF):
        assert retry_at(failures(count), AT) == AT + timedelta(seconds=seconds)
    assert retry_at(failures(len(BACKOFF)), AT) is None


def test_waiting_for_the_model_ends_with_its_timer() -> None:
    state = a_thread(a_message(), ModelFailed(at=AT, error="503", retry_at=AT + timedelta(seconds=5)))
    assert decide(state, RULES) == Wait(AT + timedelta(seconds=5))
    assert due(state, AT) == ()
    (event,) = due(state, AT + timedelta(seconds=5))
    assert isinstance(event, TimerFired)
    assert after(ModelFailed(at=AT, error="503", retry_at=AT), event) == CallModel()


def test_an_approval_expires_by_itself() -> None:
    state = a_thread(a_message(), answered(REFUND), asked())
    assert next_moment(state) == AT + timedelta(hours=1)
    (event,) = due(state, AT + timedelta(hours=1))
    assert isinstance(event, ApprovalDecided)
    assert event.decision == Expired()
    assert after(answered(REFUND), asked(), event) == CallModel()


def test_errors_in_a_row_are_bounded_and_a_success_forgives_them() -> None:
    failed = [ToolFailed(at=AT, call_id="x", why="raised", error=f"no {n}") for n in range(3)]
    effect = after(*failed)
    assert isinstance(effect, RequestApproval)
    assert effect.limit == "errors"
    assert "no 2" in effect.question
    assert after(*failed, ToolReturned(at=AT, call_id="x", result=1)) == CallModel()


def test_steps_without_a_persons_say_are_bounded() -> None:
    loops = [e for n in range(2) for e in (answered(a_call("look_up", f"l{n}", order_id="1")),)]
    results = [ToolReturned(at=AT, call_id="l1", result=1)]
    effect = decide(a_thread(a_message(), *loops, *results), rules(max_steps=2))
    assert isinstance(effect, RequestApproval)
    assert effect.limit == "steps"
