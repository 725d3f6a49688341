"""An inbox and a gate that remember what they were given, and refuse as the real ones do."""

import asyncio
from dataclasses import dataclass, field, replace

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.errors import AlreadySettled, BadArguments, Refused
from agent.verdict import Surface
from approvals.card import Card
from approvals.decision import Approve, Choice
from bot.inbox import Delivery


@dataclass
class RecordingInbox:
    """Drops what it has seen, and what continues nothing."""

    taken: list[Delivery] = field(default_factory=list)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    async def deliver(self, delivery: Delivery) -> str | None:
        if self.failures:
            raise self.failures.pop(0)
        known = {each.conversation.key for each in self.taken}
        if self.seen & set(delivery.keys) or not (delivery.starts or delivery.conversation.key in known):
            return None
        self.seen |= set(delivery.keys)
        self.taken.append(delivery)
        return f"thr_{delivery.conversation.key}"

    async def cancel(self, conversation: SlackThread | MailThread | ApiThread, by: Identity, reason: str = "") -> bool:
        del reason
        if conversation.key not in {each.conversation.key for each in self.taken}:
            return False
        self.cancelled.append((conversation.key, by.id))
        return True

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.taken]


@dataclass(frozen=True)
class Shown:
    """An approval as the gate gives it."""

    card: Card
    arguments: JsonObject
    parameters: JsonObject


@dataclass
class RecordingGate:
    """One approval at a time; Dana and Lee may decide."""

    shown: Shown | None = None
    decided: list[tuple[str, Choice, Identity, Surface]] = field(default_factory=list)
    objection: str = ""
    failures: list[Exception] = field(default_factory=list)
    slowness: float = 0
    may: frozenset[str] = frozenset({"U0DANA", "U0LEE"})

    async def view(self, approval_id: str) -> Shown | None:
        await asyncio.sleep(self.slowness)
        return self.shown if self.shown and self.shown.card.approval_id == approval_id else None

    async def decide(self, approval_id: str, choice: Choice, who: Identity, via: Surface) -> Card:
        if self.failures:
            raise self.failures.pop(0)
        assert self.shown is not None
        if not self.shown.card.is_open:
            raise AlreadySettled("Dana Reyes was first: this was approved already.")
        if who.id not in self.may or who.team != "T0SANDBOX":
            raise Refused("Only a <support lead> may decide this.")
        if self.objection and isinstance(choice, Approve) and choice.arguments is not None:
            raise BadArguments(self.objection)
        self.decided.append((approval_id, choice, who, via))
        self.shown = replace(self.shown, card=replace(self.shown.card, status="approved"))
        return self.shown.card
