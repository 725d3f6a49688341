"""The one door out: picks the channel of a conversation or address, and hands it what is to be said or shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from agent.conversation import ApiThread, Destination, MailThread, SlackThread
from agent.errors import ChannelRefused, TwokeyError
from agent.ports import Presence, Reply
from approvals.card import Card
from bot.line import Line

log = structlog.get_logger()

Place = SlackThread | MailThread | ApiThread


class Channel(Protocol):
    """Slack, mail, or the URL that is told of approvals. Every method raises ChannelDown (try again) or ChannelRefused
    (do not)."""

    async def send(self, conversation: Place, reply: Reply) -> tuple[str, ...]:
        """Say it in the conversation; the channel's ids of the message(s). A reply that is not fresh is looked for
        first, by `reply.key`, and only the parts not there are sent."""
        ...

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """Show the card at the address: a new message when there is no receipt yet (looked for first when not fresh),
        else the one of the receipt is brought up to date. Gives the receipt."""
        ...

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        """Say that the card still waits, for the how-manieth time; `receipt` is the card's. Gives the receipt of what
        was said. One that is not fresh is looked for first."""
        ...

    async def show_presence(self, conversation: Place, presence: Presence) -> None:
        """A sign that the agent works, or waits."""
        ...


class Outbox:
    """Satisfies `agent.ports.Outbox`. Conversations over the API need no sending: they are read."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        self.channels = channels
        self._lines: dict[str, Line] = {}

    def _line(self, kind: str) -> tuple[Channel, Line]:
        name = kind.partition("_")[0]
        channel = self.channels.get(name)
        if channel is None:
            raise ChannelRefused(f"no {name} channel is set up in this process")
        return channel, self._lines.setdefault(name, Line(name))

    @asynccontextmanager
    async def _channel(self, kind: str) -> AsyncIterator[Channel]:
        """The channel, for a bounded time. Raises ChannelDown at once while it is known to be down."""
        channel, line = self._line(kind)
        async with line.used():
            yield channel

    async def send(self, conversation: Place, reply: Reply) -> tuple[str, ...]:
        """Say it; the channel's ids of the message(s)."""
        if isinstance(conversation, ApiThread):
            return ()
        async with self._channel(conversation.channel_kind) as channel:
            return await channel.send(conversation, reply)

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """Show the card, or bring the one shown up to date; the channel's id of it."""
        async with self._channel(address.channel_kind) as channel:
            return await channel.show(address, card, receipt, fresh=fresh)

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        """Say that the card still waits; the channel's id of what was said."""
        async with self._channel(address.channel_kind) as channel:
            return await channel.remind(address, card, number, receipt, fresh=fresh)

    async def show_presence(self, conversation: Place, presence: Presence) -> None:
        """A sign in the conversation that the agent works. Decoration: a failure is logged, and that is all."""
        if isinstance(conversation, ApiThread):
            return
        try:
            channel, line = self._line(conversation.channel_kind)
            if not line.is_down:
                await channel.show_presence(conversation, presence)
        except TwokeyError as error:
            log.debug("presence.failed", conversation=conversation.key, error=str(error))
        except Exception:
            log.exception("presence.broken", conversation=conversation.key)
