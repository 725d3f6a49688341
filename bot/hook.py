"""The URL that is told of approvals: each request and whatever becomes of it, as signed Standard Webhooks.

Rules:
- What is told is a card as it stands, whole, with a revision that only grows: a receiver keeps the highest it has seen.
- A delivery is named for approval and revision, so that one that comes twice can be told. It comes again, in growing
  pauses, until it is answered with a 2xx, or is given up like any card; 410 (gone) gives it up at once.
- Nothing is read of an answer but its status. No redirect is followed: the operator named one address.
- Nobody is given the means to decide: the link is to the inbox, where people sign in.
"""

import json
from dataclasses import dataclass, field
from typing import Literal

import aiohttp
from pydantic import TypeAdapter

from agent.conversation import ApiThread, Destination, JsonObject, MailThread, SlackThread
from agent.errors import ChannelDown, ChannelRefused
from agent.ports import Clock, Presence, Reply
from approvals.card import Card
from bot.standard_webhooks import signature

LIMIT = 10.0
"""Seconds for one delivery."""
GONE = 410

Kind = Literal["approval.requested", "approval.changed", "approval.decided", "approval.finished"]

_CARD = TypeAdapter(Card)


@dataclass(frozen=True)
class HookChannel:
    """Satisfies `bot.outbox.Channel`."""

    url: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)
    """Each signs."""
    public_url: str
    clock: Clock
    limit: float = LIMIT

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:  # noqa: ARG002 - the same each time
        """Tell of it, unless it was told of just this. The receipt is the name of the delivery."""
        name = delivery_id(card)
        if receipt != name:
            await self._post(name, json.dumps(content(card, self.public_url)).encode())
        return name

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:  # noqa: ARG002 - a program
        """Nothing: no program needs to be reminded of what has not changed."""
        return receipt

    async def send(self, conversation: SlackThread | MailThread | ApiThread, reply: Reply) -> tuple[str, ...]:  # noqa: ARG002 - none
        """Never: nobody talks to the agent here."""
        raise ChannelRefused("the URL that is told of approvals is told of nothing else")

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """Nothing."""

    async def _post(self, name: str, body: bytes) -> None:
        """Deliver it. Raises ChannelDown and ChannelRefused; neither says the URL, which may hold a secret."""
        stamp = str(int(self.clock.now().timestamp()))
        headers = {
            "content-type": "application/json",
            "user-agent": "twokey",
            "webhook-id": name,
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(signature(key, name, stamp, body) for key in self.keys),
        }
        limit = aiohttp.ClientTimeout(total=self.limit)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit, auto_decompress=False) as session,
                session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ChannelDown(f"the endpoint was not reached ({type(error).__name__})") from error
        if status == GONE:
            raise ChannelRefused("the endpoint says that it is gone (410)")
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's classes
            raise ChannelDown(f"the endpoint answered {status}")


def delivery_id(card: Card) -> str:
    """The same for the same approval as it stands, whenever and however often it is delivered."""
    return f"{card.approval_id}_{_revision(card)}"


def content(card: Card, public_url: str) -> JsonObject:
    """What is told: what has happened, when, and the approval as it stands now."""
    told: JsonObject = {**_approval(card), "revision": _revision(card), "inbox": f"{public_url}/inbox"}
    at = max(each.changed_at or each.asked_at for each in card.plan)
    return {"type": kind(card), "timestamp": at.isoformat().replace("+00:00", "Z"), "data": told}


def kind(card: Card) -> Kind:
    """What has happened last; of a plan, to all of it."""
    if card.is_pending:
        return "approval.requested" if all(each.revision == 1 for each in card.plan) else "approval.changed"
    is_running = any(each.status == "approved" and not each.outcome for each in card.plan)
    return "approval.finished" if any(each.outcome for each in card.plan) and not is_running else "approval.decided"


def _approval(card: Card) -> JsonObject:
    found: JsonObject = _CARD.dump_python(card, mode="json")
    _named(found)
    return found


def _named(found: JsonObject) -> None:
    """As REST names it."""
    found["id"] = found.pop("approval_id")
    mates = found["mates"]
    for each in mates if isinstance(mates, list) else ():
        if isinstance(each, dict):
            _named(each)


def _revision(card: Card) -> int:
    return sum(each.revision for each in card.plan)
