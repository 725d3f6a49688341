"""The policy: the first rule that matches decides, and everything doubtful is asked about."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import ValidationError

from agent.conversation import ApiThread
from agent.effects import Allow, Ask, Deny, Verdict
from agent.events import ToolCall
from agent.state import ThreadState
from agent.tool import Effect, Tool, tool
from agent.verdict import Approvers
from approvals.people import Directory, Person
from approvals.policy import Policy, able_to_decide
from approvals.policy_file import PolicyFile, Rule
from approvals.quorum import Voter, refusal

STATE = ThreadState("thr_1", ApiThread(ref="1"))
ADA = Person(id="ada", name="Ada", roles=("support",))
DANA = Person(id="dana", name="Dana", roles=("lead",))
BOT = Person(id="bot", name="Bot", roles=("lead",), service=True)
DIRECTORY = Directory([ADA, DANA, BOT])


@tool(effect="write")
def refund(amount: int) -> int:
    """Refund."""
    return amount


@tool(effect="read")
def look() -> str:
    """Look."""
    return ""


def policy(*rules: Mapping[str, object], **default: object) -> Policy:
    named = [{"name": f"rule {place}", **rule} for place, rule in enumerate(rules)]
    return Policy(PolicyFile.model_validate({"rules": named, "default": default}))


def judge(subject: Policy, of: Tool = refund) -> Verdict:
    return subject.judge(ToolCall(id="c1", provider_id="p1", name=getattr(of, "name", "refund")), of, STATE)


def asked(subject: Policy, of: Tool = refund) -> Ask:
    verdict = judge(subject, of)
    assert isinstance(verdict, Ask)
    return verdict


def test_the_first_rule_that_matches_decides() -> None:
    never = {"tools": ["ref*"], "outcome": "deny", "why": "no"}
    both = policy(never, {"tools": ["refund"], "outcome": "allow"})

    assert judge(both) == Deny("rule 0", "no")


@pytest.mark.parametrize(
    "rule, matches",
    [
        ({"tools": ["refund"]}, True),
        ({"tools": ["look", "refund"]}, True),
        ({"tools": ["*"]}, True),
        ({"tools": ["re*d"]}, True),
        ({"effect": "write"}, True),
        ({"tools": ["refund"], "effect": "write"}, True),
        ({"tools": ["refund"], "effect": "read"}, False),
        ({"tools": ["look"], "effect": "write"}, False),
        ({"effect": "read"}, False),
        ({"tools": ["REFUND"]}, False),
        ({"tools": ["refun"]}, False),
    ],
)
def test_a_rule_matches_when_all_its_conditions_do(rule: dict[str, object], *, matches: bool) -> None:
    assert isinstance(judge(policy({**rule, "outcome": "allow"})), Allow) is matches


def test_what_no_rule_matches_is_asked_about() -> None:
    ask = asked(policy({"tools": ["look"], "outcome": "allow"}, approvers={"roles": ["lead"]}, timeout="30m"))

    assert ask == Ask("default", "No rule of the policy covers refund.", Approvers(roles=("lead",)), 1800)


def test_an_empty_policy_asks_and_lets_nobody_decide() -> None:
    ask = asked(Policy(PolicyFile()))

    assert able_to_decide(ask.approvers, DIRECTORY) == ()


def test_a_rule_says_whom_how_long_and_where() -> None:
    rule = {
        "effect": "write",
        "outcome": "ask",
        "why": "Money leaves.",
        "approvers": {"people": ["dana"], "requester": False},
        "timeout": "1d12h",
        "show_on": ["direct"],
    }

    ask = asked(policy(rule, approvers={"roles": ["lead"]}))

    assert ask == Ask("rule 0", "Money leaves.", Approvers(people=("dana",), requester=False), 129600, ("direct",))


def test_what_a_rule_leaves_out_the_default_says() -> None:
    ask = asked(
        policy({"effect": "write", "outcome": "ask"}, approvers={"roles": ["lead"]}, show_on=["mail"], timeout=5)
    )

    assert (ask.approvers, ask.show_on, ask.timeout) == (Approvers(roles=("lead",)), ("mail",), 5)


@pytest.mark.parametrize(
    "tools, verdict", [(["*"], Ask), (["re*"], Ask), (["refund"], Allow), (["*", "refund"], Allow), ([], Ask)]
)
def test_a_tool_that_needs_approval_is_allowed_by_its_own_name_only(tools: list[str], verdict: type[Verdict]) -> None:
    subject = policy({"tools": tools, "effect": "write", "outcome": "allow"}, approvers={"roles": ["lead"]})

    assert isinstance(judge(subject, replace(refund, needs_approval=True)), verdict)


def test_what_breaks_while_judging_is_asked_about() -> None:
    class Broken(Tool):
        @property
        def effect(self) -> Effect:
            raise RuntimeError("secret detail")

    subject = policy({"effect": "write", "outcome": "allow"}, approvers={"roles": ["lead"]})

    ask = asked(subject, Broken.__new__(Broken))

    assert ask.rule == "error"
    assert "secret detail" not in ask.why
    assert ask.approvers == Approvers(roles=("lead",))


@pytest.mark.parametrize(
    "rule",
    [
        {"tools": ["refund"]},
        {"outcome": "allow"},
        {"tools": ["refund"], "outcome": "maybe"},
        {"tools": ["refund"], "outcome": "ask", "aprovers": {}},
        {"tools": ["refund"], "outcome": "ask", "approvers": {"anyone_in_thread": True}},
        {"tools": ["refund"], "outcome": "deny", "approvers": {"roles": ["lead"]}},
        {"tools": ["refund"], "outcome": "ask", "timeout": "soon"},
        {"tools": ["refund"], "outcome": "ask", "timeout": 0},
        {"tools": ["refund"], "outcome": "ask", "show_on": []},
        {"tools": ["refund"], "outcome": "ask", "show_on": ["fax"]},
        {"effect": "destroy", "outcome": "ask"},
        {"tools": "refund", "outcome": "ask"},
        {"name": "", "tools": ["refund"], "outcome": "ask"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        policy(rule)


def test_two_rules_have_two_names() -> None:
    with pytest.raises(ValidationError, match="two rules are named"):
        policy({"name": "a", "tools": ["x"], "outcome": "ask"}, {"name": "a", "tools": ["y"], "outcome": "ask"})


@pytest.mark.parametrize("written, seconds", [(90, 90), ("45s", 45), ("30m", 1800), ("24h", 86400), ("2d", 172800)])
def test_a_time_limit_is_written_as_people_write_it(written: object, seconds: float) -> None:
    rule = Rule.model_validate({"name": "a", "tools": ["x"], "outcome": "ask", "timeout": written})

    assert rule.timeout == seconds


@pytest.mark.parametrize(
    "approvers, person, asked_for_it, reason",
    [
        (Approvers(roles=("lead",)), DANA, False, ""),
        (Approvers(roles=("lead",)), DANA, True, ""),
        (Approvers(people=("ada",)), ADA, False, ""),
        (Approvers(roles=("lead",)), ADA, False, "Only these may decide this: role lead."),
        (Approvers(roles=("lead",), people=("eve",)), ADA, False, "Only these may decide this: role lead, eve."),
        (Approvers(), DANA, False, "The policy lists nobody who may decide this."),
        (Approvers(roles=("lead",)), None, False, "You are not in this deployment's list of people."),
        (Approvers(roles=("lead",)), BOT, False, "A service cannot decide; it takes a person."),
        (
            Approvers(roles=("lead",), requester=False),
            DANA,
            True,
            "You asked for this yourself, or had a part in asking, and the policy wants a second person.",
        ),
        (Approvers(roles=("lead",), requester=False), DANA, False, ""),
        (Approvers(anyone_in_thread=True), None, True, ""),
    ],
)
def test_whoever_may_not_decide_is_told_why(
    approvers: Approvers, person: Person | None, *, asked_for_it: bool, reason: str
) -> None:
    voter = Voter(person.id, roles=frozenset(person.roles), service=person.service) if person else None
    assert refusal(approvers, voter, asked_for_it=asked_for_it) == reason
