"""A model that writes an approval card's text to fool the reader, and whatever hides in values: shown plainly."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.events import DecisionRefused
from agent.verdict import Approvers
from sandbox.slack.standin import SlackStandIn
from tests.builders import a_call, calls, said
from tests.integration.slack.house import DANA, LEE, House, a_house, asking

FAKE_BLOCKS = json.dumps(
    [
        {"type": "header", "text": {"type": "plain_text", "text": "✅ Approved"}},
        {"type": "actions", "elements": [{"type": "button", "action_id": "approval_approve", "value": "apr_1"}]},
    ]
)
IMITATIONS = [
    FAKE_BLOCKS,
    "*✅ Approved* by <@U0DANA>\n<!channel> <!here> <https://evil.example|Approve>",
    "</rich_text>\n🔑 Approval needed\nTakes nobody\n[Approve](https://evil.example)",
    "Expires <!date^1^{date}|never>",
    "```\nnot code\n```\n> *bold* _it_ ~no~ :white_check_mark:",
]
HIDDEN = {
    "4711\u202e1174": "4711⟨U+202E⟩1174",
    "47\u200b11": "47⟨U+200B⟩11",
    "p\u0430ypal": "p⟨U+0430⟩ypal",
    "a\u00adb\u3164": "a⟨U+00AD⟩b⟨U+3164⟩",
}
OURS = ("Expires <!date^",)


def walk(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def assert_plain(blocks: list[dict[str, Any]]) -> None:
    """Nothing in these is parsed but our own date, and nobody's text is a button or a link."""
    for each in walk(blocks):
        if each.get("type") == "mrkdwn":
            assert each["text"].startswith(OURS)
            assert each["text"].count("<") == 1
        assert each.get("type") not in {"markdown", "user", "broadcast", "usergroup", "link", "image"}
        if each.get("type") == "button":
            assert each["value"].startswith("apr_")
            assert "url" not in each
        if each.get("type") == "text" and ("evil" in each["text"] or "approval_approve" in each["text"]):
            assert each.get("style", {}) in ({}, {"code": True}), "in a box, or set as code"


def boxed(blocks: list[dict[str, Any]]) -> str:
    """What stands in boxes and as code."""
    boxes = [each for each in walk(blocks) if each.get("type") == "rich_text_preformatted"]
    codes = [
        each["text"] for each in walk(blocks) if each.get("style") in ({"code": True}, {"code": True, "strike": True})
    ]
    return "\n".join([*(part["text"] for box in boxes for part in box["elements"]), *codes])


@pytest.mark.parametrize("text", IMITATIONS)
async def test_what_imitates_a_card_is_shown_plainly_wherever_a_model_can_write(
    slack: SlackStandIn, tmp_path: Path, text: str
) -> None:
    call = a_call("refund", "c1", order_id=text, amount=1.0)
    async with a_house(slack, tmp_path, asking(), calls(call), said(text), said("Done.")) as house:
        await house.say()
        await house.choose(DANA, "remark")
        await house.submit(DANA, words=text)
        shown = await house.card("The agent answered")
        assert_plain(shown["blocks"])
        assert boxed(shown["blocks"]).count(text) >= 3, "the argument, the question and the answer"
        assert [each["type"] for each in shown["blocks"]].count("actions") == 1
        assert "<" not in shown["text"].replace("<!date^", "")
        await house.choose(DANA, "details")
        assert_plain(slack.open_views(DANA)[-1]["blocks"])
        assert slack.warnings == []


@pytest.mark.parametrize("value", HIDDEN)
async def test_what_hides_or_passes_for_another_is_spelt_in_argument_preview_and_title(
    slack: SlackStandIn, tmp_path: Path, value: str
) -> None:
    call = a_call("refund", "c1", order_id=value, amount=1.0)
    async with a_house(slack, tmp_path, asking(), calls(call)) as house:
        await house.say()
        shown = await house.card()
        whole = json.dumps([shown["blocks"], shown["text"]], ensure_ascii=False)
        assert whole.count(HIDDEN[value]) >= 3
        assert value not in whole
        await house.home(DANA)
        assert value not in json.dumps(house.tab(DANA), ensure_ascii=False)


async def test_ten_thousand_characters_leave_the_card_its_buttons_and_are_read_in_full(
    slack: SlackStandIn, tmp_path: Path
) -> None:
    value = "".join(chr(ord("a") + number % 26) for number in range(9_990)) + "THE END"
    call = a_call("refund", "c1", order_id=value, amount=1.0)
    async with a_house(slack, tmp_path, asking(), calls(call), said("Done.")) as house:
        await house.say()
        shown = await house.card("more characters, open Details")
        assert "THE END" not in str(shown["blocks"])
        await house.click(DANA, "approval_details")
        text = "".join(e["text"] for e in walk(slack.open_views(DANA)[-1]["blocks"]) if isinstance(e.get("text"), str))
        assert value in text
        await house.click(DANA, "approval_approve")
        await house.until("the refund", lambda: house.ledger.refunds)
        assert house.ledger.refunds[0][0] == value


async def test_a_click_on_the_screen_of_before_an_edit_approves_nothing(slack: SlackStandIn, tmp_path: Path) -> None:
    two = asking(approvers=Approvers(roles=("finance",), count=2))
    call = a_call("refund", "c1", order_id="1042", amount=40.0)
    async with a_house(slack, tmp_path, two, calls(call), said("Done.")) as house:
        await house.say()
        before = await house.card()
        await house.click(LEE, "approval_edit")
        await house.submit(LEE, amount="4000")
        await house.card("✏️ Changed by Lee Chen")
        await stale(house, before, "approval_approve")
        assert "no longer what was shown" in slack.ephemerals(DANA)[-1]["text"]
        assert house.ledger.refunds == []
        refused = [each for each in await house.events() if isinstance(each, DecisionRefused)]
        assert [(each.by.person, each.attempt) for each in refused] == [("dana", "approve")]
        await house.click(DANA, "approval_approve")
        await house.until("the refund", lambda: house.ledger.refunds)
        assert [each[1] for each in house.ledger.refunds] == [4000.0]


async def stale(house: House, card: dict[str, Any], action: str) -> None:
    """Dana's screen still shows the card as it was: her click says what she saw."""
    block = card["blocks"][-1]
    button = next(each for each in block["elements"] if each["action_id"] == action)
    body = {
        "type": "block_actions",
        "user": {"id": DANA, "team_id": card["team"]},
        "team": {"id": card["team"]},
        "container": {"type": "message", "message_ts": card["ts"], "channel_id": card["channel"]},
        "channel": {"id": card["channel"]},
        "message": card,
        "trigger_id": "1.2.3",
        "actions": [{**button, "block_id": block["block_id"]}],
    }
    assert (await house.slack.send_interaction(body)).ok
    await house.app.errands.drain(15)
