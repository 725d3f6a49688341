"""Slack as a Channel of the outbox: says replies, shows cards, and lets people see that the agent works.

Each message carries our own key in its metadata, so that one that may have arrived can be looked for among our own
messages before it is sent again. Cards are views of rows elsewhere: losing one loses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import ApiThread, Destination, Hook, JsonObject, MailAddress, MailThread, SlackThread, SlackUser
from agent.errors import ChannelRefused
from agent.ports import Presence, Reply
from approvals.card import Card
from bot.slack.blocks import blocks_of, text_of, text_without_buttons
from bot.slack.failures import error_of, slack_failures
from bot.slack.parts import parts_of
from bot.slack.presence import show_status
from bot.slack.reminder import permalink, reminder
from bot.slack.text import escape

log = structlog.get_logger()

ClientFor = Callable[[str], Awaitable[AsyncWebClient]]
"""The client for a team. Raises ChannelRefused for a team that the app is not installed in."""

EVENT_TYPE = "twokey_reply"
PAGE = 200
PRESENCE_PATIENCE = 2.0
CLOCKS_APART = 600.0
"""Seconds by which our clock may be ahead of Slack's when we look for what we posted: twice of what Slack's signatures
allow, beyond which nobody could talk to us at all."""
_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})


class SlackChannel:
    """Satisfies `bot.outbox.Channel`."""

    def __init__(self, client_for: ClientFor) -> None:
        self.client_for = client_for
        self._known_as: dict[str, tuple[str, str]] = {}

    async def send(self, conversation: SlackThread | MailThread | ApiThread, reply: Reply) -> tuple[str, ...]:
        """Post the reply in its thread, in as many messages as it needs; gives the receipt of each."""
        if not isinstance(conversation, SlackThread):
            raise ChannelRefused("this conversation is not on Slack")
        parts = parts_of(reply.text)
        with slack_failures():
            client = await self.client_for(conversation.team)
            sent = {} if reply.fresh else await self._parts_there(client, conversation, reply.key)
            for number, part in enumerate(parts):
                if number not in sent:
                    metadata = _metadata(reply.key, number)
                    sent[number] = await _post_part(client, conversation, part, metadata)
        return tuple(receipt(conversation.team, conversation.channel, sent[number]) for number in range(len(parts)))

    async def show(self, address: Destination, card: Card, known: str, *, fresh: bool) -> str:
        """Post the card, or change the one that the receipt names; gives the receipt."""
        if isinstance(address, MailAddress | Hook):
            raise ChannelRefused("this address is not on Slack")
        with slack_failures():
            client = await self.client_for(address.team)
            if known:
                return await self._update(client, address, card, known)
            channel, thread_ts = await _place(client, address)
            key = _card_key(card)
            ts = "" if fresh else await self._there(client, address.team, (channel, thread_ts), key, card)
            if ts:
                return await self._update(client, address, card, receipt(address.team, channel, ts))
            return receipt(address.team, channel, await _post_card(client, channel, thread_ts, card))

    async def remind(self, address: Destination, card: Card, number: int, known: str, *, fresh: bool) -> str:
        """A short word that the card still waits, with the way to it; gives the receipt."""
        if isinstance(address, MailAddress | Hook):
            raise ChannelRefused("this address is not on Slack")
        key = f"remind:{card.approval_id}:{number}"
        with slack_failures():
            client = await self.client_for(address.team)
            _, url = await self._me(client, address.team)
            channel, thread_ts = await _place(client, address)
            ts = "" if fresh else await self._there(client, address.team, (channel, thread_ts), key, card)
            if not ts:
                where: dict[str, object] = {"channel": channel, **({"thread_ts": thread_ts} if thread_ts else {})}
                answer = await client.chat_postMessage(
                    text=reminder(card, permalink(url, known, thread_ts)),
                    unfurl_links=False,
                    unfurl_media=False,
                    metadata=_metadata(key, 0),
                    **where,  # type: ignore[arg-type]  # texts
                )
                ts = str(answer["ts"])
        return receipt(address.team, channel, ts)

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """Slack's own sign that the agent works. Gives up soon: nothing waits for decoration."""
        if not isinstance(conversation, SlackThread):
            return
        with slack_failures():
            async with asyncio.timeout(PRESENCE_PATIENCE):
                await show_status(await self.client_for(conversation.team), conversation, presence)

    async def _update(self, client: AsyncWebClient, address: SlackThread | SlackUser, card: Card, known: str) -> str:
        """Bring a card up to date. One that somebody deleted is shown again while it can still be decided."""
        _, channel, ts = known.split(":")
        try:
            await _with_or_without_blocks(client.chat_update, card, channel=channel, ts=ts)
        except SlackApiError as error:
            if error_of(error) != "message_not_found":
                raise
            log.info("card.gone", approval_id=card.approval_id, channel=channel)
            if not card.is_pending:
                return known
            channel, thread_ts = await _place(client, address)
            return receipt(address.team, channel, await _post_card(client, channel, thread_ts, card))
        return known

    async def _parts_there(self, client: AsyncWebClient, conversation: SlackThread, key: str) -> dict[int, str]:
        """Which parts of a reply are in the thread already: number to ts."""
        found: dict[int, str] = {}
        me, _ = await self._me(client, conversation.team)
        async for message in _messages(client, conversation.channel, conversation.thread_ts, "0"):
            payload = _payload(message, me)
            part = payload.get("part")
            if payload.get("key") == key and isinstance(part, int):
                found.setdefault(part, str(message["ts"]))
        return found

    async def _there(self, client: AsyncWebClient, team: str, where: tuple[str, str], key: str, card: Card) -> str:
        """The ts of what was posted about a card by a try whose end we did not see; empty when there is none."""
        me, _ = await self._me(client, team)
        oldest = f"{card.asked_at.timestamp() - CLOCKS_APART:.6f}"
        async for message in _messages(client, *where, oldest):
            if _payload(message, me).get("key") == key:
                return str(message["ts"])
        return ""

    async def _me(self, client: AsyncWebClient, team: str) -> tuple[str, str]:
        """Who we are in that team, and the address of the team."""
        if team not in self._known_as:
            answer = await client.auth_test()
            self._known_as[team] = str(answer["user_id"]), str(answer.get("url") or "")
        return self._known_as[team]


