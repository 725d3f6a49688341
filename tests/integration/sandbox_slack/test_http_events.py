"""Events over signed HTTP, to a real Bolt app: each thing people write, the retries, the mention as a pair."""

import json
from typing import Any

import pytest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cast import ADA, BOT_USER, SUPPORT, TEAM
from sandbox.serving import serving
from sandbox.slack.directory import Channel, Team, User
from sandbox.slack.standin import SlackStandIn
from sandbox.slack.talking import MentionOrder
from tests.integration.sandbox_slack.bolt_bot import Bot

Json = dict[str, Any]


HERE = SUPPORT.id


async def note_events(bot: Bot) -> None:
    """Take every event, and keep it."""

    @bot.app.event({"type": "app_mention"})
    async def mention(event: Json) -> None:
        bot.seen.append(event)

    @bot.app.event("message")
    async def message(event: Json) -> None:
        bot.seen.append(event)


async def test_a_signed_url_verification_is_answered_with_the_challenge(slack: SlackStandIn, bot: Bot) -> None:
    answer = await slack.verify_url()
    sent = slack.attempts("url_verification")[0].parcel.body["challenge"]
    assert (answer.status, answer.json()) == (200, {"challenge": sent})
    slack.signing_secret = "another"
    slack.use_http(bot.url)
    assert (await slack.verify_url()).status == 401


async def test_the_signature_is_slacks(slack: SlackStandIn) -> None:
    verdicts: list[bool] = []

    async def check(request: Request) -> Response:
        verifier = SignatureVerifier(slack.signing_secret)
        verdicts.append(verifier.is_valid_request(await request.body(), dict(request.headers)))
        return Response()

    async with serving(Starlette(routes=[Route("/", check, methods=["POST"])])) as url:
        slack.use_http(url)
        assert (await slack.say(ADA.slack, HERE, "hello ✓")).ok
        assert (await slack.slash(ADA.slack, HERE, "/twokey", "a & b")).ok
        await slack.send_interaction({"type": "block_actions"})
    assert verdicts == [True, True, True]


@pytest.mark.parametrize(
    "order,expected",
    [("mention_first", ["app_mention", "message"]), ("message_first", ["message", "app_mention"])],
)
async def test_a_mention_comes_as_two_events_in_either_order(
    slack: SlackStandIn, bot: Bot, order: MentionOrder, expected: list[str]
) -> None:
    await note_events(bot)
    slack.mention_order = order
    said = await slack.say(ADA.slack, HERE, "refund order 1001", mention=True)
    assert said.ok
    assert [event["type"] for event in bot.seen] == expected
    first, second = (attempt.parcel.body for attempt in slack.attempts())
    assert first["event_id"] != second["event_id"]
    assert first["event"]["ts"] == second["event"]["ts"] == said.ts
    assert bot.seen[0]["text"] == f"<@{BOT_USER}> refund order 1001"


