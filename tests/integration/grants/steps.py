"""A deployment in which grants are given and used, and what its people do there."""

from dataclasses import replace

import pytest

from agent.conversation import ApiThread, Identity
from agent.effects import Ask, RequestApproval
from agent.errors import Refused
from agent.events import ApprovalRequested, GrantUsed, ToolCall
from agent.state import ThreadState
from agent.verdict import Approvers
from approvals.decision import Approve, GrantTerms
from approvals.people import Directory, Person
from approvals.policy import Policy
from tests.desk import ADA, ARGUMENTS, Desk, refund
from tests.granted import DAY, granting

TEAM = "T0SANDBOX"
LEE = Identity(channel="slack", team=TEAM, id="U0LEE")
ZOE = Identity(channel="slack", team=TEAM, id="U0ZOE")
PERSONS = {
    "ada": Person(id="ada", name="Ada Okafor", roles=("support",)),
    "lee": Person(id="lee", name="Lee", roles=("finance",), slack={TEAM: "U0LEE"}),
    "zoe": Person(id="zoe", name="Zoe", roles=("finance", "chief"), slack={TEAM: "U0ZOE"}),
    "crm": Person(id="crm", name="CRM", roles=("finance",), service=True),
}
FINANCE = Approvers(roles=("finance",))
CALL = ToolCall(id="c2", provider_id="p2", name="refund", arguments=ARGUMENTS)


def policy(**approvers: object) -> Policy:
    return Policy(granting(**{"roles": ["finance"], **approvers}))


async def ask(desk: Desk, **changes: object) -> str:
    return await desk.ask(**{"may_grant": True, **changes})  # type: ignore[arg-type]  # fields of the request


def terms(desk: Desk, **changes: object) -> GrantTerms:
    values: dict[str, object] = {"scope": "anyone", "until": desk.clock.now() + DAY, **changes}
    return GrantTerms(**values)  # type: ignore[arg-type]  # the fields of GrantTerms


async def give(desk: Desk, who: Identity = LEE, approval_id: str = "", **changes: object) -> str:
    """Somebody approves a refund, and gives a grant with it; its id."""
    approval_id = approval_id or await ask(desk)
    await desk.gate.decide(approval_id, Approve(refund.digest(ARGUMENTS), grant=terms(desk, **changes)), who, "slack")
    (found,) = await desk.index.grants()
    return found.grant.id


async def refusal(desk: Desk, approval_id: str, who: Identity = LEE, **changes: object) -> str:
    with pytest.raises(Refused) as refused:
        await give(desk, who, approval_id, **changes)
    assert await desk.outcome(approval_id) == ""
    assert await desk.index.grants(standing=False) == []
    return str(refused.value)


async def wish(
    desk: Desk, *, approvers: Approvers = FINANCE, rule: str = "refunds", may_grant: bool = True, sender: Identity = ADA
) -> ApprovalRequested | GrantUsed:
    """The agent wants the same refund in another thread."""
    state = ThreadState("thr_other", ApiThread(ref="other"), requester=sender)
    request = RequestApproval("call", Ask(rule, "w", approvers, may_grant=may_grant), CALL)
    return await desk.gate.request(request, state)


async def is_used(desk: Desk, **changes: object) -> bool:
    return isinstance(await wish(desk, **changes), GrantUsed)  # type: ignore[arg-type]  # its own keywords


def people(desk: Desk, **changed: Person | None) -> None:
    """Let people.yaml say this from now on."""
    found = {**PERSONS, **changed}
    desk.gate = replace(desk.gate, directory=Directory(each for each in found.values() if each))
