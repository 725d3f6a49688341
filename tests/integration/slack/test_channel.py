"""What we say in Slack: once, whole, in the thread, harmless; and cards that follow the truth."""

import logging
from typing import Any

import pytest

from agent.conversation import ApiThread, MailAddress, SlackThread, SlackUser
from agent.errors import ChannelDown, ChannelRefused
from agent.ports import Presence, Reply
from bot.slack import channel as channel_module
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


@pytest.fixture
async def channel(options: SlackOptions) -> SlackChannel:
    app = SlackApp(options, RecordingInbox(), RecordingGate(), WallClock())
    await app.start()
    return app.channel


@pytest.fixture
async def place(slack: SlackStandIn) -> SlackThread:
    said = await slack.say(ADA, SUPPORT, "refund 4711")
    return SlackThread(team=cast.TEAM, channel=SUPPORT, thread_ts=said.ts)


def a_reply(text: str = "Done.", *, fresh: bool = True) -> Reply:
    return Reply(thread_id="thr_1", reply_id="r1", text=text, fresh=fresh)


def ours(slack: SlackStandIn, place: SlackThread) -> list[dict[str, Any]]:
    return [each for each in slack.messages(place.channel, place.thread_ts) if each["user"] == cast.BOT_USER]


LONG = "\n\n".join(f"Paragraph {number}: " + "word " * 60 for number in range(80))