def receipt(team: str, channel: str, ts: str) -> str:
    """The one spelling of where a message is."""
    return f"{team}:{channel}:{ts}"


def _card_key(card: Card) -> str:
    return f"card:{card.approval_id}"


def _metadata(key: str, part: int) -> JsonObject:
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key, "part": part}}


def _payload(message: JsonObject, bot_user: str) -> JsonObject:
    """Our own note on a message of our own; empty for anybody else's, whatever it says."""
    metadata = message.get("metadata")
    if message.get("user") != bot_user or not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return {}
    payload = metadata.get("event_payload")
    return payload if isinstance(payload, dict) else {}


async def _post_part(client: AsyncWebClient, conversation: SlackThread, part: str, metadata: JsonObject) -> str:
    """One message of a reply, as Markdown; as plain text where Slack does not take the Markdown."""
    where = {
        "channel": conversation.channel,
        "thread_ts": conversation.thread_ts,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": metadata,
    }
    try:
        answer = await client.chat_postMessage(markdown_text=part, **where)  # type: ignore[arg-type]  # JSON values
    except SlackApiError as error:
        if error_of(error) not in _BLOCKS_REFUSED:
            raise
        log.warning("reply.plain", error=error_of(error), pointers=_pointers(error))
        answer = await client.chat_postMessage(text=escape(part), **where)  # type: ignore[arg-type]  # JSON values
    return str(answer["ts"])


async def _post_card(client: AsyncWebClient, channel: str, thread_ts: str, card: Card) -> str:
    where: dict[str, object] = {"channel": channel, "unfurl_links": False, "unfurl_media": False}
    where |= {"thread_ts": thread_ts} if thread_ts else {}
    answer = await _with_or_without_blocks(client.chat_postMessage, card, **where)
    return str(answer)


async def _with_or_without_blocks(call: Callable[..., Awaitable[object]], card: Card, **where: object) -> str:
    """Post or change a card; gives its ts. Blocks that Slack refuses are our fault, and must not hide the request."""
    where["metadata"] = _metadata(_card_key(card), 0)
    try:
        answer = await call(text=text_of(card), blocks=blocks_of(card), **where)
    except SlackApiError as error:
        if error_of(error) not in _BLOCKS_REFUSED:
            raise
        log.warning("card.plain", approval_id=card.approval_id, error=error_of(error), pointers=_pointers(error))
        answer = await call(text=text_without_buttons(card), blocks=[], **where)
    return str(answer["ts"])  # type: ignore[index]  # slack_sdk's answers are mappings


def _pointers(error: SlackApiError) -> list[str]:
    """Where Slack found fault: JSON pointers, no content."""
    found = error.response.get("response_metadata") if isinstance(error.response.data, dict) else None
    messages = found.get("messages") if isinstance(found, dict) else None
    return [str(each) for each in messages] if isinstance(messages, list) else []


async def _place(client: AsyncWebClient, address: SlackThread | SlackUser) -> tuple[str, str]:
    """Channel and thread of an address; a person's DM is opened."""
    if isinstance(address, SlackThread):
        return address.channel, address.thread_ts
    answer = await client.conversations_open(users=address.user)
    return str(answer["channel"]["id"]), ""


async def _messages(client: AsyncWebClient, channel: str, thread_ts: str, oldest: str) -> AsyncIterator[JsonObject]:
    """The messages of a thread, or of a channel where no thread is named, since a moment."""
    cursor = ""
    while True:
        page = {"channel": channel, "oldest": oldest, "limit": PAGE, "include_all_metadata": True}
        page |= {"cursor": cursor} if cursor else {}
        if thread_ts:
            answer = await client.conversations_replies(ts=thread_ts, **page)  # type: ignore[arg-type]  # JSON values
        else:
            answer = await client.conversations_history(**page)  # type: ignore[arg-type]  # JSON values
        for message in answer["messages"]:
            yield message
        following = answer.get("response_metadata") or {}
        cursor = str(following.get("next_cursor") or "")
        if not cursor:
            return
