"""Socket Mode: the connection over which Slack reaches us where no address of ours is public.

The SDK mends its connection by itself, save for two cases that are seen to here: with a bad token it would try for ever
in silence, and now and then a connection goes deaf while it looks healthy (slackapi/python-slack-sdk#1446).
"""

import asyncio
import contextlib
import json
from collections.abc import Callable

import structlog
from aiohttp import WSMessage, WSMsgType
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.errors import ChannelDown, ConfigError
from agent.ports import Clock
from bot.slack.clients import quiet
from bot.slack.failures import PASSING, error_of, slack_failures

log = structlog.get_logger()

PING_INTERVAL = 10.0
DEAF_AFTER = 60.0
"""Seconds without a pong; the SDK itself should have seen it after four pings."""
CONNECT_PATIENCE = 15.0
CLOSE_PATIENCE = 3.0


class Socket:
    """One connection, kept alive between `start` and `stop`."""

    def __init__(self, bolt: AsyncApp, app_token: str, client: AsyncWebClient, clock: Clock) -> None:
        self.bolt = bolt
        self.app_token = app_token
        self.client = client
        self.clock = clock
        self.ping_interval = PING_INTERVAL
        self.deaf_after = DEAF_AFTER
        self.on_connect: Callable[[], None] = lambda: None
        """Called with each connection that Slack greets us on, the first among them."""
        self._adapter: AsyncSocketModeHandler | None = None
        self._watch: asyncio.Task[None] | None = None
        self._connected_at = 0.0

    @property
    def is_healthy(self) -> bool:
        """Whether Slack has answered a ping of late."""
        return self._adapter is not None and self._silence(self._adapter) < self.deaf_after

    async def start(self) -> None:
        """Connect. Raises ConfigError for a token that Slack refuses, ChannelDown when it cannot be reached."""
        url = await self._open()
        # Made here and not before: it wants a running loop, and opens a session at once.
        adapter = AsyncSocketModeHandler(
            self.bolt, self.app_token, logger=quiet, web_client=self.client, ping_interval=self.ping_interval
        )
        adapter.client.proxy = self.client.proxy
        adapter.client.wss_uri = url
        adapter.client.on_message_listeners.append(self._hear)
        self._adapter = adapter
        try:
            async with asyncio.timeout(CONNECT_PATIENCE):
                await adapter.client.connect()  # type: ignore[no-untyped-call]  # untyped in the SDK
        except TimeoutError:
            await self.stop()
            raise ChannelDown("Slack's Socket Mode cannot be reached") from None
        self._connected_at = self._now()
        self._watch = asyncio.create_task(self._watch_over(adapter))
        log.info("slack.connected", mode="socket")

    async def stop(self) -> None:
        """Close it, within a few seconds whatever the other end does. Slack sends again what was not acknowledged."""
        adapter, self._adapter = self._adapter, None
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if adapter is None:
            return
        socket = adapter.client
        tasks = [socket.message_processor, socket.current_session_monitor, socket.message_receiver]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await socket.close()  # type: ignore[no-untyped-call]  # untyped in the SDK
        running = [task for task in tasks if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await socket.aiohttp_client_session.close()

    async def _open(self) -> str:
        """An address to connect to: the first use of the token, so that a bad one is an error at start."""
        with slack_failures():
            try:
                answer = await self.client.apps_connections_open(app_token=self.app_token)
            except SlackApiError as error:
                if error_of(error) in PASSING or not error_of(error):
                    raise
                raise ConfigError(
                    f"SLACK_APP_TOKEN: Slack says {error_of(error)}; it must be an app-level token (xapp-…) with the "
                    "scope connections:write, of an app with Socket Mode switched on"
                ) from None
            return str(answer["url"])

    async def _hear(self, message: WSMessage) -> None:
        """Slack says hello on each new connection (docs.slack.dev/apis/events-api/using-socket-mode)."""
        if message.type is WSMsgType.TEXT and '"hello"' in message.data[:200]:
            with contextlib.suppress(ValueError, AttributeError):
                if json.loads(message.data).get("type") == "hello":
                    self.on_connect()

    async def _watch_over(self, adapter: AsyncSocketModeHandler) -> None:
        while True:
            await asyncio.sleep(self.ping_interval)
            silence = self._silence(adapter)
            if silence < self.deaf_after:
                continue
            log.warning("slack.deaf", seconds=round(silence))
            try:
                async with asyncio.timeout(CONNECT_PATIENCE):
                    await adapter.client.connect_to_new_endpoint(force=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next round tries again
                log.warning("slack.reconnect_failed", error=type(error).__name__)
            else:
                self._connected_at = self._now()
                log.info("slack.reconnected")

    def _silence(self, adapter: AsyncSocketModeHandler) -> float:
        """Seconds since Slack last answered; a fresh connection counts as an answer."""
        heard: float | None = adapter.client.last_ping_pong_time
        return self._now() - max(heard or 0.0, self._connected_at)

    def _now(self) -> float:
        return self.clock.now().timestamp()
