"""A served stand-in, Slack's own client against it, and a small real Bolt app to be its bot."""

from collections.abc import AsyncIterator

import pytest
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import fresh
from sandbox.serving import serving
from sandbox.slack.post import Post
from sandbox.slack.scenery import BOT_TOKEN, furnished
from sandbox.slack.server import serve
from sandbox.slack.standin import SlackStandIn
from tests.integration.sandbox_slack.bolt_bot import Bot, Later, ShiftedClock


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def later(clock: ShiftedClock) -> Later:
    """Let seconds pass for the stand-in."""

    def pass_(seconds: float) -> None:
        clock.ahead += seconds

    return pass_


@pytest.fixture
async def slack(clock: ShiftedClock) -> AsyncIterator[SlackStandIn]:
    standin = furnished(clock, fresh, Post(clock, scale=0.0005, patience=0.6))
    async with serve(standin):
        yield standin


@pytest.fixture
def client(slack: SlackStandIn) -> AsyncWebClient:
    return AsyncWebClient(token=BOT_TOKEN, base_url=f"{slack.workspace.base_url}/api/", timeout=2, retry_handlers=[])


@pytest.fixture
def bolt(slack: SlackStandIn, client: AsyncWebClient) -> Bot:
    """A bot that notes every event and interaction."""
    app = AsyncApp(client=client, signing_secret=slack.signing_secret, process_before_response=True)
    return Bot(app)


@pytest.fixture
async def bot(slack: SlackStandIn, bolt: Bot) -> AsyncIterator[Bot]:
    """The same, reached over HTTP."""
    listener = AsyncSlackRequestHandler(bolt.app)

    async def events(request: Request) -> Response:
        bolt.retries.append(request.headers.get("x-slack-retry-num", ""))
        return await listener.handle(request)

    async with serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as url:
        bolt.url = f"{url}/slack/events"
        slack.use_http(bolt.url)
        yield bolt
