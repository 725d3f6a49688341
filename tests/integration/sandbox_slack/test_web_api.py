"""Slack's own client against the stand-in: what works there works here."""

from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import SectionBlock
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.cast import ADA, BOT_USER, DANA, SUPPORT, TEAM
from sandbox.slack.directory import User
from sandbox.slack.standin import SlackStandIn

HERE = SUPPORT.id


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
