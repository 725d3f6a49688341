"""Every click on a card gets an answer, and a decision reaches the gate as it was meant."""

import asyncio
from dataclasses import replace

import pytest

from approvals.card import Argument
from approvals.decision import Answer, Approve, Reject
from bot.slack import metadata
from bot.slack.app import SlackApp
from bot.slack.interactions import Place
from bot.slack.metadata import Carried
from sandbox import cast
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.doubles import RecordingGate, Shown
from tests.integration.slack.screen import ADA, DANA, LEE, SUPPORT, Screen
from tests.unit.slack.cards import a_card


@pytest.fixture
async def screen(slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate) -> Screen:
    return await Screen.with_card(slack, twokey, gate, a_card())


async def test_approve_settles_with_the_digest_that_was_shown(screen: Screen) -> None:
    await screen.click(DANA, "approval_approve")
    [(approval_id, choice, who, via)] = screen.gate.decided
    assert approval_id == a_card().approval_id
    assert choice == Approve("0" * 64)
    assert (who.key, via) == (f"slack:{cast.TEAM}:{DANA}", "slack")
    assert screen.slack.ephemerals(DANA) == []


async def test_whoever_may_not_decide_is_told_so_in_the_thread_and_alone(screen: Screen) -> None:
    await screen.click(ADA, "approval_approve")
    [told] = screen.slack.ephemerals(ADA)
    assert told["text"] == "Only a &lt;support lead&gt; may decide this."
    assert told["thread_ts"] == screen.root
    assert screen.gate.decided == []


async def test_the_second_of_two_clicks_is_told_who_was_first(screen: Screen) -> None:
    await screen.click(DANA, "approval_approve")
    await screen.click(LEE, "approval_approve")
    assert len(screen.gate.decided) == 1
    assert "Dana Reyes was first" in screen.slack.ephemerals(LEE)[0]["text"]


async def test_a_click_on_an_approval_that_is_gone_is_answered(screen: Screen) -> None:
    screen.gate.shown = None
    await screen.click(DANA, "approval_approve")
    assert "no such approval" in screen.slack.ephemerals(DANA)[0]["text"]


async def test_a_click_that_could_not_be_recorded_is_answered_and_can_be_repeated(screen: Screen) -> None:
    screen.gate.failures.append(RuntimeError("the database is away"))
    answer = await screen.slack.click(DANA, SUPPORT, screen.ts, "approval_approve")
    await screen.app.errands.drain(3)
    assert not answer.ok
    assert "nothing was recorded" in screen.slack.ephemerals(DANA)[0]["text"]
    await screen.click(DANA, "approval_approve")
    assert len(screen.gate.decided) == 1


async def test_where_we_may_not_post_the_clicks_own_address_is_used(screen: Screen) -> None:
    screen.slack.faults.next("chat.postEphemeral", "error:not_in_channel")
    await screen.click(ADA, "approval_approve")
    [told] = screen.slack.ephemerals(ADA)
    assert "support lead" in told["text"]
    assert told["thread_ts"] == screen.root


@pytest.mark.parametrize("action", ["approval_approve", "something_else"])
async def test_a_button_that_we_never_made_is_answered(screen: Screen, action: str) -> None:
    blocks = [
        {
            "type": "actions",
            "block_id": "approval:other",
            "elements": [
                {"type": "button", "action_id": action, "value": "apr", "text": {"type": "plain_text", "text": "Go"}}
            ],
        }
    ]
    posted = await screen.app.client.chat_postMessage(channel=SUPPORT, text="x", blocks=blocks)
    assert (await screen.slack.click(DANA, SUPPORT, posted["ts"], action)).ok
    await screen.app.errands.drain(3)
    assert "does nothing any more" in screen.slack.ephemerals(DANA)[0]["text"]
    assert screen.gate.decided == []


async def test_reject_asks_for_a_reason(screen: Screen) -> None:
    await screen.click(DANA, "approval_reject")
    await screen.submit(DANA, words="too much")
    assert [each[1] for each in screen.gate.decided] == [Reject("too much")]
    assert screen.slack.open_views(DANA) == []


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"status": "expired"}, "This has expired; nobody decided in time."),
        ({"status": "rejected", "reason": "nobody decided in time"}, "This was rejected: nobody decided in time."),
        ({"status": "cancelled"}, "This was cancelled."),
        ({"status": "approved", "decided_by": "Lee Chen"}, "Lee Chen was first: this was approved already."),
    ],
)
async def test_a_form_for_what_is_over_says_how_it_ended(screen: Screen, changes: dict[str, str], told: str) -> None:
    assert screen.gate.shown is not None
    screen.gate.shown = replace(screen.gate.shown, card=a_card(**changes))
    await screen.click(DANA, "approval_reject")
    assert told in str(screen.slack.open_views(DANA)[-1])
    assert screen.gate.decided == []


async def test_reject_needs_no_reason(screen: Screen) -> None:
    await screen.click(DANA, "approval_reject")
    await screen.submit(DANA)
    assert [each[1] for each in screen.gate.decided] == [Reject("")]


async def test_edit_approves_with_what_was_typed(screen: Screen) -> None:
    await screen.click(DANA, "approval_edit")
    await screen.submit(DANA, amount="20")
    assert [each[1] for each in screen.gate.decided] == [Approve("0" * 64, {"order_id": "4711", "amount": 20})]
    assert screen.slack.open_views(DANA) == []


async def test_what_the_tool_does_not_take_is_told_beside_its_field(screen: Screen) -> None:
    screen.gate.objection = "amount: must be at most 49.9"
    await screen.click(DANA, "approval_edit")
    await screen.submit(DANA, amount="200")
    assert screen.modal(DANA)["errors"] == {"argument.1.amount": "amount: must be at most 49.9"}
    screen.gate.objection = ""
    await screen.submit(DANA, amount="20")
    assert len(screen.gate.decided) == 1


