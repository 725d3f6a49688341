"""A grant counts only while whoever gave it might still give it, by the rule that asks now and by the one that did."""

import pytest

from agent.conversation import ApiThread, Identity
from agent.effects import Ask, RequestApproval
from agent.events import ApprovalRequested
from agent.state import ThreadState
from agent.verdict import Approvers
from approvals.people import Away
from tests.desk import ADA, Desk
from tests.fakes import FakeStanding
from tests.integration.grants.steps import CALL, FINANCE, LEE, PERSONS, TEAM, ZOE, give, is_used, people


async def test_it_counts_while_its_giver_is_who_they_were(desk: Desk) -> None:
    await give(desk)
    assert await is_used(desk)


async def test_not_when_its_giver_is_gone_from_the_list_of_people(desk: Desk) -> None:
    await give(desk)
    people(desk, lee=None)
    assert not await is_used(desk)


async def test_not_when_its_giver_has_lost_the_role_and_again_when_they_have_it_back(desk: Desk) -> None:
    await give(desk)
    people(desk, lee=PERSONS["lee"].model_copy(update={"roles": ("support",)}))
    assert not await is_used(desk)
    people(desk)
    assert await is_used(desk)


async def test_not_when_the_account_it_was_given_from_is_somebody_elses_by_now(desk: Desk) -> None:
    await give(desk)
    people(desk, lee=PERSONS["lee"].model_copy(update={"slack": {TEAM: "U0LEE2"}}))
    assert not await is_used(desk)


@pytest.mark.parametrize("flag", ["is_restricted", "is_ultra_restricted", "deleted"])
async def test_not_when_the_account_may_not_decide_any_more(desk: Desk, slack: FakeStanding, flag: str) -> None:
    await give(desk)
    slack.account("U0LEE", flag)
    assert not await is_used(desk)


async def test_not_while_slack_cannot_be_asked(desk: Desk, slack: FakeStanding) -> None:
    await give(desk)
    slack.is_down = True
    assert not await is_used(desk)


async def test_given_by_a_deputy_it_counts_while_they_stand_in(desk: Desk) -> None:
    today = desk.clock.now().date()
    away = PERSONS["zoe"].model_copy(update={"deputies": ("ada",), "away": (Away.model_validate({"from": today}),)})
    ada = PERSONS["ada"].model_copy(update={"slack": {TEAM: "U0ADA"}})
    slack_ada = Identity(channel="slack", team=TEAM, id="U0ADA")
    desk.gate.standing.account("U0ADA")  # type: ignore[attr-defined]  # the fixture's
    people(desk, zoe=away, ada=ada)
    await give(desk, slack_ada)
    assert await is_used(desk)
    people(desk, ada=ada)
    assert not await is_used(desk)


async def test_a_rule_that_wants_others_by_now_is_not_got_round(desk: Desk) -> None:
    await give(desk)
    assert not await is_used(desk, approvers=Approvers(roles=("chief",)))
    assert await is_used(desk, approvers=Approvers(people=("lee",)))
    people(desk, lee=PERSONS["lee"].model_copy(update={"roles": ()}))
    assert not await is_used(desk, approvers=Approvers(people=("lee",)))


async def test_a_rule_that_wants_several_is_not_got_round(desk: Desk) -> None:
    await give(desk)
    assert not await is_used(desk, approvers=Approvers(roles=("finance",), count=2))
    assert not await is_used(desk, approvers=Approvers(roles=("finance",), rejections=2))


async def test_a_rule_that_wants_to_be_asked_each_time_and_a_guardrail_are_asked(desk: Desk) -> None:
    await give(desk)
    assert not await is_used(desk, may_grant=False)
    assert not await is_used(desk, rule="guardrail")


async def test_nobody_uses_their_own_grant_where_the_policy_wants_a_second_person(desk: Desk) -> None:
    await give(desk)
    assert await is_used(desk, sender=LEE)
    assert not await is_used(desk, sender=LEE, approvers=Approvers(roles=("finance",), requester=False))
    assert await is_used(desk, sender=ZOE, approvers=Approvers(roles=("finance",), requester=False))


async def test_a_question_and_a_call_in_doubt_are_asked_about_whatever_was_granted(desk: Desk) -> None:
    await give(desk)
    state = ThreadState("thr_other", ApiThread(ref="other"), requester=ADA)
    effect = RequestApproval("in_doubt", Ask("refunds", "w", FINANCE, may_grant=True), CALL)
    assert isinstance(await desk.gate.request(effect, state), ApprovalRequested)
