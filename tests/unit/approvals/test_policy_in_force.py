"""A policy with conditions at work in the loop and the gate: what it says of a call, and of one that was changed."""

from agent.effects import Deny
from agent.events import ApprovalAmended, ToolFailed, ToolStarted
from agent.tool import ToolContext, tool
from approvals.people import Directory
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.council import Council, a_pay, person, who

PEOPLE = [person("ada"), person("dana", "lead"), person("fay", "finance"), person("lee", "finance")]
FILE = {
    "default": {"approvers": {"people": ["dana"]}},
    "rules": [
        {
            "name": "big",
            "tools": ["pay"],
            "when": 'args.amount > 500 && agent == "support"',
            "outcome": "ask",
            "approvers": {"roles": ["finance"], "count": 2},
        },
        {"name": "tiny", "tools": ["pay"], "when": "args.amount < 1", "outcome": "allow"},
        {"name": "free", "tools": ["pay"], "when": 'args.order == "free"', "outcome": "deny"},
        {
            "name": "odd",
            "tools": ["pay"],
            "when": "int(args.order) < 100",
            "outcome": "ask",
            "approvers": {"roles": ["lead"]},
        },
        {"name": "rest", "tools": ["pay"], "outcome": "allow"},
    ],
}


def council() -> Council:
    policy = Policy(PolicyFile.model_validate(FILE), Directory(PEOPLE))
    return Council(list(PEOPLE), policy.judge)


async def test_the_condition_on_the_arguments_says_whom_it_takes() -> None:
    it = council()
    asked = await it.ask("1", 600.0)

    await it.approves("fay", asked)
    assert it.paid == []
    await it.approves("lee", asked)
    assert it.paid == [("1", 600.0)]


async def test_what_a_condition_lets_run_runs_without_anybody() -> None:
    it = council()

    assert await it.asks(a_pay("5", 0.5), a_pay("200", 5.0)) == []
    assert it.paid == [("5", 0.5), ("200", 5.0)]


async def test_a_change_that_makes_a_condition_hold_asks_those_whom_it_then_takes() -> None:
    it = council()
    asked = await it.ask("1", 50.0)
    assert (await it.request(asked)).rule == "odd"

    await it.approves("dana", asked, amount=600.0)

    assert it.paid == []
    (amended,) = (event for event in await it.events() if isinstance(event, ApprovalAmended))
    assert (amended.rule, amended.approvers.count) == ("big", 2)
    await it.approves("fay", asked)
    await it.approves("lee", asked)
    assert it.paid == [("1", 600.0)]


async def test_what_cannot_be_judged_waits_for_those_of_the_default_though_a_rule_below_would_let_it_run() -> None:
    it = council()
    asked = await it.ask("not a number", 50.0)

    request = await it.request(asked)
    assert (request.rule, request.approvers.people) == ("error", ("dana",))
    assert request.why.startswith("Rule 'odd' of the policy could not be judged")
    assert "not a number" not in request.why
    assert not any(isinstance(event, ToolStarted) for event in await it.events())


async def test_what_the_policy_has_come_to_forbid_does_not_run_though_it_was_approved_and_the_card_says_so() -> None:
    it = council()
    asked = await it.ask("1", 50.0)
    it.verdict = Deny("no more", "we do not pay any more")

    await it.approves("dana", asked)

    assert it.paid == []
    outcome = (await it.record(asked)).outcome
    assert isinstance(outcome, ToolFailed)
    assert (outcome.why, outcome.error) == (
        "denied",
        "the policy does not allow this (no more): we do not pay any more",
    )


async def test_a_tool_runs_for_whoever_asked_though_somebody_else_has_written_since() -> None:
    it, ran_for = council(), []

    @tool(needs_approval=True)
    async def pay(order: str, amount: float, context: ToolContext) -> str:
        """Pay."""
        ran_for.append(context.requester and context.requester.id)
        return f"{order} {amount}"

    it.tools = {**it.tools, "pay": pay}
    asked = await it.ask("1", 50.0)
    await it.writes(who("fay"))
    await it.approves("dana", asked)

    assert ran_for == ["ada"]
