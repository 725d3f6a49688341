"""The Slack side of a process: one Bolt app, reached over HTTP or Socket Mode, and the channel back.

Everything it needs is given; Bolt would read tokens and OAuth settings from the environment where it is not told
otherwise, and would drop events in silence when its own `auth.test` fails. Here the token is tried once at start, and
every event is then ours.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from agent.conversation import Identity
from agent.errors import ChannelDown, ChannelRefused, ConfigError, Refused
from agent.ports import Clock
from bot.slack.channel import SlackChannel
from bot.slack.clicks import Gate
from bot.slack.clients import client
from bot.slack.errands import Errands
from bot.slack.failures import PASSING, error_of, slack_failures
from bot.slack.home import home_view
from bot.slack.listeners import Inbox, register
from bot.slack.signing import bounded, is_signed, is_ssl_check
from bot.slack.socket import Socket

log = structlog.get_logger()

DRAIN_PATIENCE = 5.0
_bolt_logger = logging.getLogger("bot.slack.bolt")
"""Bolt writes whole requests below ERROR."""
_bolt_logger.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class SlackOptions:
    """What is known of the one workspace."""

    bot_token: str
    signing_secret: str = ""
    """For HTTP; without it `handle` answers 404."""
    app_token: str = ""
    """For Socket Mode."""
    api_url: str = AsyncWebClient.BASE_URL
    receives: bool = True
    """False in a process that only sends."""
    shared_channels: frozenset[str] = frozenset()
    """Slack Connect channels in which people of this workspace may talk to the agent all the same."""


@dataclass(frozen=True, slots=True)
class Installed:
    """Where we are installed, and who we are there, as `auth.test` says."""

    team: str
    team_name: str
    bot_user: str
    bot_id: str


class SlackApp:
    """`start`, then `handle` requests (HTTP) or let them come (Socket Mode), then `stop`."""

    def __init__(self, options: SlackOptions, inbox: Inbox, gate: Gate, clock: Clock) -> None:
        if options.receives and not (options.signing_secret or options.app_token):
            raise ConfigError("SLACK_SIGNING_SECRET: missing, and SLACK_APP_TOKEN too; Slack could not reach us")
        self.options = options
        self.installed: Installed | None = None
        self.client = client(options.bot_token, options.api_url)
        self.channel = SlackChannel(self.client_for)
        self.errands = Errands()
        self.bolt = AsyncApp(
            name="twokey",
            logger=_bolt_logger,
            client=client("", options.api_url),
            signing_secret=options.signing_secret,
            authorize=_authorize_by(self),
            process_before_response=True,
            attaching_conversation_kwargs_enabled=False,
        )
        self.on_failure: Callable[[], None] = lambda: None
        """Called when something that came in could not be taken in, and was not acknowledged."""
        self.on_home: Callable[[str, str], Awaitable[None]] = self._plain_home
        """Called when somebody of a team opened the Home tab."""
        self.on_sign_in: Callable[[Identity], Awaitable[str]] = self._no_inbox
        """Called when somebody wants into the inbox; gives an address that signs them in."""
        register(self.bolt, inbox, gate, self.errands, self, options.shared_channels)
        self.socket = Socket(self.bolt, options.app_token, self.client, clock) if options.app_token else None
        self._verifier = SignatureVerifier(options.signing_secret) if options.signing_secret else None

    def failed(self) -> None:
        """A listener failed."""
        self.on_failure()  # looked up only now: it is set after the listeners are made

    async def home_opened(self, team: str, user: str) -> None:
        """Publish the Home tab of whoever opened it."""
        await self.on_home(team, user)

    async def sign_in_link(self, who: Identity) -> str:
        """An address that signs them in to the inbox."""
        return await self.on_sign_in(who)

    @property
    def is_healthy(self) -> bool:
        """Whether Slack can reach us, as far as we know."""
        return self.installed is not None and (self.socket is None or self.socket.is_healthy)

    async def start(self) -> Installed:
        """Try the token, and connect in Socket Mode.

        Raises ConfigError for a token that Slack refuses, ChannelDown when Slack cannot be reached.
        """
        self.installed = await self._test_token()
        log.info("slack.installed", team=self.installed.team, bot_user=self.installed.bot_user)
        if self.socket is not None:
            await self.socket.start()
        return self.installed

    async def stop(self) -> None:
        """Take nothing more, and finish what is being said."""
        if self.socket is not None:
            await self.socket.stop()
        await self.errands.drain(DRAIN_PATIENCE)

    async def handle(self, request: Request) -> Response:
        """Answer a request to `/slack/events`: 2xx once what it brought is committed."""
        if self._verifier is None:
            return Response(status_code=404)
        body = await bounded(request.stream(), request.headers.get("content-length"))
        if body is None:
            log.warning("slack.refused", why="too large")
            return Response(status_code=413)
        if not is_signed(self._verifier, request.headers, body):
            if is_ssl_check(body):
                return Response(status_code=200)
            log.warning(
                "slack.refused", why="signature", timestamp=request.headers.get("x-slack-request-timestamp", "")[:20]
            )
            return Response(status_code=401)
        bolt_request = _parsed(request, body)
        if bolt_request is None:
            log.warning("slack.refused", why="unreadable")
            return Response(status_code=400)
        return to_starlette_response(await self.bolt.async_dispatch(bolt_request))

    async def client_for(self, team: str) -> AsyncWebClient:
        """The client for a team. One workspace for now; with several, this is where their tokens are looked up."""
        if self.installed is not None and team != self.installed.team:
            raise ChannelRefused(f"the app is not installed in the workspace {team}")
        return self.client

    async def _plain_home(self, team: str, user: str) -> None:
        with slack_failures():
            await (await self.client_for(team)).views_publish(user_id=user, view=home_view())

    async def _no_inbox(self, who: Identity) -> str:  # noqa: ARG002 - the hook's own shape
        raise Refused("There is no inbox here.")

    async def _test_token(self) -> Installed:
        with slack_failures():
            try:
                answer = await self.client.auth_test()
            except SlackApiError as error:
                if error_of(error) in PASSING or not error_of(error):
                    raise
                raise ConfigError(
                    f"SLACK_BOT_TOKEN: Slack says {error_of(error)}; copy the bot token (xoxb-…) of the installed app"
                ) from None
        texts = {key: str(answer.get(key) or "") for key in ("team_id", "team", "user_id", "bot_id")}
        if not texts["bot_id"]:
            raise ConfigError("SLACK_BOT_TOKEN: belongs to a person; copy the bot token (xoxb-…) of the installed app")
        return Installed(texts["team_id"], texts["team"], texts["user_id"], texts["bot_id"])


def _authorize_by(app: SlackApp) -> Callable[..., Awaitable[AuthorizeResult]]:
    """What Bolt asks who we are: a plain function, for Bolt would pass `self` to a method as one more argument."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        if app.installed is None:
            raise ChannelDown("the Slack app has not started yet")
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=app.installed.bot_user,
            bot_id=app.installed.bot_id,
            bot_token=app.options.bot_token,
        )

    return authorize


def _parsed(request: Request, body: bytes) -> AsyncBoltRequest | None:
    """The request as Bolt reads it; None for a body that is neither JSON nor a form with JSON in it."""
    try:
        return to_async_bolt_request(request, body)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
