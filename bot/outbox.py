"""The one door out: picks the channel of a conversation or address, and hands it what is to be said or shown."""

from typing import Protocol

import structlog

from agent.conversation import ApiThread, MailAddress, MailThread, SlackThread, SlackUser
from agent.errors import ChannelRefused, TwokeyError
from agent.ports import Presence, Reply
from approvals.card import Card

log = structlog.get_logger()

Place = SlackThread | MailThread | ApiThread
Destination = SlackThread | SlackUser | MailAddress


class Channel(Protocol):
    """Slack, or mail. Every method raises ChannelDown (try again) or ChannelRefused (do not)."""

    async def send(self, conversation: Place, reply: Reply) -> tuple[str, ...]:
        """Say it in the conversation; the channel's ids of the message(s). A reply that is not fresh is looked for
        first, by `reply.key`, and only the parts not there are sent."""
        ...

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """Show the card at the address: a new message when there is no receipt yet (looked for first when not fresh),
        else the one of the receipt is brought up to date. Gives the receipt."""
        ...

    async def show_presence(self, conversation: Place, presence: Presence) -> None:
        """A sign that the agent works, or waits."""
        ...


class Outbox:
    """Satisfies `agent.ports.Outbox`. Conversations over the API need no sending: they are read."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        self.channels = channels

    def _channel(self, kind: str) -> Channel:
        channel = self.channels.get(kind.partition("_")[0])
        if channel is None:
            raise ChannelRefused(f"no {kind.partition('_')[0]} channel is set up in this process")
        return channel

    async def send(self, conversation: Place, reply: Reply) -> tuple[str, ...]:
        """Say it; the channel's ids of the message(s)."""
        if isinstance(conversation, ApiThread):
            return ()
        return await self._channel(conversation.channel_kind).send(conversation, reply)

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """Show the card, or bring the one shown up to date; the channel's id of it."""
        return await self._channel(address.channel_kind).show(address, card, receipt, fresh=fresh)

    async def show_presence(self, conversation: Place, presence: Presence) -> None:
        """A sign in the conversation that the agent works. Decoration: a failure is logged, and that is all."""
        if isinstance(conversation, ApiThread):
            return
        try:
            await self._channel(conversation.channel_kind).show_presence(conversation, presence)
        except TwokeyError as error:
            log.debug("presence.failed", conversation=conversation.key, error=str(error))
        except Exception:
            log.exception("presence.broken", conversation=conversation.key)
