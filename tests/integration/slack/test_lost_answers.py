"""Slack did what was asked and its answer was lost: the second try finds it, and says nothing twice."""

from datetime import timedelta
from typing import Any

import pytest

from agent.conversation import SlackThread, SlackUser
from agent.errors import ChannelDown
from agent.ports import Reply
from approvals.card import Card
from bot.slack.app import SlackApp, SlackOptions
from bot.slack.channel import SlackChannel
from sandbox import cast
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.conftest import WallClock
from tests.integration.slack.doubles import RecordingGate, RecordingInbox
from tests.unit.slack.cards import a_card, approved

SUPPORT = cast.SUPPORT.id
ADA, DANA = cast.ADA.slack, cast.DANA.slack
DM = SlackUser(team=cast.TEAM, user=DANA, person="dana")
LONG = "\n\n".join(f"Paragraph {number}: " + "word " * 60 for number in range(80))
"""Three messages."""


@pytest.fixture
async def channel(options: SlackOptions) -> SlackChannel:
    app = SlackApp(options, RecordingInbox(), RecordingGate(), WallClock())
    await app.start()
    return app.channel


@pytest.fixture
async def place(slack: SlackStandIn) -> SlackThread:
    said = await slack.say(ADA, SUPPORT, "refund 4711")
    return SlackThread(team=cast.TEAM, channel=SUPPORT, thread_ts=said.ts)


def now_open(**changes: object) -> Card:
    """An open card that was asked for just now: Slack's own clock stamps what is looked for."""
    return a_card(asked_at=WallClock().now(), **changes)


def ours(slack: SlackStandIn, channel: str, thread_ts: str | None = None) -> list[dict[str, Any]]:
    return [each for each in slack.messages(channel, thread_ts) if each["user"] == cast.BOT_USER]


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_a_long_reply_of_which_any_part_was_lost_is_said_once_whole_and_in_order(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, lost: int
) -> None:
    slack.faults.next("chat.postMessage", "pass", times=lost)
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.send(place, Reply(thread_id="thr_1", reply_id="r1", text=LONG))
    receipts = await channel.send(place, Reply(thread_id="thr_1", reply_id="r1", text=LONG, fresh=False))
    messages = ours(slack, SUPPORT, place.thread_ts)
    assert [f"{cast.TEAM}:{SUPPORT}:{each['ts']}" for each in messages] == list(receipts)
    assert "\n\n".join(each["blocks"][0]["text"] for each in messages).split() == LONG.split()


@pytest.mark.parametrize("where", ["thread", "direct"])
async def test_a_card_whose_answer_was_lost_is_found(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, where: str
) -> None:
    address = place if where == "thread" else DM
    card = a_card(asked_at=WallClock().now() + timedelta(minutes=4))  # our clock is ahead of Slack's
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.show(address, card, "", fresh=True)
    receipt = await channel.show(address, card, "", fresh=False)
    [message] = ours(slack, receipt.split(":")[1])
    assert receipt.endswith(message["ts"])


async def test_a_card_that_settled_while_its_answer_was_lost_is_found_and_settled(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    card = now_open()
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.show(place, card, "", fresh=True)
    await channel.show(place, approved(asked_at=card.asked_at), "", fresh=False)
    [message] = ours(slack, SUPPORT)
    assert "Approved" in message["text"]
    assert "approval_approve" not in str(message["blocks"])


async def test_an_update_whose_answer_was_lost_is_made_again_on_the_same_message(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    card = now_open()
    receipt = await channel.show(place, card, "", fresh=True)
    slack.faults.next("chat.update", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.show(place, approved(asked_at=card.asked_at), receipt, fresh=False)
    assert await channel.show(place, approved(asked_at=card.asked_at), receipt, fresh=False) == receipt
    [message] = ours(slack, SUPPORT)
    assert "Approved" in message["text"]


@pytest.mark.parametrize("where", ["thread", "direct"])
async def test_a_reminder_names_the_card_and_is_said_once(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, where: str
) -> None:
    address = place if where == "thread" else DM
    card = now_open(title="Refund <order> 4711")
    receipt = await channel.show(address, card, "", fresh=True)
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.remind(address, card, 1, receipt, fresh=True)
    said = await channel.remind(address, card, 1, receipt, fresh=False)
    another = await channel.remind(address, card, 2, receipt, fresh=True)
    place_of = receipt.split(":")[1]
    shown, first, second = ours(slack, place_of)
    assert (said, another) == tuple(f"{cast.TEAM}:{place_of}:{each['ts']}" for each in (first, second))
    link = f"<https://acme.slack.com/archives/{place_of}/p{shown['ts'].replace('.', '')}"
    assert link in first["text"]
    assert "Refund &lt;order&gt; 4711>" in first["text"]
    assert first.get("thread_ts", "") == (place.thread_ts if where == "thread" else "")
    assert slack.warnings == []
