"""Slack's own client against the stand-in: what works there works, what Slack refuses is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.models.blocks import SectionBlock
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.cast import ADA, BOT_USER, DANA, SUPPORT, TEAM
from sandbox.slack.directory import Channel, User
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


async def test_the_token_says_who_it_is_and_what_it_may(client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["team_id"]) == (BOT_USER, TEAM)
    assert "chat:write" in str(answer.headers["x-oauth-scopes"])


async def test_a_message_is_posted_changed_and_deleted(slack: SlackStandIn, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel=HERE, text="one", blocks=[SectionBlock(text="one")])
    ts = posted["ts"]
    assert posted["message"]["blocks"][0]["block_id"]
    await client.chat_update(channel=HERE, ts=ts, text="two")
    (message,) = slack.messages(HERE)
    assert message["text"] == "two"
    assert "blocks" not in message  # text without blocks removes the blocks
    assert message["edited"]["user"] == BOT_USER
    await client.chat_delete(channel=HERE, ts=ts)
    assert slack.messages(HERE) == []


async def test_metadata_comes_back_only_when_asked_for(client: AsyncWebClient) -> None:
    about = {"event_type": "reply", "event_payload": {"id": "r1"}}
    await client.chat_postMessage(channel=HERE, text="one", metadata=about)
    with_it = await client.conversations_history(channel=HERE, include_all_metadata=True)
    without = await client.conversations_history(channel=HERE)
    assert with_it["messages"][0]["metadata"] == about
    assert "metadata" not in without["messages"][0]


async def test_timestamps_only_rise(slack: SlackStandIn, client: AsyncWebClient) -> None:
    stamps = [(await client.chat_postMessage(channel=HERE, text=str(n)))["ts"] for n in range(20)]
    assert stamps == sorted(set(stamps))
    assert [message["text"] for message in slack.messages(HERE)] == [str(n) for n in range(20)]


async def test_a_thread_is_read_from_its_root_in_pages_and_a_reply_gives_only_itself(client: AsyncWebClient) -> None:
    root = (await client.chat_postMessage(channel=HERE, text="root"))["ts"]
    replies = [(await client.chat_postMessage(channel=HERE, text=f"r{n}", thread_ts=root))["ts"] for n in range(4)]
    first = await client.conversations_replies(channel=HERE, ts=root, limit=3)
    assert [m["text"] for m in first["messages"]] == ["root", "r0", "r1"]
    assert first["messages"][0]["reply_count"] == 4
    second = await client.conversations_replies(
        channel=HERE, ts=root, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in second["messages"]] == ["r2", "r3"]
    alone = await client.conversations_replies(channel=HERE, ts=replies[1])
    assert [m["text"] for m in alone["messages"]] == ["r1"]
    history = await client.conversations_history(channel=HERE)
    assert [m["text"] for m in history["messages"]] == ["root"]


async def test_people_and_places_are_looked_up(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.add_user(User("U0PARTNER", "pat", "Pat", "T0PARTNER"))
    assert (await client.users_info(user=ADA.slack))["user"]["profile"]["email"] == ADA.email
    assert (await client.users_info(user="U0PARTNER"))["user"]["is_stranger"] is True
    assert (await client.users_lookupByEmail(email=DANA.email.upper()))["user"]["id"] == DANA.slack
    assert len((await client.users_list())["members"]) == 4
    assert [c["name"] for c in (await client.conversations_list())["channels"]] == ["support", "random"]
    assert len((await client.users_conversations(types="public_channel"))["channels"]) == 2
    assert BOT_USER in (await client.conversations_members(channel=HERE))["members"]
    info = await client.conversations_info(channel=HERE, include_num_members=True)
    assert (info["channel"]["is_member"], info["channel"]["num_members"]) == (True, 4)


async def test_a_direct_conversation_is_opened_once(client: AsyncWebClient) -> None:
    first = (await client.conversations_open(users=ADA.slack, return_im=True))["channel"]
    assert (first["is_im"], first["user"]) == (True, ADA.slack)
    assert (await client.conversations_open(users=[ADA.slack]))["channel"]["id"] == first["id"]
    assert (await client.chat_postMessage(channel=ADA.slack, text="hi"))["channel"] == first["id"]


async def test_reactions_come_and_go(slack: SlackStandIn, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=HERE, text="x"))["ts"]
    await client.reactions_add(channel=HERE, name="eyes", timestamp=ts)
    assert slack.messages(HERE)[0]["reactions"] == [{"name": "eyes", "users": [BOT_USER], "count": 1}]
    assert await refusal(client.reactions_add(channel=HERE, name="eyes", timestamp=ts)) == "already_reacted"
    await client.reactions_remove(channel=HERE, name="eyes", timestamp=ts)
    assert await refusal(client.reactions_remove(channel=HERE, name="eyes", timestamp=ts)) == "no_reaction"


async def test_a_file_goes_up_and_comes_down(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.grant("files:write")
    done = await client.files_upload_v2(channel=HERE, filename="args.json", content="{}", initial_comment="all of it")
    assert slack.messages(HERE)[0]["subtype"] == "file_share"
    url = done["file"]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers={"Authorization": f"Bearer {client.token}"}) as got:
            assert await got.read() == b"{}"
        async with session.get(url) as got:  # without a token: a sign-in page, and 200
            assert (got.status, got.content_type) == (200, "text/html")


async def test_status_session_title_and_prompts_are_kept_for_each_thread(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    root = (await slack.say(ADA.slack, HERE, "hello")).ts
    await client.assistant_threads_setStatus(
        channel_id=HERE, thread_ts=root, status="is thinking", loading_messages=["…"]
    )
    await client.agents_sessions_setStatus(channel_id=HERE, thread_ts=root, status="processing", title="Refund")
    await client.assistant_threads_setTitle(channel_id=HERE, thread_ts=root, title="Refund")
    shown = slack.snapshot()["channels"][0]["messages"][0]
    assert (shown["status"], shown["session"], shown["session_title"]) == ("is thinking", "processing", "Refund")
    await client.chat_postMessage(channel=HERE, thread_ts=root, text="done")  # a reply clears the status
    assert slack.snapshot()["channels"][0]["messages"][0]["status"] == ""
    await client.agents_sessions_rename(channel_id=HERE, thread_ts=root, title="Refund 42")
    im = slack.im_of(ADA.slack)
    prompts = [{"title": "Hi", "message": "Hello"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=im, prompts=prompts)
    assert slack.snapshot()["prompts"] == [{"channel": im, "thread_ts": "", "prompts": prompts}]


async def test_a_stream_is_written_and_stopped(slack: SlackStandIn, client: AsyncWebClient) -> None:
    root = (await slack.say(ADA.slack, HERE, "hello")).ts
    stream = await client.chat_stream(
        channel=HERE, thread_ts=root, recipient_team_id=TEAM, recipient_user_id=ADA.slack, buffer_size=4
    )
    await stream.append(markdown_text="Hello **wor")
    await stream.append(chunks=[{"type": "task_update", "id": "1", "title": "Look up", "status": "in_progress"}])
    assert slack.snapshot()["channels"][0]["messages"][0]["session"] == "processing"
    await stream.append(chunks=[{"type": "task_update", "id": "1", "title": "Look up", "status": "complete"}])
    await stream.stop(markdown_text="ld**", blocks=[SectionBlock(text="end")], session_status="suspended")
    message = slack.messages(HERE, root)[-1]
    assert message["text"] == "Hello **world**"
    assert [block["type"] for block in message["blocks"]] == ["markdown", "task_card", "section"]
    assert message["blocks"][1]["status"] == "complete"
    assert slack.snapshot()["channels"][0]["messages"][0]["session"] == "suspended"


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
    ("missing_scope", lambda c: c.usergroups_users_list(usergroup="S0")),
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


async def test_what_slack_lets_pass_but_a_good_bot_avoids_is_noted(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await client.api_call("chat.postMessage", json={"channel": HERE, "blocks": [{"type": "divider"}]})
    await client.chat_postMessage(channel=HERE, text="x" * 4001, unfurl_links=False)
    await client.chat_postMessage(channel=HERE, text="see https://example.com")
    assert [warning["code"] for warning in slack.warnings] == [
        "missing_text_in_message",
        "text_will_be_split",
        "links_will_unfurl",
    ]


async def test_every_call_is_recorded_in_order_with_its_arguments(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=HERE, text="x")
    await refusal(client.users_info(user="U0NOBODY"))
    first, second = slack.calls()
    assert (first.method, first.arguments, first.ok) == ("chat.postMessage", {"channel": HERE, "text": "x"}, True)
    assert (second.arguments, second.error, second.team_id) == ({"user": "U0NOBODY"}, "user_not_found", TEAM)


async def test_the_rate_limit_of_a_channel_is_there_when_switched_on(
    slack: SlackStandIn, client: AsyncWebClient, later: Later
) -> None:
    slack.app.rate_limited = True
    await client.chat_postMessage(channel=HERE, text="1")
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(channel=HERE, text="2")
    assert (error.value.response.status_code, error.value.response.headers["Retry-After"]) == (429, "1")
    later(1)
    await client.chat_postMessage(channel=HERE, text="3")
    assert [m["text"] for m in slack.messages(HERE)] == ["1", "3"]


async def test_faults_come_when_asked_for_and_then_stop(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.next("chat.postMessage", "error:fatal_error")
    slack.faults.next("*", "500")
    assert await refusal(client.chat_postMessage(channel=HERE, text="x")) == "fatal_error"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel=HERE, text="x")
    assert slack.messages(HERE) == []
    await client.chat_postMessage(channel=HERE, text="x")
    assert [(call.status, call.error) for call in slack.calls()] == [
        (200, "fatal_error"),
        (500, "internal_error"),
        (200, ""),
    ]
    with pytest.raises(ValueError, match="not flood"):
        slack.faults.next("*", "flood")


async def test_the_rate_limit_handler_of_the_sdk_waits_and_tries_again(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.faults.next("chat.postMessage", "429", retry_after=0)
    await client.chat_postMessage(channel=HERE, text="x")
    assert [call.status for call in slack.calls()] == [429, 200]


async def test_a_lost_answer_is_lost_after_the_work_was_done(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel=HERE, text="x")
    assert [m["text"] for m in slack.messages(HERE)] == ["x"]
    assert (slack.calls()[0].status, slack.calls()[0].ok) == (0, True)


async def test_a_hanging_call_does_nothing_and_ends_only_with_the_caller(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    slack.faults.next("chat.postMessage", "hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.chat_postMessage(channel=HERE, text="x")
    assert slack.messages(HERE) == []
    assert slack.calls()[0].status == 0


async def test_a_revoked_token_is_dead(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await slack.revoke()
    assert await refusal(client.auth_test()) == "token_revoked"
    assert slack.attempts()[0].parcel.body["event"] == {
        "type": "tokens_revoked",
        "tokens": {"oauth": [], "bot": [BOT_USER]},
    }
