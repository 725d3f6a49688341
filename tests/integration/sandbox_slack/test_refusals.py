"""What Slack refuses is refused by the same name, seen through its own client."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.cast import ADA, BOT_USER, SUPPORT, TEAM
from sandbox.slack.directory import Channel
from sandbox.slack.scenery import APP_TOKEN
from sandbox.slack.standin import SlackStandIn
from tests.integration.sandbox_slack.bolt_bot import Later

Call = Callable[[AsyncWebClient], Awaitable[Any]]


HERE = SUPPORT.id


VIEW: dict[str, Any] = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [{"type": "divider"}]}


HOME: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}


PROMPT: dict[str, str] = {"title": "a", "message": "b"}


async def refusal(call: Awaitable[Any]) -> str:
    """The error name of a call that must fail."""
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


REFUSED: list[tuple[str, Call]] = [
    ("channel_not_found", lambda c: c.chat_postMessage(channel="C0NOWHERE", text="x")),
    ("no_text", lambda c: c.api_call("chat.postMessage", json={"channel": HERE})),
    ("thread_not_found", lambda c: c.chat_postMessage(channel=HERE, text="x", thread_ts="1.0")),
    ("markdown_text_conflict", lambda c: c.chat_postMessage(channel=HERE, text="x", markdown_text="x")),
    ("msg_too_long", lambda c: c.chat_postMessage(channel=HERE, markdown_text="x" * 12_001)),
    ("invalid_blocks", lambda c: c.chat_postMessage(channel=HERE, text="x", blocks=[{"type": "mystery"}])),
    ("invalid_blocks_format", lambda c: c.chat_postMessage(channel=HERE, text="x", blocks="[")),
    ("invalid_metadata_format", lambda c: c.chat_postMessage(channel=HERE, text="x", metadata={"event_type": 1})),
    ("missing_scope", lambda c: c.chat_postMessage(channel=HERE, text="x", username="Boss")),
    ("invalid_arguments", lambda c: c.chat_postMessage(channel=HERE, text="x", colour="red")),
    ("invalid_arguments", lambda c: c.api_call("chat.postMessage", json={"text": "x"})),
    ("invalid_arguments", lambda c: c.api_call("chat.postMessage", json={"channel": HERE, "text": ["x"]})),
    ("message_not_found", lambda c: c.chat_update(channel=HERE, ts="1.0", text="x")),
    ("message_not_found", lambda c: c.chat_delete(channel=HERE, ts="1.0")),
    ("user_not_found", lambda c: c.chat_postEphemeral(channel=HERE, user="U0NOBODY", text="x")),
    ("user_not_found", lambda c: c.users_info(user="U0NOBODY")),
    ("users_not_found", lambda c: c.users_lookupByEmail(email="nobody@acme.example")),
    ("user_not_found", lambda c: c.conversations_open(users="U0NOBODY")),
    ("thread_not_found", lambda c: c.conversations_replies(channel=HERE, ts="1.0")),
    ("invalid_cursor", lambda c: c.conversations_history(channel=HERE, cursor="x")),
    ("invalid_types", lambda c: c.conversations_list(types="secret")),
    ("message_not_found", lambda c: c.reactions_add(channel=HERE, name="eyes", timestamp="1.0")),
    ("invalid_name", lambda c: c.reactions_add(channel=HERE, name="No Such", timestamp="1.0")),
    ("invalid_trigger_id", lambda c: c.views_open(trigger_id="1.2.3", view=VIEW)),
    ("invalid_arguments", lambda c: c.views_open(trigger_id="1.2.3", view={"type": "modal"})),
    ("not_found", lambda c: c.views_update(view_id="V0NONE", view=VIEW)),
    ("invalid_arguments", lambda c: c.views_publish(user_id="U0NOBODY", view=HOME)),
    ("invalid_thread_ts", lambda c: c.assistant_threads_setStatus(channel_id=HERE, thread_ts="1.0", status="x")),
    ("invalid_arguments", lambda c: c.agents_sessions_setStatus(channel_id=HERE, status="thinking")),
    ("invalid_arguments", lambda c: c.agents_sessions_setStatus(channel_id=HERE, status="active", title="x" * 201)),
    ("invalid_arguments", lambda c: c.assistant_threads_setSuggestedPrompts(channel_id=HERE, prompts=[PROMPT] * 5)),
    ("missing_scope", lambda c: c.files_getUploadURLExternal(filename="x", length=1)),
    ("missing_scope", lambda c: c.files_getUploadURLExternal(filename="a.txt", length=1)),
    ("not_allowed_token_type", lambda c: c.apps_connections_open(app_token=str(c.token))),
    ("not_allowed_token_type", lambda c: c.auth_test(token=APP_TOKEN)),
    ("invalid_auth", lambda c: c.auth_test(token="xoxb-wrong")),
    ("unknown_method", lambda c: c.api_call("chat.shout", json={})),
]


@pytest.mark.parametrize("error,call", REFUSED, ids=[f"{n}-{error}" for n, (error, _) in enumerate(REFUSED)])
async def test_what_slack_refuses_is_refused_by_the_same_name(client: AsyncWebClient, error: str, call: Call) -> None:
    assert await refusal(call(client)) == error


async def test_a_refusal_of_blocks_and_of_arguments_says_where(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(
            channel=HERE, text="x", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
        )
    assert error.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(channel=HERE, text="x", colour="red")
    assert error.value.response["response_metadata"]["messages"] == [
        "[ERROR] unknown argument: colour [json-pointer:/colour]"
    ]


async def test_without_a_token_the_call_is_not_authed(client: AsyncWebClient) -> None:
    url = f"{client.base_url}auth.test"
    async with aiohttp.ClientSession() as session, session.post(url) as got:
        assert await got.json() == {"ok": False, "error": "not_authed"}


async def test_each_kind_of_conversation_needs_its_own_scope(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.withdraw("channels:history", "im:read", "users:read.email")
    with pytest.raises(SlackApiError) as error:
        await client.conversations_history(channel=HERE)
    assert (error.value.response["error"], error.value.response["needed"]) == ("missing_scope", "channels:history")
    assert await refusal(client.conversations_info(channel=slack.im_of(ADA.slack))) == "missing_scope"
    assert await refusal(client.conversations_list(types="im")) == "missing_scope"
    assert "email" not in (await client.users_info(user=ADA.slack))["user"]["profile"]
    assert (await client.conversations_info(channel=HERE))["ok"]


async def test_outside_a_channel_the_bot_neither_writes_nor_reads(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.add_channel(Channel("C0OTHER", "other", TEAM, members=frozenset({ADA.slack})))
    slack.add_channel(Channel("G0SECRET", "secret", TEAM, "group", frozenset({ADA.slack})))
    slack.add_channel(Channel("C0OLD", "old", TEAM, members=frozenset({BOT_USER}), is_archived=True))
    assert await refusal(client.chat_postMessage(channel="C0OTHER", text="x")) == "not_in_channel"
    assert await refusal(client.conversations_history(channel="C0OTHER")) == "not_in_channel"
    assert await refusal(client.chat_postMessage(channel="G0SECRET", text="x")) == "channel_not_found"
    assert await refusal(client.chat_postMessage(channel="C0OLD", text="x")) == "is_archived"
    assert await refusal(client.chat_postEphemeral(channel="C0OTHER", user=ADA.slack, text="x")) == "not_in_channel"


async def test_only_own_messages_are_changed_or_deleted(slack: SlackStandIn, client: AsyncWebClient) -> None:
    ts = (await slack.say(ADA.slack, HERE, "mine")).ts
    assert await refusal(client.chat_update(channel=HERE, ts=ts, text="x")) == "cant_update_message"
    assert await refusal(client.chat_delete(channel=HERE, ts=ts)) == "cant_delete_message"
    own = (await client.chat_postMessage(channel=HERE, text="x"))["ts"]
    assert await refusal(client.chat_update(channel=HERE, ts=own, text="x" * 4001)) == "msg_too_long"


async def test_a_stream_in_a_channel_names_its_reader_and_dies_of_age(
    slack: SlackStandIn, client: AsyncWebClient, later: Later
) -> None:
    root = (await slack.say(ADA.slack, HERE, "hello")).ts
    start: dict[str, Any] = {"channel": HERE, "thread_ts": root}
    assert await refusal(client.chat_startStream(**start)) == "missing_recipient_team_id"
    assert await refusal(client.chat_startStream(**start, recipient_team_id=TEAM)) == "missing_recipient_user_id"
    ts = (await client.chat_startStream(**start, recipient_team_id=TEAM, recipient_user_id=ADA.slack))["ts"]
    assert await refusal(client.chat_appendStream(channel=HERE, ts=ts)) == "no_text"
    assert await refusal(client.chat_appendStream(channel=HERE, ts=ts, markdown_text="x" * 12_001)) == "msg_too_long"
    assert await refusal(client.chat_appendStream(channel=HERE, ts=ts, chunks=[{"type": "x"}])) == "invalid_chunks"
    assert await refusal(client.chat_update(channel=HERE, ts=ts, text="x")) == "streaming_state_conflict"
    later(307)
    gone = "message_not_in_streaming_state"
    assert await refusal(client.chat_appendStream(channel=HERE, ts=ts, markdown_text="x")) == gone
    assert await refusal(client.chat_stopStream(channel=HERE, ts=ts)) == gone


async def test_a_revoked_token_is_dead(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await slack.revoke()
    assert await refusal(client.auth_test()) == "token_revoked"
    assert slack.attempts()[0].parcel.body["event"] == {
        "type": "tokens_revoked",
        "tokens": {"oauth": [], "bot": [BOT_USER]},
    }
