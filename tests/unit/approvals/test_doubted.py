"""A call that a judge had doubts about takes everybody whom that takes, also where an approver changes it a little."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.conversation import Identity, JsonObject
from agent.events import ApprovalAmended
from agent.guardrail import RULE
from agent.verdict import Approved, Approvers
from approvals.decision import Approve
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.desk import ARGUMENTS, LEE, Desk, desk_at, refund

MIA = Identity(channel="api", id="mia", name="Mia Novak")
TWO = Approvers(roles=("finance",), count=2)
CHANGED: JsonObject = {**ARGUMENTS, "amount": 39.0}
ALLOWS = PolicyFile.model_validate(
    {
        "default": {"approvers": {"roles": ["finance"], "count": 2}},
        "rules": [{"name": "all", "tools": ["refund"], "outcome": "allow"}],
    }
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A deployment whose policy allows refunds, and asks two of finance about what it did not foresee."""
    async with desk_at(tmp_path) as found:
        found.gate = replace(found.gate, policy=Policy(ALLOWS))
        yield found


async def test_one_of_two_cannot_let_it_run_by_changing_it(desk: Desk) -> None:
    asked = await desk.ask(rule=RULE, why="It looks odd.", approvers=TWO)

    await desk.gate.decide(asked, Approve(refund.digest(ARGUMENTS), CHANGED), LEE, "web")

    facts = await desk.facts(asked)
    assert facts.decided is None
    (amended,) = facts.record.amendments
    assert isinstance(amended, ApprovalAmended)
    assert (amended.rule, amended.why, amended.approvers) == (RULE, "It looks odd.", TWO)
    await desk.gate.decide(asked, Approve(refund.digest(CHANGED)), MIA, "web")
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(CHANGED), arguments=CHANGED)


async def test_nor_by_changing_it_to_what_the_policy_asks_about_and_back(desk: Desk) -> None:
    large = {"name": "large", "tools": ["refund"], "when": "args.amount > 400", "outcome": "ask"}
    two = {"approvers": {"roles": ["finance"], "count": 2}}
    file = {"default": two, "rules": [large, {"name": "all", "tools": ["refund"], "outcome": "allow"}]}
    desk.gate = replace(desk.gate, policy=Policy(PolicyFile.model_validate(file)))
    asked = await desk.ask(rule=RULE, why="It looks odd.", approvers=TWO)
    much: JsonObject = {**ARGUMENTS, "amount": 450.0}

    await desk.gate.decide(asked, Approve(refund.digest(ARGUMENTS), much), LEE, "web")
    assert (await desk.facts(asked)).request.rule == "large"
    await desk.gate.decide(asked, Approve(refund.digest(much), CHANGED), LEE, "web")

    facts = await desk.facts(asked)
    assert facts.decided is None
    assert (facts.request.rule, facts.request.why, facts.request.approvers) == (RULE, "It looks odd.", TWO)


async def test_what_the_policy_itself_asked_about_runs_when_it_allows_the_change(desk: Desk) -> None:
    asked = await desk.ask(approvers=TWO)

    await desk.gate.decide(asked, Approve(refund.digest(ARGUMENTS), CHANGED), LEE, "web")

    assert await desk.outcome(asked) == "approved"
