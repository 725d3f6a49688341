"""What is decided is what the screen showed; and what can be done besides: ask, answer, and decide a plan."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.decision import Answer, Approve, GrantTerms, Reject
from bot.slack.app import SlackApp
from bot.slack.blocks import blocks_of
from sandbox import cast
from sandbox.slack.refused import NotPossible
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.doubles import RecordingGate
from tests.integration.slack.screen import ADA, DANA, LEE, SUPPORT, Screen
from tests.unit.slack.cards import a_card, a_plan, another


@pytest.fixture
async def screen(slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate) -> Screen:
    return await Screen.with_card(slack, twokey, gate, a_card())


async def test_an_old_card_without_its_digest_approves_what_was_asked_at_first(screen: Screen) -> None:
    await older_buttons(screen)
    await screen.click(DANA, "approval_approve")
    assert [each[1] for each in screen.gate.decided] == [Approve("0" * 64)]


async def test_a_button_that_does_not_say_what_it_shows_approves_no_changed_call(screen: Screen) -> None:
    await older_buttons(screen)
    screen.become(changed_by="Lee Park", digest="1" * 64)
    await screen.click(DANA, "approval_approve")
    assert [each[1] for each in screen.gate.decided] == [Approve("")]


async def test_a_click_names_the_digest_that_the_screen_showed_not_the_one_of_today(screen: Screen) -> None:
    screen.become(changed_by="Lee Park", digest="1" * 64)
    await screen.click(DANA, "approval_approve")
    assert [each[1] for each in screen.gate.decided] == [Approve("0" * 64)]


async def test_a_form_names_the_digest_that_was_shown_when_it_was_opened(screen: Screen) -> None:
    await screen.click(DANA, "approval_edit")
    screen.become(changed_by="Lee Park", digest="1" * 64)
    await screen.submit(DANA, amount="20")
    assert [each[1] for each in screen.gate.decided] == [Approve("0" * 64, {"order_id": "4711", "amount": 20})]


async def test_the_agent_is_asked_from_the_menu_without_deciding(screen: Screen) -> None:
    await screen.choose(DANA, "remark")
    await screen.submit(DANA, words="Is this the second refund?")
    [(approval_id, text, who, via)] = screen.gate.remarked
    assert (approval_id, text, who.id, via) == (a_card().approval_id, "Is this the second refund?", DANA, "slack")
    assert screen.gate.decided == []
    assert screen.slack.open_views(DANA) == []


async def test_whoever_may_not_decide_may_not_ask_the_agent_either(screen: Screen) -> None:
    await screen.choose(ADA, "remark")
    await screen.submit(ADA, words="Why?")
    assert "support lead" in str(screen.modal(ADA)["blocks"])
    assert screen.gate.remarked == []


async def test_a_result_is_given_in_place_of_running_the_tool(screen: Screen) -> None:
    await screen.choose(DANA, "instead")
    assert "in place of running the tool" in str(screen.modal(DANA)["blocks"])
    await screen.submit(DANA, words="I refunded it by hand.")
    assert [each[1] for each in screen.gate.decided] == [Answer("I refunded it by hand.")]


@pytest.fixture
async def plan(slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate) -> Screen:
    return await Screen.with_card(slack, twokey, gate, a_plan())


async def test_a_plan_is_approved_whole_by_one_decision(plan: Screen) -> None:
    await plan.click(DANA, "plan_approve")
    assert {each[0]: each[1] for each in plan.gate.decided} == {
        each.approval_id: Approve(each.digest) for each in a_plan().plan
    }
    assert plan.gate.rounds == 1


async def test_a_plan_is_rejected_whole_with_a_reason(plan: Screen) -> None:
    await plan.click(DANA, "plan_reject")
    await plan.submit(DANA, words="not today")
    assert [each[1] for each in plan.gate.decided] == [Reject("not today")] * 3
    assert plan.gate.rounds == 1


async def test_of_a_plan_some_are_approved_some_rejected_and_some_left_open(plan: Screen) -> None:
    first, second, _ = a_plan().plan
    await plan.click(DANA, "plan_choose")
    await plan.submit(DANA, **{first.approval_id: "approve", second.approval_id: "reject", "words": "too much"})
    assert {each[0]: each[1] for each in plan.gate.decided} == {
        first.approval_id: Approve(first.digest),
        second.approval_id: Reject("too much"),
    }
    assert plan.gate.rounds == 1


async def test_to_choose_nothing_is_told_beside_the_field(plan: Screen) -> None:
    await plan.click(DANA, "plan_choose")
    await plan.submit(DANA)
    assert "at least one" in str(plan.modal(DANA)["errors"])
    assert plan.gate.decided == []


async def test_one_call_of_a_plan_is_edited_by_itself(plan: Screen) -> None:
    second = a_plan().mates[0]
    await plan.choose(DANA, "edit", second)
    assert json.loads(plan.modal(DANA)["private_metadata"])["approval"] == second.approval_id
    await plan.submit(DANA, amount="20")
    assert plan.gate.decided[0][:2] == (second.approval_id, Approve(second.digest, {"order_id": "4711", "amount": 20}))


@pytest.mark.parametrize("form", [False, True])
async def test_a_plan_that_is_another_by_now_is_not_decided(plan: Screen, *, form: bool) -> None:
    if form:
        await plan.click(DANA, "plan_reject")
    plan.become(mates=(another(2, digest="f" * 64), another(3)))
    if form:
        await plan.submit(DANA)
        assert "no longer what was shown" in str(plan.modal(DANA)["blocks"])
    else:
        await plan.click(DANA, "plan_approve")
        assert "no longer what was shown" in plan.slack.ephemerals(DANA)[0]["text"]
    assert plan.gate.decided == []


async def test_a_plan_that_was_decided_meanwhile_says_by_whom(plan: Screen) -> None:
    mates = tuple(replace(each, status="approved", decided_by="Dana Reyes") for each in a_plan().mates)
    plan.become(status="approved", decided_by="Dana Reyes", mates=mates)
    await plan.click(LEE, "plan_approve")
    assert "Dana Reyes was first" in plan.slack.ephemerals(LEE)[0]["text"]
    await plan.click(LEE, "plan_choose")
    assert "Dana Reyes was first: this was approved already." in str(plan.modal(LEE)["blocks"])


async def older_buttons(screen: Screen) -> None:
    """The card as a version posted it that did not say which digest it shows."""
    buttons = blocks_of(a_card())[-1] | {"block_id": f"approval:{a_card().approval_id}"}
    await screen.app.client.chat_update(channel=SUPPORT, ts=screen.ts, text="x", blocks=[buttons])


async def test_a_grant_is_read_in_words_before_it_is_given(
    slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate
) -> None:
    screen = await Screen.with_card(slack, twokey, gate, a_card(may_grant=True))
    await screen.choose(DANA, "grant")
    await screen.submit(DANA, scope="requester", span="7d", uses="3")
    assert "until 2026-12-02" in str(screen.modal(DANA)["blocks"])
    assert gate.decided == []
    await screen.submit(DANA)
    terms = GrantTerms("requester", gate.clock.now() + timedelta(days=7), 3)
    assert [each[1] for each in gate.decided] == [Approve("0" * 64, grant=terms)]
    assert slack.open_views(DANA) == []


async def test_terms_that_the_gate_refuses_are_told_beside_the_field(
    slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate
) -> None:
    screen = await Screen.with_card(slack, twokey, gate, a_card(may_grant=True))
    gate.objection = "The condition cannot be read: line 1"
    await screen.choose(DANA, "grant")
    await screen.submit(DANA, which="where", condition="args.amount <")
    assert screen.modal(DANA)["errors"] == {"grant.condition": "The condition cannot be read: line 1"}


async def test_no_grant_is_given_for_a_call_that_changed_while_it_was_read(
    slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate
) -> None:
    screen = await Screen.with_card(slack, twokey, gate, a_card(may_grant=True))
    await screen.choose(DANA, "grant")
    await screen.submit(DANA)
    screen.become(changed_by="Lee Park", digest="1" * 64)
    await screen.submit(DANA)
    assert [each[1].digest for each in gate.decided if isinstance(each[1], Approve)] == ["0" * 64]


async def test_where_the_policy_lets_nobody_no_grant_is_offered(screen: Screen) -> None:
    with pytest.raises(NotPossible):
        await screen.choose(DANA, "grant")
    action = {
        "action_id": "approval_more",
        "block_id": f"approval:{a_card().approval_id}",
        "selected_option": {"value": f"grant:{a_card().approval_id}"},
    }
    trigger = screen.slack.workspace.tickets.trigger(DANA, cast.TEAM)
    user = {"id": DANA, "team_id": cast.TEAM}
    payload = {"type": "block_actions", "user": user, "team": {"id": cast.TEAM}, "trigger_id": trigger}
    assert (await screen.slack.send_interaction(payload | {"actions": [action]})).ok
    await screen.app.errands.drain(3)
    assert "lets nobody" in str(screen.modal(DANA)["blocks"])
