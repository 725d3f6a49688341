"""Bolt listeners: a payload becomes a delivery or a decision and is handed over; nothing else happens here.

The first listener that matches wins, so the catch-alls come last; without them Slack would count what nobody listens to
as failed and might switch the subscription off. Bolt answers when a listener returns (`process_before_response`), so a
200 follows the commit, and a failed commit is a 500 that Slack repeats.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Protocol

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from bot.inbox import Delivery
from bot.slack.buttons import CHOICE
from bot.slack.clicks import Clicks, Gate
from bot.slack.errands import Errands
from bot.slack.failures import slack_failures
from bot.slack.names import Names
from bot.slack.payloads import PassedOver, arrival, home_opened_by, stopped, team_of
from bot.slack.presence import show_status

log = structlog.get_logger()

EVENTS: tuple[str, ...] = (
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "app_home_opened",
    "app_context_changed",
    "agent_session_stopped",
    "tokens_revoked",
    "app_uninstalled",
)
"""What the manifest subscribes to, by its names there."""
ANY = re.compile(".*", re.DOTALL)
STOPPED = "Stopped. Write here to go on."
NO_COMMANDS = "I have no commands. Mention me, or write to me in Messages."


class Inbox(Protocol):
    """Where what people write goes."""

    async def deliver(self, delivery: Delivery) -> str | None:
        """Commit it; None when it was dropped."""
        ...

    async def cancel(self, conversation: SlackThread | MailThread | ApiThread, by: Identity, reason: str = "") -> bool:
        """Stop the work there; False when there is none."""
        ...


class Hooks(Protocol):
    """What the app is told of besides."""

    def failed(self) -> None:
        """A listener failed, so that Slack was not told 2xx."""
        ...

    async def home_opened(self, team: str, user: str) -> None:
        """Somebody opened the Home tab, and it is to be published."""
        ...

    async def sign_in_link(self, who: Identity) -> str:
        """An address that signs them in to the inbox, once. Raises Refused, with words for them."""
        ...


def register(
    app: AsyncApp, inbox: Inbox, gate: Gate, errands: Errands, hooks: Hooks, shared_channels: Collection[str] = ()
) -> None:
    """Add every listener to the app."""
    events = _Events(inbox, errands, shared_channels, hooks)
    clicks = Clicks(gate, errands, hooks.sign_in_link)

    async def on_error(error: Exception) -> None:
        """A listener failed: Slack is told 500 and sends events again. The body stays out of the log."""
        log.error("slack.listener_failed", error=type(error).__name__, exc_info=error)
        hooks.failed()

    app.error(on_error)
    for name in ("app_mention", "message"):
        app.event(name)(events.on_message)
    app.event("app_home_opened")(events.on_home)
    app.event("agent_session_stopped")(events.on_stop)
    for name in ("tokens_revoked", "app_uninstalled"):
        app.event(name)(events.on_loss)
    app.event("app_context_changed")(_on_nothing)
    app.event(ANY)(_on_nothing)
    for action in (re.compile(rf"^{CHOICE}\d+$"), ANY):
        app.action(action)(clicks.on_click)
    app.view(ANY)(clicks.on_submit)
    app.view_closed(ANY)(_on_ack)
    app.shortcut(ANY)(_on_ack)
    app.options(ANY)(_on_options)
    app.command(ANY)(_on_command)


class _Events:
    """The listeners for events."""

    def __init__(self, inbox: Inbox, errands: Errands, shared_channels: Collection[str], hooks: Hooks) -> None:
        self.hooks = hooks
        self.inbox = inbox
        self.errands = errands
        self.shared_channels = shared_channels
        self.names = Names()

    async def on_message(self, body: JsonObject, context: AsyncBoltContext, client: AsyncWebClient) -> None:
        """Somebody wrote."""
        found = arrival(body, context.bot_user_id or "", self.shared_channels)
        if isinstance(found, PassedOver):
            log.debug("slack.passed_over", why=found.why, event_id=body.get("event_id"))
            if found.tell:
                self.errands.start("tell", _tell(body, client, found.tell))
            return
        sender = found.sender
        name = await self.names.of(client, sender.team, sender.id)
        await self.inbox.deliver(replace(found, sender=sender.model_copy(update={"name": name})))

    async def on_home(self, body: JsonObject) -> None:
        """Somebody opened the Home tab."""
        if user := home_opened_by(body):
            self.errands.start("home", self.hooks.home_opened(team_of(body), user))

    async def on_stop(self, body: JsonObject, client: AsyncWebClient) -> None:
        """Somebody pressed the stop button. Slack leaves it to us to say so and to take the sign away."""
        found = stopped(body)
        if found is None:
            return
        conversation, by = found
        if await self.inbox.cancel(conversation, by, "stopped in Slack"):
            self.errands.start("stopped", _say_stopped(client, conversation))

    async def on_loss(self, body: JsonObject) -> None:
        """The workspace took the app's token away: nothing will work until it is installed again."""
        event = body.get("event")
        kind = event.get("type") if isinstance(event, dict) else ""
        log.error("slack.token_lost", kind=kind, team=body.get("team_id"), hint="install the app again")


async def _on_nothing(body: JsonObject) -> None:
    """An event that we were sent and have no use for."""
    event = body.get("event")
    log.debug("slack.passed_over", why="no use", type=event.get("type") if isinstance(event, dict) else "")


async def _on_ack(ack: AsyncAck) -> BoltResponse:
    return await ack()


async def _on_options(ack: AsyncAck) -> BoltResponse:
    return await ack(options=[])


async def _on_command(ack: AsyncAck) -> BoltResponse:
    return await ack(NO_COMMANDS)


async def _say_stopped(client: AsyncWebClient, conversation: SlackThread) -> None:
    with slack_failures():
        await client.chat_postMessage(channel=conversation.channel, thread_ts=conversation.thread_ts, text=STOPPED)
        await show_status(client, conversation, "idle")


async def _tell(body: JsonObject, client: AsyncWebClient, text: str) -> None:
    """Words for the author of a message alone, in its thread."""
    event = body.get("event")
    said = event if isinstance(event, dict) else {}
    with slack_failures():
        await client.chat_postEphemeral(
            channel=str(said.get("channel")),
            user=str(said.get("user")),
            text=text,
            thread_ts=str(said.get("thread_ts") or said.get("ts")),
        )
