"""A grant counts only while whoever gave it might still give it, by the rule that asks now and by the one that did."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.conversation import ApiThread, Identity
from agent.effects import Ask, RequestApproval
from agent.errors import Refused
from agent.events import ApprovalAmended, ApprovalEscalated, ApprovalRequested, GrantUsed, ToolCall
from agent.thread import ThreadState
from agent.verdict import Approvers, Decider
from approvals.decision import Approve, GrantTerms
from approvals.people import Away, Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.desk import ADA, ARGUMENTS, Desk, desk_at, refund
from tests.fakes import FakeStanding
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


@pytest.fixture
def slack() -> FakeStanding:
    standing = FakeStanding()
    for user in ("U0LEE", "U0ZOE"):
        standing.account(user)
    return standing


@pytest.fixture
async def desk(tmp_path: Path, slack: FakeStanding) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as found:
        found.gate = replace(
            found.gate, directory=Directory(PERSONS.values()), standing=slack, policy=policy(), timeout=3600.0
        )
        yield found


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


# --- who may give and take back -------------------------------------------------------------------------------------


async def test_the_requester_cannot_give_one_where_the_policy_wants_a_second_person(desk: Desk) -> None:
    desk.gate = replace(desk.gate, policy=policy(requester=False))
    approval_id = await ask(desk, requester=LEE, approvers=Approvers(roles=("finance",), requester=False))
    assert "wants a second person" in await refusal(desk, approval_id, LEE)
    assert await give(desk, ZOE, approval_id)


async def test_a_card_asked_by_an_older_policy_does_not_let_one_be_given_now(desk: Desk) -> None:
    desk.gate = replace(desk.gate, policy=policy(requester=False))
    approval_id = await ask(desk, requester=LEE)
    assert "not allow others like it. You asked for this yourself" in await refusal(desk, approval_id, LEE)


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
    found = await desk.gate.revoke(grant_id, ZOE, "slack")
    assert found.revoked_by
    assert found.revoked_by.person == "zoe"
    assert not await is_used(desk)


async def test_its_giver_may_take_it_back_though_they_might_not_give_it_any_more(desk: Desk) -> None:
    grant_id = await give(desk)
    people(desk, lee=PERSONS["lee"].model_copy(update={"roles": ()}))
    assert (await desk.gate.revoke(grant_id, LEE, "slack")).revoked


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
