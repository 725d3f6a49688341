"""Whatever the policy and the call: judging never raises, the first rule that matches decides, and doubt asks."""

from collections.abc import Mapping
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.effects import Allow, Ask, Deny
from agent.entries import Entry
from agent.events import MessageReceived, ModelResponded, ToolCall
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import Tool, tool
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DIRECTORY = Directory([Person(id="ada", name="Ada", roles=("lead",), email=("ada@ours.example",))])


@tool(effect="read")
def look(what: str = "") -> str:
    """Look."""
    return ""


@tool(effect="write")
def pay(amount: float = 1, to: str = "", more: dict[str, object] | None = None) -> str:
    """Pay."""
    return ""


@tool(effect="write", needs_approval=True)
def drop(table: str = "") -> str:
    """Drop."""
    return ""


TOOLS = (look, pay, drop)
CONDITIONS = (
    "true",
    "false",
    "args.amount > 500",
    "args.amount > 500.0 || args.to == ''",
    "has(args.to) && args.to.endsWith('@ours.example')",
    "args.never == 1",
    "args.never == 1 || true",
    "args.more.limit > 5",
    "args.to > 5",
    "1 / size(taint) > 0",
    "args.amount",
    "requester.id == 'ada'",
    "'lead' in requester.roles",
    "channel.kind == 'slack'",
    "hints.destructive && size(taint) > 0",
    "time.hour < 12",
    "time.in_business_hours",
    "taint.exists(each, each.startsWith('mail'))",
)
BREAKS = st.sampled_from(
    ["args.never == 1", "args", "1 / 0 == 1", "tool > 5", "size(5) == 1", "null", "requester.roles[9] == ''"]
)
PLACES: list[ApiThread | MailThread | SlackThread] = [
    ApiThread(ref="1"),
    MailThread(mailbox="a@b.example", root="m"),
    SlackThread(team="T", channel="C", thread_ts="1.0"),
]
Rules = list[dict[str, object]]
Case = tuple[ToolCall, Tool, ThreadState]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.sampled_from(["amount", "to", "more", "table", "what", "strange"]), JSON, max_size=4)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, object]:
    tools = draw(st.lists(st.sampled_from(["look", "pay", "drop", "*", "p*", "other"]), max_size=2))
    rule: dict[str, object] = {"tools": tools, "outcome": draw(st.sampled_from(["allow", "ask", "deny"]))}
    if draw(st.booleans()):
        rule["effect"] = draw(st.sampled_from(["read", "write"]))
    if draw(st.booleans()) or len(rule) == 2:
        rule["when"] = draw(st.sampled_from(CONDITIONS))
    return rule


@st.composite
def cases(draw: st.DrawFn) -> Case:
    of = draw(st.sampled_from(TOOLS))
    call = ToolCall(id="c1", provider_id="p1", name=of.name, arguments=draw(ARGUMENTS))
    sender = draw(st.sampled_from([Identity(channel="api", id="ada"), Identity(channel="mail", id="eve@out.example")]))
    place = draw(st.sampled_from(PLACES))
    said = MessageReceived(at=AT, delivery_id="d", sender=sender, text="hi", is_outside=draw(st.booleans()))
    answer = ModelResponded(at=AT, seen=1, calls=(call,), stop="calls")
    return call, of, fold(ThreadState("thr_1", place, "support"), [Entry(1, said), Entry(2, answer)])


def policy(some: Rules) -> Policy:
    named = [{"name": f"rule {place}", **rule} for place, rule in enumerate(some)]
    return Policy(PolicyFile.model_validate({"default": {"approvers": {"roles": ["lead"]}}, "rules": named}), DIRECTORY)


def named(rule: dict[str, object]) -> list[str]:
    tools = rule["tools"]
    assert isinstance(tools, list)
    return tools


LISTS = st.lists(rules(), max_size=6)


@settings(deadline=None)
@given(some=LISTS, case=cases())
def test_judging_never_raises_and_says_the_same_as_its_explanation(some: Rules, case: Case) -> None:
    subject = policy(some)

    verdict, explained = subject.judge(*case), subject.explain(*case)

    assert isinstance(verdict, Allow | Ask | Deny)
    assert explained.verdict == verdict
    outcomes = [each.outcome for each in explained.looked]
    assert outcomes.count("decided") <= 1
    first = next((each for each in explained.looked if each.outcome != "does not match"), None)
    if first is None:
        assert verdict.rule == "default"
    elif first.outcome == "could not be judged":
        assert isinstance(verdict, Ask)
        assert verdict.rule == "error"
    else:
        assert first.outcome == "decided"
        assert verdict.rule == first.rule


@settings(deadline=None)
@given(some=LISTS, more=LISTS, case=cases())
def test_rules_below_the_one_that_decides_change_nothing(some: Rules, more: Rules, case: Case) -> None:
    before = policy(some).judge(*case)

    if before.rule != "default":
        assert policy([*some, *more]).judge(*case) == before


@settings(deadline=None)
@given(some=LISTS, more=LISTS, case=cases(), condition=BREAKS)
def test_what_breaks_never_lets_a_call_through_nor_hides_behind_a_rule_that_does(
    some: Rules,
    more: Rules,
    case: Case,
    condition: str,
) -> None:
    broken: dict[str, object] = {"tools": ["*"], "when": condition, "outcome": "allow"}
    before = policy(some).judge(*case)

    verdict = policy([*some, broken, *more]).judge(*case)

    if before.rule == "default":
        assert isinstance(verdict, Ask)
        assert verdict.rule == "error"
    else:
        assert verdict == before


@settings(deadline=None)
@given(case=cases(), arguments=ARGUMENTS)
def test_no_policy_asks_whatever_it_is(case: Case, arguments: JsonObject) -> None:
    call, of, state = case
    empty: list[Mapping[str, object]] = []

    verdict = Policy(PolicyFile.model_validate({"rules": empty})).judge(
        call.model_copy(update={"arguments": arguments}), of, state
    )

    assert isinstance(verdict, Ask)


@settings(deadline=None)
@given(some=LISTS, case=cases())
def test_a_call_is_judged_the_same_however_often(some: Rules, case: Case) -> None:
    assert policy(some).judge(*case) == policy(some).judge(*case)


@settings(deadline=None)
@given(some=LISTS, case=cases())
def test_a_tool_that_needs_approval_never_runs_by_a_rule_that_does_not_name_it(some: Rules, case: Case) -> None:
    _, _, state = case
    unnamed = [{**rule, "tools": [name for name in named(rule) if name != "drop"] or ["*"]} for rule in some]

    verdict = policy(unnamed).judge(ToolCall(id="c1", provider_id="p1", name="drop"), drop, state)

    assert not isinstance(verdict, Allow)
