"""Who may give a grant, on which card, and who may take it back."""

import asyncio
from dataclasses import replace

import pytest

from agent.conversation import Identity, JsonObject
from agent.errors import AlreadySettled, BadTerms, Refused
from agent.events import ApprovalAmended, ApprovalEscalated
from agent.verdict import Approvers, Decider
from approvals.decision import Approve, Choice
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.desk import ADA, ARGUMENTS, Desk, refund
from tests.fakes import FakeStanding
from tests.integration.grants.steps import (
    FINANCE,
    LEE,
    PERSONS,
    TEAM,
    ZOE,
    ask,
    give,
    is_used,
    people,
    policy,
    refusal,
    terms,
)


async def test_the_requester_cannot_give_one_where_the_policy_wants_a_second_person(desk: Desk) -> None:
    desk.gate = replace(desk.gate, policy=policy(requester=False))
    approval_id = await ask(desk, requester=LEE, approvers=Approvers(roles=("finance",), requester=False))
    assert "wants a second person" in await refusal(desk, approval_id, LEE)
    assert await give(desk, ZOE, approval_id)


async def test_a_card_asked_by_an_older_policy_does_not_let_one_be_given_now(desk: Desk) -> None:
    desk.gate = replace(desk.gate, policy=policy(requester=False))
    approval_id = await ask(desk, requester=LEE)
    assert "not allow others like it. You asked for this yourself" in await refusal(desk, approval_id, LEE)


async def test_a_card_that_did_not_offer_it_does_not_let_one_be_given(desk: Desk) -> None:
    assert "asked about this each time" in await refusal(desk, await ask(desk, may_grant=False))


async def test_where_the_policy_allows_the_call_by_now_there_is_nothing_to_grant(desk: Desk) -> None:
    rule = {"name": "free", "tools": ["refund"], "outcome": "allow"}
    desk.gate = replace(desk.gate, policy=Policy(PolicyFile.model_validate({"rules": [rule]})))
    assert "each time, or not at all" in await refusal(desk, await ask(desk))


async def test_who_was_asked_only_because_nobody_else_had_decided_cannot_give_one(desk: Desk) -> None:
    people(desk, lee=PERSONS["lee"].model_copy(update={"roles": ("support",)}))
    approval_id = await ask(desk)
    facts = await desk.index.facts(approval_id)
    assert facts
    wider = Approvers(roles=("finance", "support"))
    more = ApprovalEscalated(at=desk.clock.now(), approval_id=approval_id, step=1, approvers=wider)
    await desk.threads.inform(facts.thread_id, [more])
    assert "You may approve this one call, but not allow others" in await refusal(desk, approval_id, LEE)
    await desk.gate.decide(approval_id, Approve(refund.digest(ARGUMENTS)), LEE, "slack")


async def test_what_was_changed_by_an_approver_is_asked_about_each_time(desk: Desk) -> None:
    approval_id = await ask(desk)
    facts = await desk.index.facts(approval_id)
    assert facts
    by = Decider(person="zoe", identity=ZOE, via="slack")
    amended = ApprovalAmended(
        at=desk.clock.now(),
        approval_id=approval_id,
        version=0,
        arguments=ARGUMENTS,
        digest=refund.digest(ARGUMENTS),
        title="t",
        why="w",
        rule="refunds",
        approvers=FINANCE,
        may_grant=True,
        by=by,
    )
    await desk.threads.inform(facts.thread_id, [amended])
    view = await desk.gate.view(approval_id)
    assert view
    assert not view.card.may_grant
    assert "asked about this each time" in await refusal(desk, approval_id)


async def test_a_quorum_leaves_no_room_for_a_grant(desk: Desk) -> None:
    approval_id = await ask(desk, approvers=Approvers(roles=("finance",), count=2))
    assert "It takes more than your approval" in await refusal(desk, approval_id)


