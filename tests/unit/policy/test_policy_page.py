"""`docs/policy.md` says what there is: every example is a policy, and every field and variable is on the page."""

import re
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.effects import Allow, Ask, Deny, Verdict
from agent.entries import Entry
from agent.events import MessageReceived, ModelResponded, ToolCall, Usage
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import catalog, tool
from approvals.circumstances import FIELDS
from approvals.condition import MOST_NESTING, MOST_TEXT, VARIABLES
from approvals.hours import BusinessHours
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_check import mistakes, problems
from approvals.policy_file import ApproversEntry, Default, PolicyFile, Rule, StepEntry
from bot import yaml_files
from tests.fixtures import ROOT

PAGE = (ROOT / "docs" / "policy.md").read_text()
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
PEOPLE = Directory(
    [
        Person(id="ada", name="Ada", slack={"T1": "U1"}, roles=("support",)),
        Person(id="dana", name="Dana", roles=("support-lead",)),
        Person(id="mel", name="Mel", roles=("support-lead",)),
        Person(id="lee", name="Lee", roles=("finance",)),
        Person(id="fay", name="Fay", roles=("finance",)),
        Person(id="tom", name="Tom", roles=("finance", "cfo")),
    ]
)
ADA = Identity(channel="slack", id="U1", team="T1")
SLACK = SlackThread(team="T1", channel="C1", thread_ts="1.0")


@tool(effect="read")
def lookup_order(order_id: str = "") -> str:
    """Look."""
    return ""


@tool
def refund_order(amount: float) -> str:
    """Refund."""
    return ""


@tool
def pay_out(amount: float) -> str:
    """Pay."""
    return ""


@tool
def send_mail(to: list[str]) -> str:
    """Mail."""
    return ""


TOOLS = catalog([lookup_order, refund_order, pay_out, send_mail])


def example(text: str) -> PolicyFile:
    file = yaml_files.parse(text, "docs/policy.md")
    content = file.parse(PolicyFile)
    file.check(mistakes(content, TOOLS, PEOPLE))
    return content


def judged(
    name: str,
    arguments: JsonObject,
    *,
    at: datetime = NOON,
    place: SlackThread | MailThread | ApiThread = SLACK,
    tokens: int = 10,
    is_outside: bool = False,
) -> Verdict:
    call = ToolCall(id="c1", provider_id="p", name=name, arguments=arguments)
    said = MessageReceived(at=at, delivery_id="d", sender=ADA, text="hi", is_outside=is_outside)
    answer = ModelResponded(at=at, seen=1, calls=(call,), stop="calls", usage=Usage(input=tokens))
    state = fold(ThreadState("thr_1", place, "support"), [Entry(1, said), Entry(2, answer)])
    return Policy(example(EXAMPLES[2]), PEOPLE).judge(call, TOOLS[name], state)


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_a_policy_without_a_mistake_or_a_problem(text: str) -> None:
    assert list(problems(example(text), PEOPLE, 86400)) == []


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) == 3


def test_the_example_of_conditions_does_what_its_names_say() -> None:
    def rule(verdict: Verdict, kind: type[Verdict]) -> str:
        assert isinstance(verdict, kind), verdict
        return verdict.rule

    big = judged("refund_order", {"amount": 500.01})
    assert isinstance(big, Ask)
    assert (big.rule, big.approvers.count) == ("over 500 needs two of finance", 2)
    assert rule(judged("refund_order", {"amount": 20}), Allow) == "small refunds by support"
    assert rule(judged("refund_order", {"amount": 20}, at=NIGHT), Ask) == "at night a lead looks"
    assert rule(judged("refund_order", {"amount": 20}, is_outside=True), Ask) == "outsiders have written here"
    assert rule(judged("send_mail", {"to": ["a@acme.example", "b@out.example"]}), Ask) == "mail to customers"
    assert rule(judged("send_mail", {"to": ["a@acme.example"]}), Allow) == "colleagues are written to"
    assert rule(judged("pay_out", {"amount": 1}, tokens=500_001), Ask) == "this thread has become expensive"
    mail = MailThread(mailbox="agent@acme.example", root="m")
    assert rule(judged("pay_out", {"amount": 1}, place=mail), Deny) == "nothing is dropped from mail"
    assert rule(judged("lookup_order", {}), Ask) == "default"


@pytest.mark.parametrize("model", [Rule, Default, ApproversEntry, StepEntry, BusinessHours])
def test_every_field_is_on_the_page(model: type[BaseModel]) -> None:
    names = {field.alias or name for name, field in model.model_fields.items()}

    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_variable_and_each_of_its_fields_is_on_the_page() -> None:
    names = {*VARIABLES, *(name for fields in FIELDS.values() for name in fields)}

    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_the_bounds_on_the_page_are_those_that_count() -> None:
    assert f"{MOST_TEXT:,} characters" in PAGE
    assert f"more than {MOST_NESTING} brackets" in PAGE
