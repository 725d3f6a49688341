"""The whole sandbox in one context: Slack, mail, the model and the page, on loopback, for one agent.

It speaks to the agent over the wire only. `env()` is what the agent needs to be told to live in here.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from secrets import token_bytes, token_urlsafe
from types import TracebackType
from typing import Final, Self

from sandbox import cast
from sandbox.clock import fresh, now
from sandbox.mail import MailStandIn
from sandbox.model import KEY, MODEL, ModelServer
from sandbox.page import Model, PageServer
from sandbox.serving import LOOPBACK, free_port
from sandbox.slack.scenery import BOT_TOKEN, furnished
from sandbox.slack.server import serve as slack_serving

EVENTS_PATH: Final = "/slack/events"
INBOUND_PATH: Final = "/email/inbound/raw"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen, and where the agent will; 0 takes a free port."""

    bot: int = 0
    page: int = 0
    slack: int = 0
    smtp: int = 0
    model: int = 0


@dataclass(frozen=True, slots=True)
class RealModel:
    """A model outside, used in place of the scripted one; the agent is given its own settings for it."""

    name: str


class Sandbox:
    """Everything around the agent. Use it as an async context manager; the servers live as long as the context."""

    def __init__(
        self, ports: Ports = Ports(), *, real_model: RealModel | None = None, socket_mode: bool = False
    ) -> None:
        self.bot_port = ports.bot or free_port()
        self.bot_url = f"http://{LOOPBACK}:{self.bot_port}"
        self.secret = "whsec_" + base64.b64encode(token_bytes(24)).decode()
        self.slack = furnished(now, fresh)
        self.mail = MailStandIn(f"{self.bot_url}{INBOUND_PATH}", self.secret)
        self.model = ModelServer(pause=0.0)
        self.page = PageServer(self.slack, self.mail, _named(real_model))
        self.page_url = ""
        self._ports = ports
        self._real_model = real_model
        self._socket_mode = socket_mode
        self._secret_key = token_urlsafe(32)
        self._settings: dict[str, str] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open.enter_async_context(self._serving())
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def env(self) -> dict[str, str]:
        """The agent's settings, all of them text, as in the environment. Whatever is not the sandbox's is left out."""
        return dict(self._settings)

    def feed_log(self, line: str) -> None:
        """Show a line of the agent's log on the page."""
        self.page.feed_log(line)

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            slack_url = await stack.enter_async_context(slack_serving(self.slack, self._ports.slack))
            smtp_port = await stack.enter_async_context(self.mail.serve(self._ports.smtp))
            model_url = await stack.enter_async_context(self.model.serve(self._ports.model))
            self.page_url = await stack.enter_async_context(self.page.serve(self._ports.page))
            if self._socket_mode:
                self.slack.use_socket()
            else:
                self.slack.use_http(f"{self.bot_url}{EVENTS_PATH}")
            self._settings = self._told(slack_url, smtp_port, model_url)
            yield

    def _told(self, slack_url: str, smtp_port: int, model_url: str) -> dict[str, str]:
        slack_key = "SLACK_APP_TOKEN" if self._socket_mode else "SLACK_SIGNING_SECRET"
        settings = {
            "HOST": LOOPBACK,
            "PORT": str(self.bot_port),
            "PUBLIC_URL": self.bot_url,
            "SECRET_KEY": self._secret_key,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            slack_key: self.slack.app_token if self._socket_mode else self.slack.signing_secret,
            "SLACK_API_URL": f"{slack_url}/api/",
            "SMTP_URL": f"smtp+insecure://{LOOPBACK}:{smtp_port}",
            "EMAIL_ADDRESS": cast.AGENT_ADDRESS,
            "EMAIL_INBOUND_PROVIDER": "raw",
            "EMAIL_INBOUND_SECRET": self.secret,
            "EMAIL_TRUSTED_AUTHSERV_ID": cast.AUTHSERV_ID,
        }
        if self._real_model is None:
            settings |= {
                "OPENAI_BASE_URL": f"{model_url}/v1",
                "OPENAI_API_KEY": KEY,
                "OPENAI_MODEL": MODEL,
                "OPENAI_API": "responses",
            }
        return settings


def _named(real_model: RealModel | None) -> Model:
    return Model(real_model.name, scripted=False) if real_model else Model(MODEL)
