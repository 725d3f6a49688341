"""What time, changes, cancellations and releases do to a plan."""

from dataclasses import replace

import pytest

from agent.conversation import SlackUser
from agent.effects import Step, Verdict
from agent.errors import Refused
from agent.events import TimerFired, ToolStarted
from approvals.decision import Approve
from tests.builders import ADA
from tests.council import whom, with_parameter
from tests.plans import FINANCE, chosen, council, differently, no, plan_of, planned, yes


async def test_a_plan_expires_as_one_and_nothing_of_it_runs() -> None:
    it = council()
    card = await planned(it)
    await chosen(it, "fay", yes(card.plan[1]))
    it.clock.move(3600)
    await it.works()

    after = await plan_of(it, card)
    assert [each.status for each in after.plan] == ["expired", "approved", "expired"]
    assert it.paid == [("2", 50.0)]  # it was approved; the others are decided now, too: they are not to run


async def test_a_plan_that_is_stopped_is_cancelled_as_one_also_what_was_approved_and_waits() -> None:
    it = council()
    card = await planned(it)
    await chosen(it, "fay", yes(card.plan[1]))
    await it.threads.cancel(it.thread_id, ADA, "never mind")
    await it.works()

    after = await plan_of(it, card)
    assert [each.status for each in after.plan] == ["cancelled", "approved", "cancelled"]
    assert it.paid == []


async def test_people_are_reminded_of_the_card_once_and_not_of_each_call() -> None:
    it = council(differently(reminders=2, show_on=("direct",)))
    card = await planned(it)
    it.clock.move(1200)
    await it.works()
    await chosen(it, "fay", no(card.plan[0]))
    it.clock.move(1200)
    await it.works()

    timers = [event.timer for event in await it.events() if isinstance(event, TimerFired)]
    assert timers == [f"remind:{card.approval_id}:1", f"remind:{card.plan[1].approval_id}:2"]
    at_fay = SlackUser(team="T0", user="U0FAY", person="fay").key
    places = [key for key in it.index.database.tables.cards if key[1].partition(" ")[0] == at_fay]
    assert places == [(card.approval_id, f"{at_fay}{reminder}") for reminder in ("", " remind:1", " remind:2")]


async def test_more_people_are_asked_about_all_of_it_on_the_same_card() -> None:
    it = council(differently(escalation=(Step(600.0, roles=("manager",)),), show_on=("direct",)))
    card = await planned(it, 2)
    it.clock.move(600)
    await it.works()

    after = await plan_of(it, card)
    assert [each.is_escalated for each in after.plan] == [True, True]
    cards = list(it.index.database.tables.cards)
    assert {key[0] for key in cards} == {card.approval_id}
    assert sum(key[1].endswith("U0MAX") for key in cards) == 1
    await chosen(it, "max", *map(yes, after.plan))
    assert sorted(it.paid) == [("1", 50.0), ("2", 50.0)]


async def test_a_change_that_needs_others_stays_on_the_card_with_needs_of_its_own_and_holds_the_plan() -> None:
    def judge(call: object, tool: object, state: object) -> Verdict:
        amount = call.arguments["amount"]  # type: ignore[attr-defined]  # a call
        return (
            replace(whom(roles=["cfo"]), show_on=("direct",)) if amount > 100 else replace(FINANCE, show_on=("direct",))
        )

    it = council(judge)
    card = await planned(it, 2)
    edited = Approve(card.plan[1].digest, {"order": "2", "amount": 500.0})
    after = await chosen(it, "fay", yes(card.plan[0]), (card.plan[1], edited))

    assert [(each.status, each.changed_by) for each in after.plan] == [("approved", ""), ("open", "Fay")]
    assert it.paid == []
    cards = list(it.index.database.tables.cards)
    assert {key[0] for key in cards} == {card.approval_id}
    assert any(key[1].endswith("U0CY") for key in cards)
    with pytest.raises(Refused, match="Only these may decide this: role cfo"):
        await chosen(it, "fay", yes(after.plan[1]))
    await chosen(it, "cy", yes(after.plan[1]))
    assert sorted(it.paid) == [("1", 50.0), ("2", 500.0)]


async def test_a_tool_that_changes_while_a_plan_waits_has_its_call_asked_anew_and_runs_nothing_unasked() -> None:
    it = council()
    card = await planned(it, 2)
    await chosen(it, "fay", yes(card.plan[0]))
    it.tools = {**it.tools, "pay": with_parameter(it.tools["pay"])}
    await chosen(it, "fay", no(card.plan[1]))

    (again,) = await it.index.listed(thread_id=it.thread_id)
    assert ((await it.request(again)).arguments["order"], it.paid) == ("1", [])
    assert (await it.request(again)).plan == ""


async def test_a_crash_before_the_last_word_loses_nothing_of_a_plan() -> None:
    """Each look begins from the log alone: `works` claims, folds and decides anew."""
    it = council()
    card = await planned(it)
    for each in card.plan:
        assert it.paid == []
        await chosen(it, "fay", yes(each))
    starts = [event for event in await it.events() if isinstance(event, ToolStarted)]
    assert [each.rule for each in starts] == [f"approval {each.approval_id}" for each in card.plan]
    assert sorted(it.paid) == [("1", 50.0), ("2", 50.0), ("3", 50.0)]