async def test_a_tool_that_is_gone_or_terms_that_make_no_sense_decide_nothing(desk: Desk) -> None:
    approval_id = await ask(desk)
    assert "from 1 to 10000" in await refusal(desk, approval_id, uses=0)
    assert "cannot be read" in await refusal(desk, approval_id, condition="args.", exact=False)
    question = await ask(desk, about="question")
    with pytest.raises(Refused, match="Only a call that waits"):
        await desk.gate.grant_words(question, Approve("", grant=terms(desk)))
    desk.gate = replace(desk.gate, tools={})
    assert "does not exist any more" in await refusal(desk, approval_id)


async def test_whoever_could_approve_such_a_call_may_take_it_back(desk: Desk) -> None:
    grant_id = await give(desk)
    desk.gate = replace(desk.gate, policy=policy(roles=["chief"]))
    people(desk, zoe=PERSONS["zoe"].model_copy(update={"roles": ("chief",)}))
    found = await desk.gate.revoke(grant_id, ZOE, "slack")
    assert found.revoked_by
    assert found.revoked_by.person == "zoe"
    assert not await is_used(desk)


async def test_its_giver_may_take_it_back_though_they_might_not_give_it_any_more(desk: Desk) -> None:
    grant_id = await give(desk)
    people(desk, lee=PERSONS["lee"].model_copy(update={"roles": ()}))
    assert (await desk.gate.revoke(grant_id, LEE, "slack")).revoked


async def test_its_giver_may_not_once_they_are_a_program(desk: Desk) -> None:
    grant_id = await give(desk)
    people(desk, lee=PERSONS["lee"].model_copy(update={"service": True}))
    with pytest.raises(Refused, match="A service cannot decide"):
        await desk.gate.revoke(grant_id, LEE, "slack")


@pytest.mark.parametrize("who", [ADA, Identity(channel="api", id="crm"), Identity(channel="slack", team=TEAM, id="U0")])
async def test_nobody_else_may_take_it_back(desk: Desk, who: Identity) -> None:
    grant_id = await give(desk)
    with pytest.raises(Refused):
        await desk.gate.revoke(grant_id, who, "api")
    assert await is_used(desk)


async def test_a_guest_may_not_even_take_back_their_own(desk: Desk, slack: FakeStanding) -> None:
    grant_id = await give(desk)
    slack.account("U0LEE", "is_restricted")
    with pytest.raises(Refused, match="Guests"):
        await desk.gate.revoke(grant_id, LEE, "slack")


async def test_in_a_plan_each_call_may_come_with_a_grant_all_of_them_or_none(desk: Desk) -> None:
    first = await ask(desk)
    other: JsonObject = {"order_id": "1043", "amount": 15.0}
    second = desk.request("call", other, call_id="c2", plan=first, may_grant=True)
    await desk.threads.inform((await desk.facts(first)).thread_id, [second])
    wishes: dict[str, Choice] = {
        first: Approve(refund.digest(ARGUMENTS), grant=terms(desk)),
        second.approval_id: Approve(refund.digest(other), grant=terms(desk, uses=0)),
    }
    with pytest.raises(BadTerms):
        await desk.gate.decide_plan(wishes, LEE, "slack")
    assert [await desk.outcome(each) for each in wishes] == ["", ""]
    wishes[second.approval_id] = Approve(refund.digest(other), grant=terms(desk, uses=1))
    await desk.gate.decide_plan(wishes, LEE, "slack")
    assert [await desk.outcome(each) for each in wishes] == ["approved", "approved"]
    assert [each.grant.arguments for each in await desk.index.grants()] in ([ARGUMENTS, other], [other, ARGUMENTS])


async def test_of_two_who_decide_at_once_one_gives_a_grant(desk: Desk) -> None:
    approval_id = await ask(desk)
    wish = Approve(refund.digest(ARGUMENTS), grant=terms(desk))
    both = [desk.gate.decide(approval_id, wish, who, "slack") for who in (LEE, ZOE)]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(isinstance(each, AlreadySettled) for each in found) == [False, True]
    assert len(await desk.index.grants(standing=False)) == 1
