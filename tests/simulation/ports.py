"""The world's model and channel: they answer as the tape says, and remember everything."""

from dataclasses import dataclass, field
from typing import Protocol

from agent.conversation import Destination, JsonObject
from agent.errors import ModelRefused
from agent.events import ToolCall
from agent.ports import ModelAnswer, ModelRequest, ModelTurn, Presence, Reply, ResultTurn, UserTurn
from approvals.card import Card
from bot.outbox import Place
from tests.simulation.process import Process, here
from tests.simulation.tape import Tape

SCRIPT = (
    ("says",),
    ("refund",),
    ("pay",),
    ("look_up",),
    ("refund", "refund"),
    ("refund", "pay", "note"),
    ("note",),
    ("look_up", "refund"),
    ("ask_human",),
    ("broken",),
    ("finish",),
    ("malformed", "pay"),
    ("no_such_tool",),
    ("says nothing",),
    ("refuses",),
)


class Watcher(Protocol):
    """What the ports tell the world."""

    tape: Tape
    calm: bool
    shown: set[str]
    has_jumped: bool

    def wrong(self, words: str) -> None:
        """A promise was broken."""
        ...

    @property
    def now(self) -> float:
        """Virtual seconds."""
        ...

    def holds(self, thread_id: str, epoch: int) -> bool:
        """Whether that claim is good."""
        ...


class SimulatedModel:
    """Satisfies `agent.ports.Model`."""

    def __init__(self, world: Watcher) -> None:
        self.world = world
        self.count = 0

    async def respond(self, request: ModelRequest) -> ModelAnswer:
        """What the tape says; words only once the world is calm."""
        self._look_at(request)
        return await here().io("model", "model", lambda: self._answer(request))

    def _look_at(self, request: ModelRequest) -> None:
        waiting: list[str] = []
        for turn in request.turns:
            if isinstance(turn, ResultTurn):
                if not waiting or waiting.pop(0) != turn.call.id:
                    self.world.wrong(f"the result of {turn.call.id} does not follow its call")
                continue
            if waiting:
                self.world.wrong(f"the model is shown calls without results: {waiting}")
            waiting = [call.id for call in turn.calls] if isinstance(turn, ModelTurn) else []
        if waiting:
            self.world.wrong(f"the model is shown calls without results: {waiting}")

    def _answer(self, request: ModelRequest) -> ModelAnswer:
        self.count += 1
        self.world.shown.update(turn.text for turn in request.turns if isinstance(turn, UserTurn | ResultTurn))
        wishes = SCRIPT[0] if self.world.calm else self.world.tape.pick(SCRIPT)
        match wishes[0]:
            case "says":
                return ModelAnswer(text=f"Answer {self.count}.")
            case "says nothing":
                return ModelAnswer()
            case "refuses":
                raise ModelRefused("400")
            case _:
                return ModelAnswer(
                    calls=tuple(self._call(name, place) for place, name in enumerate(wishes)), stop="calls"
                )

    def _call(self, name: str, place: int) -> ToolCall:
        known: dict[str, JsonObject] = {
            "refund": {"order_id": "1", "amount": 1.0 + place},
            "pay": {"order_id": "1"},
            "look_up": {"order_id": "1"},
            "note": {"text": "n"},
            "ask_human": {"question": "Which?", "choices": ["a", "b"]},
            "finish": {"summary": f"Finished {self.count}."},
        }
        called = "look_up" if name == "malformed" else name
        return ToolCall(
            id="",
            provider_id=f"p{place}",
            name=called,
            arguments=known.get(name, {}),
            malformed="not JSON" if name == "malformed" else "",
        )


@dataclass
class Message:
    """Something said or shown: when, and what it says now."""

    at: float
    says: str


@dataclass
class Wire:
    """The one Slack that all processes speak to."""

    world: Watcher
    messages: dict[str, Message] = field(default_factory=dict)
    overlaps: int = 0

    def post(self, key: str, says: str, checked_at: float) -> str:
        """Say it. Twice under one key is wrong, unless the first was on its way still when the second was decided on,
        or the database's clock was moved, which leases cannot survive."""
        earlier = self.messages.get(key)
        if earlier is None:
            self.messages[key] = Message(self.world.now, says)
        elif earlier.at > checked_at or self.world.has_jumped:
            self.overlaps += 1
        else:
            self.world.wrong(f"{key} is said twice")
        return f"ts:{key}"

    def change(self, key: str, says: str) -> str:
        """Bring it up to date."""
        self.messages[key].says = says
        return f"ts:{key}"


class SimulatedChannel:
    """Satisfies `bot.outbox.Channel`, for one process."""

    def __init__(self, process: Process, wire: Wire) -> None:
        self.process = process
        self.wire = wire

    async def send(self, conversation: Place, reply: Reply) -> tuple[str, ...]:
        """Looked for first, unless it is fresh."""
        self.process.must_hold(reply.thread_id, f"begins to say {reply.key}")
        found, checked_at = ("", self.wire.world.now) if reply.fresh else await self._look(reply.key)
        return (found or await self._post(reply.key, reply.text, checked_at),)

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """As the channels do."""
        key, says = f"card {card.approval_id} at {address.key}", f"{card.status} {card.outcome}"
        checked_at = self.wire.world.now
        if not receipt and not fresh:
            receipt, checked_at = await self._look(key)
        if receipt:
            return await self.process.io("channel", f"makes {key} {says}", lambda: self.wire.change(key, says))
        return await self._post(key, says, checked_at)

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        """As the channels do."""
        key = f"reminder {number} of {card.approval_id} at {address.key}"
        found, checked_at = ("", self.wire.world.now) if fresh else await self._look(key)
        return found or await self._post(key, "still waiting", checked_at)

    async def _look(self, key: str) -> tuple[str, float]:
        def look() -> tuple[str, float]:
            return f"ts:{key}" if key in self.wire.messages else "", self.wire.world.now

        return await self.process.io("channel", f"looks for {key}", look)

    async def _post(self, key: str, says: str, checked_at: float) -> str:
        return await self.process.io("channel", f"says {key}: {says}", lambda: self.wire.post(key, says, checked_at))

    async def show_presence(self, conversation: Place, presence: Presence) -> None:
        """Decoration: not simulated."""
