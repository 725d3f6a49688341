"""What people do in Slack reaches the inbox, over HTTP and over Socket Mode alike."""

import pytest

from agent.conversation import JsonObject
from agent.errors import Conflict
from bot.slack.app import SlackApp
from sandbox import cast
from sandbox.slack.directory import Channel, Team, User
from sandbox.slack.standin import SlackStandIn
from sandbox.slack.talking import MentionOrder
from tests.integration.slack.doubles import RecordingInbox

SUPPORT = cast.SUPPORT.id
ADA, DANA = cast.ADA.slack, cast.DANA.slack


@pytest.mark.parametrize("order", ["mention_first", "message_first", "together"])
async def test_a_mention_comes_as_two_events_in_any_order_and_is_taken_in_once(
    slack: SlackStandIn, twokey: SlackApp, inbox: RecordingInbox, order: MentionOrder
) -> None:
    slack.mention_order = order
    said = await slack.say(ADA, SUPPORT, "refund &amp; apologise", mention=True)
    assert said.ok
    assert [(each.text, each.conversation.key) for each in inbox.taken] == [
        ("refund & apologise", f"slack:{cast.TEAM}:{SUPPORT}:{said.ts}")
    ]
    assert twokey.is_healthy


@pytest.mark.usefixtures("twokey")
async def test_replies_continue_a_thread_without_a_mention_and_start_none(
    slack: SlackStandIn, inbox: RecordingInbox
) -> None:
    said = await slack.say(ADA, SUPPORT, "one", mention=True)
    await slack.say(DANA, SUPPORT, "two", thread_ts=said.ts)
    await slack.broadcast(DANA, SUPPORT, "three", said.ts)
    await slack.say(DANA, SUPPORT, "four", thread_ts=said.ts, mention=True)
    other = await slack.say(DANA, SUPPORT, "among us")
    assert (await slack.say(ADA, SUPPORT, "really", thread_ts=other.ts)).ok
    assert inbox.texts == ["one", "two", "three", "four"]
    assert len({each.conversation.key for each in inbox.taken}) == 1


@pytest.mark.usefixtures("twokey")
async def test_a_dm_is_a_thread_of_its_own_by_its_root(slack: SlackStandIn, inbox: RecordingInbox) -> None:
    first = await slack.dm(ADA, "one")
    await slack.dm(ADA, "two")
    await slack.dm(ADA, "three", thread_ts=first.ts)
    keys = [each.conversation.key for each in inbox.taken]
    assert keys[0] == keys[2] != keys[1]
    assert all(each.starts for each in inbox.taken)


@pytest.mark.usefixtures("twokey")
async def test_a_file_without_words_is_taken_in(slack: SlackStandIn, inbox: RecordingInbox) -> None:
    said = await slack.share_file(ADA, slack.im_of(ADA), "bill.pdf", b"x")
    assert said.ok
    assert [(each.text, each.attachments[0].name) for each in inbox.taken] == [("", "bill.pdf")]


async def test_edits_previews_deletions_bots_and_our_own_words_are_passed_over(
    slack: SlackStandIn, twokey: SlackApp, inbox: RecordingInbox
) -> None:
    said = await slack.say(ADA, SUPPORT, "one", mention=True)
    done = [
        await slack.edit(ADA, SUPPORT, said.ts, f"<@{cast.BOT_USER}> one more"),
        await slack.preview(SUPPORT, said.ts),
        await slack.other_bot_says(SUPPORT, f"<@{cast.BOT_USER}> hello", thread_ts=said.ts),
        await slack.delete(ADA, SUPPORT, said.ts),
    ]
    posted = await twokey.client.chat_postMessage(channel=SUPPORT, text="mine")
    await twokey.client.chat_update(channel=SUPPORT, ts=posted["ts"], text="mine, changed")
    await slack.settled()
    assert all(each.ok for each in done)
    assert all(attempt.answer.ok for attempt in slack.attempts())
    assert inbox.texts == ["one"]


@pytest.mark.usefixtures("twokey")
async def test_whoever_writes_is_known_by_name_and_looked_up_once(slack: SlackStandIn, inbox: RecordingInbox) -> None:
    for fault in ("hang", "error:user_not_found"):
        slack.faults.next("users.info", fault)
        assert (await slack.dm(ADA, fault)).ok
    for text in ("three", "four"):
        await slack.dm(ADA, text)
    assert [each.sender.name for each in inbox.taken] == ["", "", "Ada Okafor", "Ada Okafor"]
    assert len(slack.calls("users.info")) == 3


