"""A simulated process: the product's own loop, gate, engine, cards and inbox, whose every door leads into the world.

It may die, freeze and thaw at any door: what it had sent out is done by the world all the same, and is answered when,
and if, it runs again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar, cast

from agent.conversation import JsonObject
from agent.errors import TwokeyError
from agent.loop import Loop
from agent.tool import ToolContext
from approvals.gate import Gate
from bot.cards import Cards
from bot.dispatcher import Dispatcher
from bot.inbox import Inbox
from bot.local_engine import LocalEngine
from bot.outbox import Outbox
from bot.turns import Bounds
from bot.worker import Worker
from store.approvals import ApprovalIndex
from store.database import Database
from store.held import HeldThread
from store.threads import Threads
from tests.fakes import CountingIds
from tests.memory import MemoryThreads
from tests.memory_approvals import MemoryApprovals
from tests.memory_tables import MemoryDatabase
from tests.simulation.loop import OWNER, VirtualLoop

T = TypeVar("T")
APPROVAL_TIMEOUT = 90.0


@dataclass(frozen=True, slots=True)
class Done:
    """A side effect that has really happened."""

    tool: str
    thread_id: str
    call_id: str
    arguments: JsonObject
    seq: int
    """Length of the log when it happened."""


class Shared(Protocol):
    """The database that all processes share."""

    now_sql: str

    def transact(self, work: Callable[[Any], T]) -> tuple[T, list[Callable[[], None]]]:
        """In one go, by the world."""
        ...

    def look(self, work: Callable[[Any], T]) -> T:
        """Without writing."""
        ...


class Surroundings(Protocol):
    """What a process needs of its world."""

    loop: VirtualLoop
    ids: CountingIds
    effects: list[Done]
    is_memory: bool

    @property
    def shared(self) -> Shared:
        """The database."""
        ...

    async def io(self, process: "Process", door: str, words: str, work: Callable[[], T]) -> T:
        """Have something done outside, sooner or later, or not."""
        ...

    def wall_clock(self) -> datetime:
        """The true time."""
        ...

    def length(self, thread_id: str) -> int:
        """Of a log, now."""
        ...

    def holds(self, thread_id: str, epoch: int) -> bool:
        """Whether that claim is good, now."""
        ...

    def courier(self, thread_id: str) -> None:
        """Tell another process, perhaps, to look at a thread."""
        ...

    def wrong(self, words: str) -> None:
        """A promise was broken."""
        ...

    def outbox(self, process: "Process") -> Outbox:
        """The way out."""
        ...

    def work_loop(self, process: "Process", gate: Gate, outbox: Outbox) -> Loop:
        """The product's loop with the world's model."""
        ...

    def gate(self, process: "Process", index: ApprovalIndex, threads: Threads) -> Gate:
        """The product's gate."""
        ...


def here() -> "Process":
    """The process that is running now."""
    return cast("Process", OWNER.get())


class Wall:
    """A process's clock: right, but for what it was moved by."""

    def __init__(self, world: Surroundings) -> None:
        self.world = world
        self.skew = 0.0

    def now(self) -> datetime:
        """What the process believes."""
        return self.world.wall_clock() + timedelta(seconds=self.skew)