async def test_a_reply_lands_in_its_thread_with_our_key_and_no_previews(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    receipts = await channel.send(place, a_reply("See [it](https://shop.example) <!here>"))
    [message] = ours(slack, place)
    assert receipts == (f"{cast.TEAM}:{SUPPORT}:{message['ts']}",)
    assert message["thread_ts"] == place.thread_ts
    assert message["blocks"][0]["text"] == "See [it](https://shop.example) (shop.example) &lt;!here&gt;"
    assert message["metadata"] == {"event_type": "twokey_reply", "event_payload": {"key": "thr_1.r1", "part": 0}}
    [call] = slack.calls("chat.postMessage")
    assert call.arguments["unfurl_links"] is call.arguments["unfurl_media"] is False
    assert slack.warnings == []


async def test_a_long_reply_is_said_in_order_and_whole(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    receipts = await channel.send(place, a_reply(LONG))
    messages = ours(slack, place)
    assert len(receipts) == len(messages) == 3
    text = "\n\n".join(each["blocks"][0]["text"] for each in messages)
    assert text.split() == LONG.split()


async def test_a_reply_that_says_nothing_is_not_sent(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    assert await channel.send(place, a_reply("  \n")) == ()
    assert ours(slack, place) == []


async def test_a_reply_whose_answer_was_lost_is_found_and_not_said_again(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.send(place, a_reply())
    receipts = await channel.send(place, a_reply(fresh=False))
    [message] = ours(slack, place)
    assert receipts == (f"{cast.TEAM}:{SUPPORT}:{message['ts']}",)


async def test_only_the_parts_that_are_missing_are_said(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "PAGE", 2)
    for number in range(5):
        await slack.say(DANA, SUPPORT, f"noise {number}", thread_ts=place.thread_ts)
    await channel.send(place, a_reply(LONG))
    first, second, third = ours(slack, place)
    await slack_delete(slack, second)
    receipts = await channel.send(place, a_reply(LONG, fresh=False))
    assert receipts[0].endswith(first["ts"])
    assert receipts[2].endswith(third["ts"])
    assert len(ours(slack, place)) == 3


async def slack_delete(slack: SlackStandIn, message: dict[str, Any]) -> None:
    kept = slack.workspace.messages.get(SUPPORT, message["ts"])
    assert kept is not None
    slack.workspace.messages.drop(kept)


async def test_markdown_that_slack_refuses_is_said_in_plain_words(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    slack.faults.next("chat.postMessage", "error:invalid_blocks")
    await channel.send(place, a_reply("**x** & <y>"))
    [message] = ours(slack, place)
    assert message["text"] == "**x** &amp; &amp;lt;y&amp;gt;" or message["text"] == "**x** &amp; &lt;y&gt;"


async def test_a_short_wait_is_waited_out(slack: SlackStandIn, channel: SlackChannel, place: SlackThread) -> None:
    slack.faults.next("chat.postMessage", "429", retry_after=0)
    await channel.send(place, a_reply())
    assert len(ours(slack, place)) == 1


@pytest.mark.parametrize("fault", ["429", "500", "error:internal_error", "error:invalid_auth"])
async def test_what_may_pass_or_can_be_mended_is_for_the_outbox_to_try_again(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, fault: str
) -> None:
    slack.faults.next("chat.postMessage", fault, retry_after=30)
    with pytest.raises(ChannelDown):
        await channel.send(place, a_reply())


@pytest.mark.parametrize("fault", ["channel_not_found", "is_archived", "not_in_channel"])
async def test_what_will_not_pass_is_refused(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, fault: str
) -> None:
    slack.faults.next("chat.postMessage", f"error:{fault}")
    with pytest.raises(ChannelRefused, match=fault):
        await channel.send(place, a_reply())


async def test_places_that_are_not_on_slack_or_not_ours_are_refused(channel: SlackChannel, place: SlackThread) -> None:
    with pytest.raises(ChannelRefused):
        await channel.send(ApiThread(ref="x"), a_reply())
    with pytest.raises(ChannelRefused):
        await channel.show(MailAddress(address="a@b.example", person="a"), a_card(), "", fresh=True)
    with pytest.raises(ChannelRefused, match="not installed"):
        await channel.send(place.model_copy(update={"team": "T0OTHER"}), a_reply())


async def test_a_card_is_shown_in_the_thread_and_follows_the_truth(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    receipt = await channel.show(place, a_card(), "", fresh=True)
    [shown] = ours(slack, place)
    assert receipt == f"{cast.TEAM}:{SUPPORT}:{shown['ts']}"
    assert shown["blocks"][-1]["block_id"] == f"approval:{a_card().approval_id}:{a_card().digest}"
    assert await channel.show(place, approved(outcome="done"), receipt, fresh=False) == receipt
    [settled] = ours(slack, place)
    assert "actions" not in [block["type"] for block in settled["blocks"]]
    assert settled["metadata"]["event_payload"]["key"] == f"card:{a_card().approval_id}"
    assert slack.warnings == []


async def test_a_card_for_a_person_is_shown_in_their_dm(slack: SlackStandIn, channel: SlackChannel) -> None:
    receipt = await channel.show(DM, a_card(), "", fresh=True)
    [message] = slack.messages(slack.im_of(DANA))
    assert receipt == f"{cast.TEAM}:{slack.im_of(DANA)}:{message['ts']}"
    assert "thread_ts" not in message


@pytest.mark.parametrize("where", ["thread", "dm"])
async def test_a_card_whose_answer_was_lost_is_found_and_brought_up_to_date(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, where: str
) -> None:
    address = place if where == "thread" else DM
    card = a_card(asked_at=WallClock().now())
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(ChannelDown):
        await channel.show(address, card, "", fresh=True)
    receipt = await channel.show(address, approved(asked_at=card.asked_at), "", fresh=False)
    messages = ours(slack, place) if where == "thread" else slack.messages(slack.im_of(DANA))
    assert [each["ts"] for each in messages] == [receipt.split(":")[2]]
    assert "✅ Approved" in str(messages[0]["blocks"])


async def test_somebody_elses_copy_of_our_note_is_not_taken_for_ours(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    forged = await slack.say(ADA, SUPPORT, "x", thread_ts=place.thread_ts)
    kept = slack.workspace.messages.get(SUPPORT, forged.ts)
    assert kept is not None
    note = {"event_type": "twokey_reply", "event_payload": {"key": "thr_1.r1", "part": 0}}
    slack.workspace.messages.change(kept, metadata=note)
    await channel.send(place, a_reply(fresh=False))
    assert len(ours(slack, place)) == 1


async def test_a_card_that_was_deleted_is_shown_again_only_while_it_is_open(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    receipt = await channel.show(place, a_card(), "", fresh=True)
    await slack_delete(slack, ours(slack, place)[0])
    again = await channel.show(place, a_card(), receipt, fresh=False)
    assert again != receipt
    await slack_delete(slack, ours(slack, place)[0])
    assert await channel.show(place, approved(), again, fresh=False) == again
    assert ours(slack, place) == []


async def test_a_card_whose_blocks_are_refused_is_shown_in_words_with_another_way(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    slack.faults.next("chat.postMessage", "error:invalid_blocks")
    receipt = await channel.show(place, a_card(), "", fresh=True)
    [message] = ours(slack, place)
    assert receipt.endswith(message["ts"])
    assert "twokey approvals show" in message["text"]


@pytest.mark.parametrize("presence, status", [("working", "processing"), ("waiting", "suspended"), ("idle", "active")])
async def test_the_agents_status_is_slacks_own(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, presence: Presence, status: str
) -> None:
    await channel.show_presence(place, presence)
    assert slack.workspace.sessions[SUPPORT, place.thread_ts].status == status
    assert slack.calls("assistant.threads.setStatus") == []


async def test_where_slack_knows_no_sessions_a_line_stands_in_and_is_cleared(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread
) -> None:
    slack.faults.next("agents.sessions.setStatus", "error:unknown_method", times=3)
    texts = []
    for presence in ("working", "waiting", "idle"):
        await channel.show_presence(place, presence)
        texts.append(slack.calls("assistant.threads.setStatus")[-1].arguments["status"])
    assert texts == ["is working…", "", ""]


async def test_a_status_that_cannot_be_set_does_not_block(
    slack: SlackStandIn, channel: SlackChannel, place: SlackThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "PRESENCE_PATIENCE", 0.1)
    slack.faults.next("agents.sessions.setStatus", "hang")
    with pytest.raises(ChannelDown):
        await channel.show_presence(place, "working")
    await channel.show_presence(ApiThread(ref="x"), "working")


async def test_what_is_said_is_not_logged(
    channel: SlackChannel, place: SlackThread, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await channel.send(place, a_reply("hush hush"))
    assert "hush hush" not in caplog.text + capsys.readouterr().out
