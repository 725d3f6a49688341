"""The promises that the reducer makes, whatever happens in whatever order.

A driver performs what `decide` asks for with an outcome drawn by Hypothesis, and lets messages, decisions, timers,
cancellations and crashes come in between.
"""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.context import turns
from agent.conversation import JsonObject
from agent.effects import (
    AnswerRemark,
    CallModel,
    Escalate,
    RefuseCall,
    RequestApproval,
    RunTool,
    ScoreCalls,
    SendReply,
    Stop,
    TakeAnswer,
    Wait,
)
from agent.entries import Entry
from agent.events import (
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRequested,
    CallScored,
    Event,
    ModelFailed,
    ModelResponded,
    RemarkAnswered,
    ReplySent,
    ThreadCancelled,
    ThreadClosed,
    ToolCall,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.ports import ModelTurn, ResultTurn
from agent.reducer import Rules, decide
from agent.state import ThreadState
from agent.thread import evolve, fold
from agent.timing import due, retry_at
from agent.verdict import Answered, Approved, Decider, Rejected
from tests.builders import ADA, AT, DANA, a_call, a_message, a_thread, rules

RULES = rules(max_steps=6)
REFUND = RULES.tools["refund"]
DANA_DECIDES = Decider(person="dana", identity=DANA, via="slack")

REFUNDS = st.builds(lambda a: a_call("refund", order_id="1", amount=a), st.sampled_from([1.0, 2.0]))
WISHES = st.one_of(
    REFUNDS,
    REFUNDS,
    REFUNDS,
    st.builds(lambda o: a_call("look_up", order_id=o), st.sampled_from("12")),
    st.just(a_call("broken")),
    st.just(a_call("refund", order_id="1")),
    st.just(a_call("no_such_tool")),
    st.just(a_call("ask_human", question="Which?", choices=["a", "b"])),
    st.just(a_call("finish", summary="done")),
    st.just(ToolCall(id="", provider_id="p", name="look_up", malformed="not JSON")),
)


class Driver:
    """Plays the world: performs effects, and lets things happen."""

    def __init__(self, draw: st.DataObject, decided_by: Rules = RULES) -> None:
        self.draw = draw
        self.rules = decided_by
        self.state = a_thread(a_message())
        self.now = AT
        self.count = 1
        self.started: list[tuple[int, str]] = []

    def pick(self, *of: str) -> str:
        return self.draw.draw(st.sampled_from(of))

    def add(self, *events: Event) -> None:
        for event in events:
            self.count += 1
            self.state = evolve(self.state, Entry(self.state.seq + 1, event))

    def step(self) -> None:
        self.now += timedelta(seconds=1)
        if self.pick("work", "work", "world") == "world":
            self.world()
        else:
            self.perform()

    def world(self) -> None:
        decisions = ("decide", "decide", "decide") if self.state.approvals else ()
        what = self.pick(*decisions, "cancel", "message", "time")
        if what == "message":
            self.add(a_message("More.", at=self.now, delivery_id=f"dlv_{self.count}"))
        elif what == "cancel":
            self.add(ThreadCancelled(at=self.now, by=ADA))
        elif what == "time":
            self.now += timedelta(hours=2)
            self.add(*due(self.state, self.now))
        else:
            for approval_id, asked in list(self.state.approvals.items())[:1]:
                self.add(self.decision(approval_id, asked.request))

    def decision(self, approval_id: str, request: ApprovalRequested) -> ApprovalDecided:
        digest = request.digest
        choices: list[Approved | Rejected | Answered] = [Rejected(reason="no")]
        if request.about == "call" and request.tool == "refund":
            edited: JsonObject = {"order_id": "1", "amount": 9.0}
            choices = [
                *choices,
                Approved(digest=digest),
                Approved(digest=digest),
                Approved(digest="of another"),
                Approved(digest=REFUND.digest(edited), arguments=edited),
            ]
        elif request.choices:
            choices = [Answered(text=each) for each in request.choices]
        decision = self.draw.draw(st.sampled_from(choices))
        return ApprovalDecided(at=self.now, approval_id=approval_id, decision=decision, by=DANA_DECIDES)

    def perform(self) -> None:  # noqa: C901 - one case an effect
        effect = decide(self.state, self.rules)
        match effect:
            case CallModel():
                self.call_model()
            case ScoreCalls(calls):
                self.score(calls)
            case RunTool(calls):
                self.run(calls)
            case RefuseCall(call, why, error):
                self.add(ToolFailed(at=self.now, call_id=call.id, why=why, error=error))
            case RequestApproval():
                self.request(effect)
            case Escalate(approval_id):
                asked = self.state.approvals[approval_id]
                step, who = asked.record.escalated + 1, asked.request.approvers
                self.add(ApprovalEscalated(at=self.now, approval_id=approval_id, step=step, approvers=who))
            case AnswerRemark(approval_id, number):
                self.add(RemarkAnswered(at=self.now, approval_id=approval_id, number=number, text="Because."))
            case TakeAnswer(approval_id, _):
                text = Answered(text="a", delivery_id=self.state.unseen[0].event.delivery_id)  # type: ignore[union-attr]  # a message
                self.add(ApprovalDecided(at=self.now, approval_id=approval_id, decision=text))
            case SendReply(reply_id, _):
                self.add(ReplySent(at=self.now, reply_id=reply_id))
            case Stop(summary):
                open_call = next(key for key, call in self.state.calls.items() if call.status != "settled")
                done = ToolReturned(at=self.now, call_id=open_call, result="finished")
                self.add(done, ThreadClosed(at=self.now, summary=summary))
            case Wait():
                pass

    def call_model(self) -> None:
        assert_every_result_follows_its_answer(self.state)
        if self.pick("answers", "answers", "fails") == "fails":
            self.add(ModelFailed(at=self.now, error="503", retry_at=retry_at(self.state, self.now)))
            return
        wanted = self.draw.draw(st.lists(WISHES, max_size=3))
        named = tuple(call.model_copy(update={"id": f"c{self.count}_{i}"}) for i, call in enumerate(wanted))
        text = "" if named else self.pick("Hello.", "")
        self.add(ModelResponded(at=self.now, seen=self.state.seq, text=text, calls=named))

    def score(self, calls: tuple[ToolCall, ...]) -> None:
        for call in calls:
            score, digest = (
                self.draw.draw(st.sampled_from([0.1, 0.5, 1.0])),
                self.rules.tools[call.name].digest(call.arguments),
            )
            self.add(CallScored(at=self.now, call_id=call.id, digest=digest, score=score, reason="r"))

    def assert_may_start(self, call_id: str, digest: str) -> None:
        """Invariants 1 and 2."""
        assert_was_approved(self.state, call_id, digest)

    def run(self, calls: tuple[ToolCall, ...]) -> None:
        for call in calls:
            tool = RULES.tools[call.name]
            if tool.effect != "read":
                self.started.append((self.state.seq, call.id))
                digest = tool.digest(call.arguments)
                self.assert_may_start(call.id, digest)
                self.add(ToolStarted(at=self.now, call_id=call.id, tool=call.name, digest=digest, rule="r"))
        for call in calls:
            how = self.pick("returns", "fails", "crashes")
            if how == "returns":
                self.add(ToolReturned(at=self.now, call_id=call.id, result="ok"))
            elif how == "fails":
                self.add(ToolFailed(at=self.now, call_id=call.id, why="raised", error="boom"))

    def request(self, effect: RequestApproval) -> None:
        call = effect.call
        tool = RULES.tools.get(call.name) if call else None
        self.add(
            ApprovalRequested(
                at=self.now,
                approval_id=f"apr_{self.count}",
                about=effect.about,
                call_id=call.id if call else "",
                tool=call.name if call else "",
                arguments=call.arguments if call else {},
                digest=tool.digest(call.arguments) if tool and call else "",
                title=effect.question or "t",
                why=effect.ask.why,
                rule=effect.ask.rule,
                choices=effect.choices,
                approvers=effect.ask.approvers,
                expires_at=self.now + timedelta(hours=1),
            )
        )


def assert_was_approved(state: ThreadState, call_id: str, digest: str) -> None:
    """Invariants 1 and 2: the last word on this call is an approval of exactly this, and nothing stopped it since."""
    approval_ids: set[str] = set()
    last: object = None
    for entry in state.entries:
        match entry.event:
            case ApprovalRequested(call_id=asked, approval_id=approval_id) if asked == call_id:
                approval_ids.add(approval_id)
            case ApprovalDecided(approval_id=approval_id, decision=decision) if approval_id in approval_ids:
                last = decision if not isinstance(last, Approved) or isinstance(decision, Approved) else last
            case ThreadCancelled():
                last = None
            case _:
                pass
    assert isinstance(last, Approved), f"{call_id} starts after {last}"
    assert last.digest == digest


def assert_every_result_follows_its_answer(state: ThreadState) -> None:
    """Models refuse a conversation in which a call has no result, or a result no call."""
    waiting: list[str] = []
    for turn in turns(state):
        if isinstance(turn, ResultTurn):
            assert waiting.pop(0) == turn.call.id
            continue
        assert waiting == []
        waiting = [call.id for call in turn.calls] if isinstance(turn, ModelTurn) else []
    assert waiting == []


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_nothing_starts_unapproved_and_every_prefix_decides_the_same(data: st.DataObject) -> None:
    driver = Driver(data)
    for _ in range(data.draw(st.integers(5, 40))):
        driver.step()
    empty = ThreadState("thr_1", driver.state.conversation, "support")
    folded = empty
    for entry in driver.state.entries:
        folded = evolve(folded, entry)
        again = fold(empty, driver.state.entries[: entry.seq])
        assert again == folded
        assert decide(again, RULES) == decide(folded, RULES)


@settings(deadline=None)
@given(st.data())
def test_a_thread_that_is_left_alone_comes_to_rest(data: st.DataObject) -> None:
    """However it got there: the loop never spins without calling the model or asking somebody."""
    driver = Driver(data)
    for _ in range(data.draw(st.integers(0, 25))):
        driver.step()
    for _ in range(200):
        if isinstance(decide(driver.state, RULES), Wait):
            return
        driver.perform()
    raise AssertionError(f"still busy: {decide(driver.state, RULES)}")
