"""When nobody decides: more people are asked, and votes that are there stay."""

from dataclasses import replace

import pytest

from agent.effects import Step
from agent.errors import Refused
from agent.events import ApprovalEscalated
from approvals.decision import Reject
from tests.council import Council, person, whom

PEOPLE = [person("fay", "finance"), person("max", "manager"), person("cy", "cfo"), person("ada", "support")]
STEPS = (Step(600.0, roles=("manager",)), Step(1200.0, roles=("cfo",), people=("ada",)))


def council(**approvers: object) -> Council:
    return Council(list(PEOPLE), replace(whom(**approvers), escalation=STEPS, show_on=("direct",)))


async def test_more_people_may_decide_from_then_on_and_not_before() -> None:
    it = council(roles=["finance"])
    asked = await it.ask()
    it.clock.move(599)
    await it.works()
    with pytest.raises(Refused, match="Only these"):
        await it.approves("max", asked)
    it.clock.move(1)
    await it.works()

    with pytest.raises(Refused, match="Only these"):
        await it.approves("cy", asked)
    card = await it.approves("max", asked)
    assert (card.status, card.is_escalated) == ("approved", True)
    assert it.paid == [("1", 50.0)]


async def test_each_step_adds_to_the_one_before_and_each_is_made_once() -> None:
    it = council(roles=["finance"])
    asked = await it.ask()
    for _ in range(30):
        it.clock.move(60)
        await it.works()

    steps = [event for event in await it.events() if isinstance(event, ApprovalEscalated)]
    assert [(each.step, each.approvers.roles, each.approvers.people) for each in steps] == [
        (1, ("finance", "manager"), ()),
        (2, ("finance", "manager", "cfo"), ("ada",)),
    ]
    assert [[each.key.rpartition(":")[2] for each in step.shown_on] for step in steps] == [
        ["U0FAY", "U0MAX"],
        ["U0FAY", "U0MAX", "U0CY", "U0ADA"],
    ]
    await it.approves("ada", asked)
    assert it.paid == [("1", 50.0)]


async def test_both_steps_are_made_when_the_thread_is_looked_at_long_after() -> None:
    it = council(roles=["finance"])
    asked = await it.ask()
    it.clock.move(1300)
    await it.works()

    assert (await it.kinds()).count("approval_escalated") == 2
    await it.approves("cy", asked)
    assert it.paid == [("1", 50.0)]


async def test_votes_stay_and_the_seats_that_are_left_may_be_filled_by_more_people() -> None:
    it = council(roles=["finance"], count=2)
    asked = await it.ask()
    await it.approves("fay", asked)
    before = (await it.record(asked)).version
    it.clock.move(600)
    await it.works()

    assert (await it.record(asked)).version == before == 1
    await it.approves("max", asked)
    assert it.paid == [("1", 50.0)]


async def test_each_group_is_open_to_those_who_are_asked_later_and_each_of_them_is_one() -> None:
    it = council(each=[{"roles": ["finance"]}, {"people": ["ada"]}])
    asked = await it.ask()
    it.clock.move(600)
    await it.works()

    assert (await it.approves("max", asked)).status == "open"
    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_nobody_else_is_asked_once_it_is_decided() -> None:
    it = council(roles=["finance"])
    asked = await it.ask()
    await it.says("fay", Reject("no"), asked)
    it.clock.move(1300)
    await it.works()

    assert "approval_escalated" not in await it.kinds()


async def test_what_would_be_asked_after_the_end_is_not_asked() -> None:
    it = Council(list(PEOPLE), replace(whom(roles=["finance"]), escalation=STEPS, timeout=700.0))
    asked = await it.ask()
    it.clock.move(5000)
    await it.works()

    assert await it.outcome(asked) == "expired"
    assert len((await it.request(asked)).escalations) == 1
