"""The same over Socket Mode, with Bolt's own client: hello, envelopes, acknowledgements, resends, reconnects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.cast import ADA, DANA, SUPPORT
from sandbox.slack.scenery import APP_TOKEN
from sandbox.slack.standin import SlackStandIn
from tests.integration.sandbox_slack.bolt_bot import MODAL, Bot

Json = dict[str, Any]
HERE = SUPPORT.id


@pytest.fixture
async def connected(slack: SlackStandIn, bolt: Bot) -> AsyncIterator[AsyncSocketModeHandler]:
    """The bot with one open connection."""
    listener = AsyncSocketModeHandler(bolt.app, APP_TOKEN, ping_interval=0.1)
    slack.use_socket()
    await listener.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it untyped
    await slack.socket.connected()
    yield listener
    await listener.close_async()  # type: ignore[no-untyped-call]  # as above


async def test_events_come_in_envelopes_and_are_acknowledged(
    slack: SlackStandIn, bolt: Bot, connected: AsyncSocketModeHandler
) -> None:
    @bolt.app.event("message")
    async def message(event: Json) -> None:
        bolt.seen.append(event)

    assert connected.client is not None
    said = await slack.say(ADA.slack, HERE, "hello")
    assert [answer.status for answer in said.answers] == [200]
    assert bolt.seen[0]["text"] == "hello"


async def test_a_click_and_a_submission_work_and_the_acknowledgement_carries_the_answer(
    slack: SlackStandIn, bolt: Bot, connected: AsyncSocketModeHandler, client: AsyncWebClient
) -> None:
    del connected

    @bolt.app.action("reject")
    async def click(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @bolt.app.view("reject")
    async def reject(ack: AsyncAck) -> None:
        await ack(response_action="errors", errors={"reason": "say more"})

    button = {"type": "button", "action_id": "reject", "text": {"type": "plain_text", "text": "Reject"}}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=blocks))["ts"]
    assert (await slack.click(DANA.slack, HERE, ts, "reject")).status == 200
    async with asyncio.timeout(2):  # Bolt acknowledges before the listener went on to open the view
        while not slack.open_views(DANA.slack):
            await asyncio.sleep(0.01)
    view = slack.open_views(DANA.slack)[0]
    answer = await slack.submit(DANA.slack, view["id"], {"reason": "no"})
    assert answer.json()["response_action"] == "errors"
    assert slack.open_views(DANA.slack)[0]["errors"] == {"reason": "say more"}


async def test_what_is_not_acknowledged_is_sent_again_with_its_number(
    slack: SlackStandIn, bolt: Bot, connected: AsyncSocketModeHandler
) -> None:
    assert connected.client is not None
    headers: list[str] = []

    @bolt.app.middleware
    async def note(req: AsyncBoltRequest, next_: Callable[[], Awaitable[None]]) -> None:
        headers.append(req.headers.get("x-slack-retry-num", ["0"])[0])
        await next_()

    said = await slack.say(
        ADA.slack, HERE, "nobody listens"
    )  # Bolt says 404, and its socket client acknowledges nothing
    await slack.settled()
    assert said.answers[0].failure == "timeout"
    assert [attempt.retry.number for attempt in slack.attempts() if attempt.retry] == [1, 2, 3]
    assert headers == ["0", "1", "2", "3"]


@pytest.mark.parametrize("way", ["asked", "cut"])
async def test_after_a_disconnect_the_bot_comes_back_and_goes_on(
    slack: SlackStandIn, bolt: Bot, connected: AsyncSocketModeHandler, way: str
) -> None:
    assert connected.client is not None

    @bolt.app.event("message")
    async def message(event: Json) -> None:
        bolt.seen.append(event)

    opened = len(slack.calls("apps.connections.open"))
    await (slack.socket.disconnect() if way == "asked" else slack.socket.cut())
    await slack.socket.connected()
    assert len(slack.calls("apps.connections.open")) > opened
    assert (await slack.say(ADA.slack, HERE, "again")).ok


async def test_the_connection_begins_with_hello_answers_pings_and_takes_a_ticket_once(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    url = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, autoping=False) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            await socket.ping(b"x")
            assert (await socket.receive()).type is aiohttp.WSMsgType.PONG
            assert slack.socket.connections == 1
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_a_wrong_app_token_gets_no_connection(client: AsyncWebClient) -> None:
    with pytest.raises(Exception, match="invalid_auth"):
        await client.apps_connections_open(app_token="xapp-wrong")


async def test_without_a_connection_nothing_is_delivered(slack: SlackStandIn) -> None:
    slack.use_socket()
    said = await slack.say(ADA.slack, HERE, "hello")
    assert said.answers[0].failure == "connection_failed"
    await slack.settled()
    assert len(slack.attempts()) == 4