async def test_a_mention_may_come_as_two_events_at_once(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    slack.mention_order = "together"
    assert (await slack.say(ADA.slack, HERE, "hi", mention=True)).ok
    assert sorted(event["type"] for event in bot.seen) == ["app_mention", "message"]


async def test_a_direct_message_has_no_thread_of_its_own(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    said = await slack.dm(ADA.slack, "hello")
    (event,) = bot.seen
    assert (event["channel_type"], event["channel"], event["user"]) == ("im", said.channel, ADA.slack)
    assert "thread_ts" not in event
    await slack.dm(ADA.slack, "more", thread_ts=said.ts)
    assert (bot.seen[1]["thread_ts"], bot.seen[1]["parent_user_id"]) == (said.ts, ADA.slack)


async def test_edits_previews_deletes_files_and_broadcasts_have_their_subtypes(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    said = await slack.say(ADA.slack, HERE, "see https://example.com")
    await slack.edit(ADA.slack, HERE, said.ts, "see that")
    await slack.preview(HERE, said.ts)
    await slack.broadcast(ADA.slack, HERE, "everybody!", said.ts)
    await slack.share_file(ADA.slack, HERE, "scan.pdf", b"%PDF")
    await slack.other_bot_says(HERE, "build failed")
    await slack.delete(ADA.slack, HERE, said.ts)
    assert [event.get("subtype") for event in bot.seen] == [
        None,
        "message_changed",
        "message_changed",
        "thread_broadcast",
        "file_share",
        "bot_message",
        "message_deleted",
    ]
    edit, preview, file, deletion = bot.seen[1], bot.seen[2], bot.seen[4], bot.seen[6]
    assert (edit["message"]["text"], edit["previous_message"]["text"]) == ("see that", "see https://example.com")
    assert preview["message"]["text"] == preview["previous_message"]["text"]
    assert (file["text"], file["files"][0]["name"]) == ("", "scan.pdf")
    assert deletion["deleted_ts"] == said.ts


async def test_an_edited_mention_comes_again_marked_as_edited(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    said = await slack.say(ADA.slack, HERE, "refnd", mention=True)
    await slack.edit(ADA.slack, HERE, said.ts, f"<@{BOT_USER}> refund")
    again = [event for event in bot.seen if event["type"] == "app_mention"]
    assert ["edited" in event for event in again] == [False, True]


async def test_the_bots_own_posts_come_back_to_it_and_bolt_drops_them(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    await note_events(bot)
    ts = (await client.chat_postMessage(channel=HERE, text="mine"))["ts"]
    await client.chat_update(channel=HERE, ts=ts, text="changed")
    await client.chat_delete(channel=HERE, ts=ts)
    await slack.settled()
    told = sorted(attempt.parcel.body["event"].get("subtype", "") for attempt in slack.attempts())
    assert told == ["", "message_changed", "message_deleted"]
    assert all(attempt.answer.ok for attempt in slack.attempts())
    assert bot.seen == []


async def test_without_a_listener_bolt_answers_404_and_slack_tries_three_times_more(
    slack: SlackStandIn, bot: Bot
) -> None:
    said = await slack.say(ADA.slack, HERE, "hello")
    assert [answer.status for answer in said.answers] == [404]
    await slack.settled()
    attempts = slack.attempts("message")
    assert len({attempt.parcel.body["event_id"] for attempt in attempts}) == 1
    assert bot.retries == ["", "1", "2", "3"]
    assert [attempt.retry.reason for attempt in attempts if attempt.retry] == ["http_error"] * 3


async def test_a_slow_bot_is_tried_again_for_a_timeout_and_a_200_ends_it(slack: SlackStandIn) -> None:
    tried: list[str] = []

    async def slow_once(request: Request) -> Response:
        tried.append(request.headers.get("x-slack-retry-reason", ""))
        if len(tried) == 1:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        return Response()

    async with serving(Starlette(routes=[Route("/", slow_once, methods=["POST"])])) as url:
        slack.use_http(url)
        said = await slack.say(ADA.slack, HERE, "hello")
        await slack.settled()
    assert (said.answers[0].status, said.answers[0].failure) == (0, "http_timeout")
    assert tried == ["", "http_timeout"]


async def test_x_slack_no_retry_ends_it_too(slack: SlackStandIn) -> None:
    async def never(request: Request) -> Response:
        del request
        return Response(status_code=500, headers={"x-slack-no-retry": "1"})

    async with serving(Starlette(routes=[Route("/", never, methods=["POST"])])) as url:
        slack.use_http(url)
        await slack.say(ADA.slack, HERE, "hello")
        await slack.settled()
    assert len(slack.attempts()) == 1


async def test_an_event_is_repeated_on_demand_with_retry_headers(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    await slack.say(ADA.slack, HERE, "hello")
    assert (await slack.repeat(slack.attempts()[0])).ok
    assert len(bot.seen) == 2  # Bolt does not drop repeats; whoever uses it must
    assert bot.retries == ["", "1"]


async def test_a_connect_partner_is_marked_as_of_another_team(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    slack.add_team(Team("T0PARTNER", "Partner", "partner"))
    slack.add_user(User("U0PARTNER", "pat", "Pat", "T0PARTNER"))
    slack.add_channel(
        Channel("C0SHARED", "shared", TEAM, members=frozenset({"U0PARTNER", BOT_USER}), is_ext_shared=True)
    )
    await slack.say("U0PARTNER", "C0SHARED", "hi", mention=True)
    body = slack.attempts("app_mention")[0].parcel.body
    assert (body["is_ext_shared_channel"], body["team_id"], body["event"]["user_team"]) == (True, TEAM, "T0PARTNER")


async def test_only_subscribed_events_of_conversations_with_the_bot_are_sent(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    slack.add_channel(Channel("C0OTHER", "other", TEAM, members=frozenset({ADA.slack})))
    assert (await slack.say(ADA.slack, "C0OTHER", "hi")).answers == ()
    slack.app.subscriptions = frozenset({"app_mention"})
    await slack.say(ADA.slack, HERE, "hi", mention=True)
    assert [event["type"] for event in bot.seen] == ["app_mention"]


async def test_who_watches_sees_each_change(slack: SlackStandIn, client: AsyncWebClient) -> None:
    changes = slack.changes()
    await client.chat_postMessage(channel=HERE, text="x")
    change = await anext(changes)
    assert (change["kind"], change["channel"]) == ("message", HERE)
    assert (await anext(changes))["kind"] == "call"
    changes.close()
    json.dumps(slack.snapshot())
