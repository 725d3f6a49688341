"""The sandbox's Slack, and our own Slack app reached by it over HTTP or Socket Mode."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.slack.app import SlackApp, SlackOptions
from bot.slack.listeners import Inbox
from sandbox.clock import fresh, now, today
from sandbox.serving import serving
from sandbox.slack.post import Post
from sandbox.slack.scenery import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, furnished
from sandbox.slack.server import serve
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.doubles import RecordingGate, RecordingInbox


class WallClock:
    """The real time."""

    def now(self) -> datetime:
        return today().astimezone(UTC)


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    standin = furnished(now, fresh, Post(now, scale=0.001, patience=1))
    async with serve(standin):
        yield standin


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
def options(slack: SlackStandIn) -> SlackOptions:
    return SlackOptions(BOT_TOKEN, signing_secret=SIGNING_SECRET, api_url=f"{slack.workspace.base_url}/api/")


@pytest.fixture(params=["http", "socket"])
async def twokey(
    request: pytest.FixtureRequest,
    slack: SlackStandIn,
    options: SlackOptions,
    inbox: RecordingInbox,
    gate: RecordingGate,
) -> AsyncIterator[SlackApp]:
    """Our app, started, and Slack told where it is."""
    if request.param == "socket":
        async with by_socket(slack, options, inbox, gate) as app:
            yield app
    else:
        async with by_http(slack, options, inbox, gate) as app:
            yield app


@asynccontextmanager
async def by_socket(
    slack: SlackStandIn, options: SlackOptions, inbox: Inbox, gate: RecordingGate
) -> AsyncIterator[SlackApp]:
    app = SlackApp(
        SlackOptions(options.bot_token, app_token=APP_TOKEN, api_url=options.api_url), inbox, gate, WallClock()
    )
    await app.start()
    slack.use_socket()
    try:
        yield app
    finally:
        await app.stop()


@asynccontextmanager
async def by_http(
    slack: SlackStandIn, options: SlackOptions, inbox: Inbox, gate: RecordingGate
) -> AsyncIterator[SlackApp]:
    app = SlackApp(options, inbox, gate, WallClock())
    await app.start()

    async def events(request: Request) -> Response:
        return await app.handle(request)

    async with serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as url:
        slack.use_http(f"{url}/slack/events")
        yield app
        await app.stop()