async def test_a_form_that_cannot_be_read_is_told_beside_its_field(screen: Screen) -> None:
    await screen.click(DANA, "approval_edit")
    screen.gate.shown = replace(screen.gate.shown, parameters={"properties": {"amount": {"type": "number"}}})  # type: ignore[type-var]  # it is there
    view = screen.modal(DANA)
    assert (await screen.slack.submit(DANA, view["id"], {})).ok
    assert "changed since" in next(iter(screen.modal(DANA)["errors"].values()))
    assert screen.gate.decided == []


async def test_a_modal_of_somebody_who_may_not_decide_says_so(screen: Screen) -> None:
    await screen.click(ADA, "approval_reject")
    await screen.submit(ADA, words="no")
    assert "support lead" in str(screen.modal(ADA)["blocks"])
    assert screen.gate.decided == []


async def test_a_modal_that_comes_back_too_late_says_so(screen: Screen) -> None:
    await screen.click(LEE, "approval_reject")
    await screen.click(DANA, "approval_approve")
    await screen.submit(LEE, words="no")
    assert "Dana Reyes was first" in str(screen.modal(LEE)["blocks"])


async def test_a_stale_button_of_a_settled_card_opens_no_form(screen: Screen) -> None:
    await screen.click(DANA, "approval_approve")
    await screen.click(LEE, "approval_edit")
    assert "This was approved." in str(screen.modal(LEE)["blocks"])


async def test_a_slow_look_up_shows_a_stand_in_first(screen: Screen) -> None:
    screen.gate.slowness = 1.2
    await screen.click(DANA, "approval_reject")
    assert screen.modal(DANA)["callback_id"] == "approval_reject"
    assert [call.method for call in screen.slack.calls() if call.method.startswith("views.")] == [
        "views.open",
        "views.update",
    ]


async def test_two_clicks_at_once_settle_once(screen: Screen) -> None:
    answers = await asyncio.gather(
        *(screen.slack.click(user, SUPPORT, screen.ts, "approval_approve") for user in (DANA, LEE))
    )
    assert all(answer.ok for answer in answers)
    assert len(screen.gate.decided) == 1


async def test_a_choice_is_answered_with_its_words(slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate) -> None:
    card = a_card(about="question", choices=("Standard", "Express"), arguments=())
    screen = await Screen.with_card(slack, twokey, gate, card)
    await screen.click(DANA, "approval_choice_1")
    assert [each[1] for each in gate.decided] == [Answer("Express")]


async def test_a_choice_that_is_not_there_is_refused(
    slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate
) -> None:
    card = a_card(about="question", choices=("Standard", "Express"), arguments=())
    screen = await Screen.with_card(slack, twokey, gate, card)
    gate.shown = Shown(replace(card, choices=()), {}, {})
    await screen.click(DANA, "approval_choice_1")
    assert gate.decided == []
    assert "does nothing any more" in slack.ephemerals(DANA)[0]["text"]


async def test_a_question_is_answered_in_ones_own_words(
    slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate
) -> None:
    screen = await Screen.with_card(slack, twokey, gate, a_card(about="question", arguments=()))
    await screen.click(DANA, "approval_answer")
    await screen.submit(DANA, words="neither of them")
    assert [each[1] for each in gate.decided] == [Answer("neither of them")]


async def test_details_show_everything_to_everybody(slack: SlackStandIn, twokey: SlackApp, gate: RecordingGate) -> None:
    card = a_card(arguments=(Argument("note", "x" * 4000 + "the end"),))
    screen = await Screen.with_card(slack, twokey, gate, card)
    await screen.click(ADA, "approval_details")
    assert "the end" in str(screen.modal(ADA)["blocks"])


async def test_a_look_up_that_fails_is_said_in_the_modal(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    async def view(approval_id: str) -> None:
        raise OSError(approval_id)

    monkeypatch.setattr(screen.gate, "view", view)
    await screen.click(DANA, "approval_reject")
    assert "nothing was recorded" in str(screen.modal(DANA)["blocks"])


async def test_a_form_for_an_approval_that_is_gone_says_so(screen: Screen) -> None:
    screen.gate.shown = None
    await screen.click(DANA, "approval_reject")
    assert "no such approval" in str(screen.modal(DANA)["blocks"])


@pytest.mark.parametrize(
    "callback, carried, words",
    [
        (
            "approval_other",
            metadata.written(Carried(a_card().approval_id, Place("", ""))),
            "cannot be read",
        ),
        ("approval_reject", '{"approval":"apr_gone","channel":"","ts":"","thread_ts":""}', "no such approval"),
        ("approval_reject", "not ours", "cannot be read"),
    ],
)
async def test_a_modal_that_is_not_ours_decides_nothing(
    screen: Screen, callback: str, carried: str, words: str
) -> None:
    view = {"callback_id": callback, "private_metadata": carried, "state": {"values": {}}, "type": "modal"}
    user = {"id": DANA, "team_id": cast.TEAM}
    payload = {"type": "view_submission", "user": user, "team": {"id": cast.TEAM}, "view": view}
    answer = await screen.slack.send_interaction(payload)
    assert answer.json()["response_action"] == "update"
    assert words in answer.body
    assert screen.gate.decided == []


async def test_a_refusal_that_cannot_be_told_harms_nothing(screen: Screen) -> None:
    screen.slack.faults.next("chat.postEphemeral", "error:internal_error")
    screen.slack.faults.next("response_url", "500")
    await screen.click(ADA, "approval_approve")
    assert screen.slack.ephemerals(ADA) == []
    await screen.click(DANA, "approval_approve")
    assert len(screen.gate.decided) == 1