@pytest.mark.usefixtures("twokey")
async def test_what_could_not_be_committed_is_not_acknowledged_and_comes_again(
    slack: SlackStandIn, inbox: RecordingInbox
) -> None:
    inbox.failures.append(Conflict("the database is away"))
    said = await slack.dm(ADA, "hello")
    assert not said.ok
    await slack.settled()
    assert inbox.texts == ["hello"]
    assert [attempt.answer.ok for attempt in slack.attempts("message")] == [False, True]


@pytest.mark.usefixtures("twokey")
async def test_an_event_that_comes_again_has_the_same_names(slack: SlackStandIn, inbox: RecordingInbox) -> None:
    await slack.dm(ADA, "hello")
    for number in (1, 2, 3):
        assert (await slack.repeat(slack.attempts("message")[0], number=number)).ok
    assert inbox.texts == ["hello"]


@pytest.mark.usefixtures("twokey")
@pytest.mark.parametrize("kind", ["reaction_added", "app_context_changed", "tokens_revoked", "app_uninstalled", "x.y"])
async def test_an_event_without_use_is_acknowledged(slack: SlackStandIn, inbox: RecordingInbox, kind: str) -> None:
    event: JsonObject = {"type": kind, "user": ADA, "context": {}, "tokens": {}}
    assert (await slack.send_event(event)).ok
    assert inbox.taken == []


async def test_the_stop_button_cancels_says_so_and_takes_the_sign_away(
    slack: SlackStandIn, twokey: SlackApp, inbox: RecordingInbox
) -> None:
    said = await slack.say(ADA, SUPPORT, "work", mention=True)
    await twokey.channel.show_presence(inbox.taken[0].conversation, "working")
    assert (await slack.stop_session(ADA, SUPPORT, said.ts)).ok
    await twokey.errands.drain(2)
    assert inbox.cancelled == [(f"slack:{cast.TEAM}:{SUPPORT}:{said.ts}", ADA)]
    assert slack.messages(SUPPORT, said.ts)[-1]["text"] == "Stopped. Write here to go on."
    assert slack.workspace.sessions[SUPPORT, said.ts].status == "active"


async def test_the_home_tab_is_published_and_the_messages_tab_is_not(slack: SlackStandIn, twokey: SlackApp) -> None:
    assert (await slack.open_home(ADA, "messages")).ok
    await twokey.errands.drain(2)
    assert slack.home(ADA) is None
    assert (await slack.open_home(ADA)).ok
    await twokey.errands.drain(2)
    assert slack.home(ADA) is not None


async def test_in_a_shared_channel_ones_own_people_are_told_and_strangers_are_not(
    slack: SlackStandIn, twokey: SlackApp, inbox: RecordingInbox
) -> None:
    slack.add_team(Team("T0PARTNER", "Partner", "partner"))
    stranger = slack.add_user(User("U0STRANGER", "stranger", "A Stranger", "T0PARTNER")).id
    members = frozenset({ADA, stranger, cast.BOT_USER})
    shared = slack.add_channel(Channel("C0SHARED", "shared", cast.TEAM, members=members))
    event: JsonObject = {
        "type": "app_mention",
        "channel": shared.id,
        "user": stranger,
        "user_team": "T0PARTNER",
        "ts": "1.1",
        "text": f"<@{cast.BOT_USER}> hi",
    }
    assert (await slack.send_event(event, shared=True)).ok
    said = await slack.say(ADA, shared.id, "x")
    own: JsonObject = {**event, "user": ADA, "user_team": cast.TEAM, "ts": said.ts}
    assert (await slack.send_event(own, shared=True)).ok
    await twokey.errands.drain(2)
    assert [each.text for each in inbox.taken] == []
    assert slack.ephemerals(stranger) == []
    assert [(each["thread_ts"], "another organisation" in each["text"]) for each in slack.ephemerals(ADA)] == [
        (said.ts, True)
    ]


@pytest.mark.usefixtures("twokey")
async def test_commands_and_shortcuts_get_an_answer(slack: SlackStandIn) -> None:
    assert (await slack.slash(ADA, SUPPORT, "/twokey", "help")).ok
    assert "I have no commands" in slack.ephemerals(ADA)[0]["text"]
    assert (await slack.shortcut(ADA, "anything")).ok


async def test_stopping_where_nothing_runs_is_acknowledged_and_says_nothing(
    slack: SlackStandIn, twokey: SlackApp, inbox: RecordingInbox
) -> None:
    for thread in ({"thread_ts": "1.1"}, {}):
        event: JsonObject = {"type": "agent_session_stopped", "user": ADA, "channel": SUPPORT, **thread}
        assert (await slack.send_event(event)).ok
    await twokey.errands.drain(2)
    assert inbox.cancelled == []
    assert slack.messages(SUPPORT) == []
