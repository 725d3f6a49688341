"""An inbox and a gate that remember what they were given, and refuse as the real ones do."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.errors import AlreadySettled, BadArguments, Refused
from agent.verdict import Surface
from approvals.card import Card
from approvals.decision import Approve, Choice
from bot.inbox import Delivery
from tests.fakes import FakeClock


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
    remarked: list[tuple[str, str, Identity, Surface]] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    rounds: int = 0
    """How many decisions there were, however many approvals each was about."""
    revoked: list[tuple[str, Identity, Surface]] = field(default_factory=list)
    objection: str = ""
    failures: list[Exception] = field(default_factory=list)
    slowness: float = 0
    may: frozenset[str] = frozenset({"U0DANA", "U0LEE"})

    async def view(self, approval_id: str) -> Shown | None:
        await asyncio.sleep(self.slowness)
        calls = self.shown.card.plan if self.shown else ()
        found = next((each for each in calls if each.approval_id == approval_id), None)
        if self.shown is None or found is None:
            return None
        return self.shown if found is self.shown.card else replace(self.shown, card=found)

    async def decide_plan(self, choices: Mapping[str, Choice], who: Identity, via: Surface) -> Card:
        self.rounds += 1
        for approval_id, choice in choices.items():
            self._decide(approval_id, choice, who, via)
        assert self.shown is not None
        self.shown = replace(self.shown, card=_settled(self.shown.card, set(choices)))
        return self.shown.card

    async def revoke(self, grant_id: str, who: Identity, via: Surface) -> None:
        if who.id not in self.may:
            raise Refused("Only a <support lead> may take this back.")
        self.revoked.append((grant_id, who, via))

    async def grant_words(self, approval_id: str, choice: Approve) -> str:
        if self.objection:
            raise Refused(self.objection)
        return f"{approval_id} until {choice.grant.until:%Y-%m-%d}" if choice.grant else ""

    async def remark(self, approval_id: str, text: str, who: Identity, via: Surface) -> Card:
        assert self.shown is not None
        if who.id not in self.may:
            raise Refused("Only a <support lead> may decide this.")
        self.remarked.append((approval_id, text, who, via))
        return self.shown.card

    def _decide(self, approval_id: str, choice: Choice, who: Identity, via: Surface) -> None:
        if self.failures:
            raise self.failures.pop(0)
        assert self.shown is not None
        if not self.shown.card.is_pending:
            raise AlreadySettled("Dana Reyes was first: this was approved already.")
        if who.id not in self.may or who.team != "T0SANDBOX":
            raise Refused("Only a <support lead> may decide this.")
        if self.objection and isinstance(choice, Approve) and choice.arguments is not None:
            raise BadArguments(self.objection)
        self.decided.append((approval_id, choice, who, via))


def _settled(card: Card, decided: set[str]) -> Card:
    """The card of a plan after these were decided."""
    mates = tuple(replace(each, status="approved") if each.approval_id in decided else each for each in card.mates)
    return replace(card, status="approved" if card.approval_id in decided else card.status, mates=mates)