class Door(Database):
    """The database as one process reaches it."""

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.shared = process.world.shared
        self.now = self.shared.now_sql
        self.for_update = ""

    async def write(self, work: Callable[[Any], T]) -> T:
        """A transaction; its callbacks are called if its answer arrives."""
        result, callbacks = await self.process.io("store", _named(work), lambda: self.shared.transact(work))
        for callback in callbacks:
            callback()
        return result

    async def read(self, work: Callable[[Any], T], *, as_one: bool = False) -> T:
        """Without writing."""
        return await self.process.io("store", _named(work), lambda: self.shared.look(work))

    async def alter(self, work: Callable[[Any], T]) -> T:
        """Nobody changes the schema of a simulation."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """There is nothing to close."""

    def call_out(self, tx: object, channel: str) -> None:
        """Nobody hears it: cards of other processes are found by their sweep."""


def _named(work: Callable[[Any], object]) -> str:
    return str(getattr(work, "__qualname__", "")).replace(".<locals>.<lambda>", "").replace(".<locals>.work", "")


class Process:
    """One of several, all with the same code and the same database."""

    def __init__(self, world: Surroundings, name: str) -> None:
        self.world = world
        self.name = name
        self.runs = True
        self.is_dead = False
        self.parked: list[asyncio.Handle] = []
        self.held: dict[str, int] = {}
        self.clock = Wall(world)
        self.context = copy_context()
        self.context.run(OWNER.set, self)
        self._build()

    def _build(self) -> None:
        door = Door(self)
        if self.world.is_memory:
            memory = cast("MemoryDatabase", door)
            threads = cast("Threads", MemoryThreads(memory, self.clock))
            index = cast("ApprovalIndex", MemoryApprovals(memory, self.clock))
        else:
            threads, index = Threads(door, self.clock), ApprovalIndex(door, self.clock)
        outbox = self.world.outbox(self)
        self.gate = self.world.gate(self, index, threads)
        bounds = Bounds(total=4, person=2)
        self.worker = Worker(threads, self.world.work_loop(self, self.gate, outbox))
        self.dispatcher = Dispatcher(self.worker, bounds)
        self.engine = LocalEngine(threads, self.dispatcher)
        self.cards = Cards(index, self.gate, outbox)
        self.inbox = Inbox(threads, self.clock, self.world.ids, "support")
        threads.wake = self._wake
        threads.cards_changed = self.cards.changed
        self._claim = threads.claim
        threads.claim = self._claiming  # type: ignore[method-assign]  # to know what this process believes to hold
        threads.seat = self.dispatcher.seat
        self._begin = self.dispatcher.begin
        self.dispatcher.begin = self._beginning  # type: ignore[method-assign]  # likewise

    def _wake(self, tx: Any, thread_id: str) -> None:  # noqa: ANN401 - of either store
        self.engine.wake(tx, thread_id)
        tx.after_commit.append(partial(self.world.courier, thread_id))

    async def _claiming(self, thread_id: str) -> Any:  # noqa: ANN401 - of either store
        held = await self._claim(thread_id)
        if held is not None:
            self._note(held)
        return held

    def _beginning(self, held: HeldThread) -> None:
        self._note(held)
        self._begin(held)

    def _note(self, held: Any) -> None:  # noqa: ANN401 - of either store
        epoch = getattr(held, "epoch", None)
        epoch = held._claim["epoch"] if epoch is None else epoch
        # a seat that is filled long after its transaction waits for what is at work, and must not pass for it
        self.held[held.thread_id] = max(epoch, self.held.get(held.thread_id, 0))

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go to work."""
        self.spawn(self.engine.run())
        self.spawn(self.cards.run())

    def spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Have this process do something."""
        return self.world.loop.create_task(work, context=self.context.copy())

    async def stop(self) -> None:
        """An orderly end."""
        self.cards.stop()
        await self.engine.stop(5)
        self.runs, self.is_dead = False, True

    @property
    def is_idle(self) -> bool:
        """Whether it works on nothing."""
        return not self.worker.running and not self.parked

    # --- doors ------------------------------------------------------------------------------------------------------

    async def io(self, door: str, words: str, work: Callable[[], T]) -> T:
        """Have something done outside."""
        return await self.world.io(self, door, words, work)

    def must_hold(self, thread_id: str, words: str) -> None:
        """Nothing is begun for a thread that is lost."""
        if not self.world.holds(thread_id, self.held.get(thread_id, 0)):
            self.world.wrong(f"{self.name} {words} for a thread that it had lost")

    async def work(self, tool: str, context: ToolContext, arguments: JsonObject) -> str:
        """A side effect, on record where it happens."""
        self.must_hold(context.thread_id, f"begins {tool} {context.call_id}")

        def effect() -> str:
            done = Done(tool, context.thread_id, context.call_id, arguments, self.world.length(context.thread_id))
            self.world.effects.append(done)
            return "done"

        return await self.io("tool", f"{tool} {context.call_id}", effect)

    async def tries(self, attempt: Callable[[], Coroutine[Any, Any, object]], done: Callable[[], None]) -> None:
        """Somebody's request to this process: it succeeds, is refused in words of ours, or broke."""
        try:
            await attempt()
        except TwokeyError:
            return
        done()
