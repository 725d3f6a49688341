"""What Bolt is known to do, seen through the stand-in; and our payloads beside those recorded at Slack."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncSay
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cast import ADA, BOT, DANA, SUPPORT
from sandbox.serving import serving
from sandbox.slack.standin import SlackStandIn
from tests.fixtures import fixture_dir
from tests.integration.sandbox_slack.bolt_bot import MODAL, Bot

Json = dict[str, Any]
HERE = SUPPORT.id
BUTTON = {"type": "button", "action_id": "approve", "value": "ap_1", "text": {"type": "plain_text", "text": "Approve"}}
CARD = [{"type": "actions", "elements": [BUTTON]}]
NOT_OURS = {"enterprise_id", "enterprise_name"}
"""Of an Enterprise Grid, which the stand-in is not."""


def recording(name: str) -> Json:
    """One file of recorded payloads."""
    body: Json = json.loads((Path(fixture_dir("slack")) / "recordings" / name).read_text())
    return body


async def test_a_listener_that_fails_before_the_answer_makes_slack_send_again(slack: SlackStandIn, bot: Bot) -> None:
    @bot.app.event("message")
    async def message(event: Json) -> None:
        bot.seen.append(event)
        if len(bot.seen) < 3:
            raise RuntimeError("the database is down")

    said = await slack.say(ADA.slack, HERE, "hello")
    await slack.settled()
    assert said.answers[0].status == 500
    assert [attempt.answer.status for attempt in slack.attempts()] == [500, 500, 200]


async def test_say_after_a_click_in_a_thread_posts_at_the_channels_root(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    @bot.app.action("approve")
    async def approve(ack: AsyncAck, say: AsyncSay) -> None:
        await ack()
        await say("approved")

    @bot.app.event("message")
    async def message() -> None:
        """Take it."""

    root = (await slack.say(ADA.slack, HERE, "root")).ts
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD, thread_ts=root))["ts"]
    await slack.click(DANA.slack, HERE, ts, "approve")
    assert [m["text"] for m in slack.messages(HERE, root)] == ["root", "card"]
    assert "thread_ts" not in slack.messages(HERE)[-1]


async def test_an_edit_of_the_bots_own_post_that_names_only_its_bot_id_reaches_the_listener(
    slack: SlackStandIn, bot: Bot
) -> None:
    @bot.app.event("message")
    async def message(event: Json) -> None:
        bot.seen.append(event)

    own = {"type": "message", "ts": "1.000001", "bot_id": BOT, "text": "mine"}
    event = {
        "type": "message",
        "subtype": "message_changed",
        "channel": HERE,
        "channel_type": "channel",
        "message": own,
        "previous_message": own,
        "ts": "2.000001",
        "event_ts": "2.000001",
    }
    assert (await slack.send_event(event)).ok
    assert len(bot.seen) == 1


async def test_with_a_dead_token_bolt_answers_200_and_drops_the_event(slack: SlackStandIn) -> None:
    seen: list[Json] = []
    client = AsyncWebClient(token="xoxb-dead", base_url=f"{slack.workspace.base_url}/api/")
    app = AsyncApp(client=client, signing_secret=slack.signing_secret, process_before_response=True)

    @app.event("message")
    async def message(event: Json) -> None:
        seen.append(event)

    listener = AsyncSlackRequestHandler(app)
    async with serving(Starlette(routes=[Route("/", listener.handle, methods=["POST"])])) as url:
        slack.use_http(url)
        said = await slack.say(ADA.slack, HERE, "hello")
    assert ([answer.status for answer in said.answers], seen) == ([200], [])
    assert slack.calls("auth.test")[0].error == "invalid_auth"


async def test_the_stand_in_says_in_each_payload_what_slack_was_recorded_to_say(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    @bot.app.event("message")
    async def message() -> None:
        """Take it."""

    @bot.app.event("app_mention")
    async def mention() -> None:
        """Take it."""

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @bot.app.view("reject")
    async def reject(ack: AsyncAck) -> None:
        await ack()

    recorded = recording("modals-slack-private-metadata.json")
    root = (await slack.say(ADA.slack, HERE, "root", mention=True)).ts
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD, thread_ts=root))["ts"]
    await slack.click(DANA.slack, HERE, ts, "approve")
    await slack.submit(DANA.slack, slack.open_views(DANA.slack)[0]["id"], {"reason": "x"})
    for name, kind in (("mention", "app_mention"), ("action", "block_actions"), ("viewSubmission", "view_submission")):
        assert missing(recorded[name], slack.attempts(kind)[0].parcel.body) == set()
    message_event = recording("streaming-slack.json")["followUp"]
    await slack.say(ADA.slack, HERE, "more", thread_ts=root)
    assert missing(message_event, slack.attempts("message")[-1].parcel.body) == set()


def missing(recorded: Json, ours: Json, path: str = "") -> set[str]:
    """Keys that Slack sent and we do not, outside of blocks, which are whatever was posted."""
    found: set[str] = set()
    for key, value in recorded.items():
        if key in NOT_OURS or key in {"blocks", "actions", "values"}:
            continue
        if key not in ours:
            found.add(f"{path}/{key}")
        elif isinstance(value, dict) and isinstance(ours[key], dict):
            found |= missing(value, ours[key], f"{path}/{key}")
    return found


RECORDINGS = (
    "actions-reactions-slack channel-mention-slack dm-slack-direct dm-slack modals-slack-private-metadata"
    " slack-multi-workspace-team1 slack streaming-slack"
)


@pytest.mark.parametrize("name", RECORDINGS.split())
async def test_recorded_payloads_are_delivered_as_they_are(slack: SlackStandIn, name: str) -> None:
    recorded = recording(f"{name}.json").values()
    bodies = [body for body in recorded if isinstance(body, dict) and ("type" in body or "command" in body)]
    got: list[Json] = []

    async def take(request: Request) -> Response:
        raw = (await request.body()).decode()
        form = {key: values[0] for key, values in parse_qs(raw, keep_blank_values=True).items()}
        plain = raw.startswith("{")
        got.append(json.loads(raw if plain else form["payload"]) if plain or "payload" in form else form)
        return Response()

    async with serving(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        slack.use_http(url)
        for body in bodies:
            assert (await slack.send(body)).ok
    assert bodies
    assert got == bodies
