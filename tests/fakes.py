"""The only doubles: a clock moved by hand, ids that count, a model with a script, a channel that records, accounts."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.conversation import ApiThread, Destination, Identity, MailThread, SlackThread
from agent.errors import ChannelDown, ChannelRefused
from agent.ports import ModelAnswer, ModelRequest, Presence, Reply
from approvals.card import Card
from bot.slack.standing import objection


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        """The moment it stands at."""
        return self.at

    def move(self, seconds: float) -> None:
        """Forwards, or back."""
        self.at += timedelta(seconds=seconds)


class CountingIds:
    """Ids in the shape of real ones, counted up."""

    def __init__(self, count: int = 0) -> None:
        self.count = count

    def new(self, prefix: str) -> str:
        """The next id."""
        self.count += 1
        text = base64.b32encode(self.count.to_bytes(12, "big")).decode().lower().rstrip("=")
        return f"{prefix}_{text:a>20}"[: len(prefix) + 21]


Step = ModelAnswer | Exception | Callable[[ModelRequest], ModelAnswer]


@dataclass
class ScriptedModel:
    """Answers from a list, in order, and remembers what it was asked. Satisfies `agent.ports.Model`."""

    steps: list[Step] = field(default_factory=list)
    requests: list[ModelRequest] = field(default_factory=list)
    hold: asyncio.Event | None = None
    """When set: answer only once this event is."""
    pause: float = 0
    """Seconds that an answer takes."""

    async def respond(self, request: ModelRequest) -> ModelAnswer:
        """The next step; an exception is raised."""
        self.requests.append(request)
        if self.hold is not None:
            await self.hold.wait()
        if self.pause:
            await asyncio.sleep(self.pause)
        step = self.steps.pop(0) if self.steps else ModelAnswer(text="Done.")
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step


@dataclass
class RecordingOutbox:
    """Remembers what was said. Satisfies `agent.ports.Outbox`."""

    sent: list[Reply] = field(default_factory=list)
    presences: list[Presence] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    async def send(self, conversation: SlackThread | MailThread | ApiThread, reply: Reply) -> tuple[str, ...]:
        """Record it, or fail as told."""
        if self.failures:
            raise self.failures.pop(0)
        if reply.key in self.keys:
            return (f"receipt:{reply.key}",)
        self.sent.append(reply)
        return (f"receipt:{reply.key}",)

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """Record it."""
        self.presences.append(presence)

    @property
    def keys(self) -> Sequence[str]:
        """Of what was said."""
        return [reply.key for reply in self.sent]

    @property
    def texts(self) -> list[str]:
        """What was said."""
        return [reply.text for reply in self.sent]


@dataclass
class RecordingChannel:
    """Remembers what was shown where. Satisfies `bot.outbox.Channel`, as far as cards go."""

    shown: list[tuple[Card, str]] = field(default_factory=list)
    """Each card as it was shown, and where."""
    failures: list[Exception] = field(default_factory=list)

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """Record it, or fail as told."""
        if self.failures:
            raise self.failures.pop(0)
        self.shown.append((card, address.key))
        return receipt or f"receipt:{card.approval_id}:{address.key}"

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        """A message of its own."""
        return f"reminder:{card.approval_id}:{number}"

    async def send(self, conversation: SlackThread | MailThread | ApiThread, reply: Reply) -> tuple[str, ...]:
        """Not recorded here: see RecordingOutbox."""
        raise ChannelRefused("this one shows cards")

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """Nothing."""


@dataclass
class FakeStanding:
    """A workspace with accounts and groups, none of which can be looked up while it is down. Satisfies
    `approvals.standing.Standing`."""

    team: str = "T0SANDBOX"
    accounts: dict[str, dict[str, object]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    """Ids of the users and groups that were looked up."""

    def account(self, user: str, *flags: str, team: str = "") -> None:
        """Let there be this account, of which these flags are true."""
        known = dict.fromkeys(("deleted", "is_bot", "is_restricted", "is_ultra_restricted"), False)
        self.accounts[user] = {"id": user, "team_id": team or self.team, **known, **dict.fromkeys(flags, True)}

    async def check(self, who: Identity) -> str:
        """Why this account may not decide."""
        if who.channel != "slack":
            return ""
        self.asked.append(who.id)
        return objection({} if self.is_down else self.accounts.get(who.id, {}), who, self.team)

    async def members(self, team: str, group: str) -> frozenset[str]:
        """Of a group."""
        self.asked.append(group)
        if self.is_down:
            raise ChannelDown("down")
        if team != self.team or group not in self.groups:
            raise ChannelRefused("no such group")
        return frozenset(self.groups[group])
