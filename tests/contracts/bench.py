"""What the contract of engines is tried on: a database, a clock, and processes whose loop only looks and lets go."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

from agent.conversation import ApiThread
from agent.errors import Conflict
from agent.events import MessageReceived
from agent.ports import Claim
from approvals.gate import Gate
from bot.cards import Cards
from bot.outbox import Outbox
from bot.service import Engine
from bot.turns import Bounds
from bot.wiring import engine_for
from bot.worker import Worker
from store.approvals import ApprovalIndex
from store.connect import connect
from store.threads import Threads
from tests.builders import ADA, Ledger
from tests.fakes import CountingIds, FakeClock
from tests.world import PEOPLE, POLICY


@dataclass
class Looks:
    """What all loops of a test saw."""

    seen: list[tuple[str, int]] = field(default_factory=list)
    """(thread, length of its log) of each look."""
    at_work: Counter[str] = field(default_factory=Counter)
    most: int = 0
    overlaps: int = 0
    cut_short: int = 0

    def of(self, thread_id: str) -> list[int]:
        """How long its log was at each look."""
        return [length for each, length in self.seen if each == thread_id]

    @property
    def threads(self) -> set[str]:
        """Those that were looked at."""
        return {each for each, _ in self.seen}


@dataclass
class LookingLoop:
    """Looks at the thread and lets go. Satisfies `bot.worker.Loop`."""

    looks: Looks
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """It holds the thread until this is set, or it is to stop."""
    wake_at: datetime | None = None
    failure: Exception | None = None
    nudges: int = 0
    is_deaf: bool = False
    """It takes no notice of being asked to stop."""

    async def run(self, claim: Claim, stopping: asyncio.Event, nudged: asyncio.Event) -> None:
        """One hold."""
        self.looks.at_work[claim.thread_id] += 1
        self.looks.most = max(self.looks.most, self.looks.at_work.total())
        self.looks.overlaps += self.looks.at_work[claim.thread_id] > 1
        try:
            await self._look(claim, stopping, nudged)
        except asyncio.CancelledError:
            self.looks.cut_short += 1
            raise
        finally:
            self.looks.at_work[claim.thread_id] -= 1

    async def _look(self, claim: Claim, stopping: asyncio.Event, nudged: asyncio.Event) -> None:
        while True:
            length = len(await claim.load())
            self.looks.seen.append((claim.thread_id, length))
            if self.failure is not None:
                raise self.failure
            await self._wait(stopping, nudged)
            if stopping.is_set():
                await claim.hand_back()
                return
            try:
                await claim.release([], length, self.wake_at)
            except Conflict:
                continue
            return

    async def _wait(self, stopping: asyncio.Event, nudged: asyncio.Event) -> None:
        while not self.hold.is_set() and (self.is_deaf or not stopping.is_set()):
            if nudged.is_set():
                nudged.clear()
                self.nudges += 1
            await asyncio.sleep(0.005)


@dataclass
class Member:
    """A process on the database: its store, and its engine if it runs one."""

    threads: Threads
    worker: Worker
    engine: Engine
    cards: Cards
    loop: LookingLoop
    running: asyncio.Task[None] | None = None
    said: int = 0

    def start(self) -> None:
        """Let it work."""
        self.running = asyncio.create_task(self.engine.run())

    async def stop(self, grace: float = 5) -> None:
        """Ask it to end, and wait until it has."""
        await self.engine.stop(grace)
        if self.running is not None:
            await self.running
            self.running = None

    async def say(self, name: str = "one") -> str:
        """Append a message to a conversation; the thread."""
        self.said += 1
        event = MessageReceived(at=self.threads.clock.now(), delivery_id="dlv", sender=ADA, text="Hi")
        keys = [f"{name}-{id(self)}-{self.said}"]
        thread_id = await self.threads.take_in(ApiThread(ref=name), event, keys=keys, new_id=f"thr_{name}", agent="a")
        assert thread_id
        return thread_id


@dataclass
class Bench:
    """A database, a clock, and any number of processes on it."""

    url: str
    stack: AsyncExitStack
    clock: FakeClock = field(default_factory=FakeClock)
    looks: Looks = field(default_factory=Looks)

    async def member(self, *, lease: float = 30.0, at_once: int = 16, holds: bool = False) -> Member:
        """One more process, whose engine is not started yet."""
        database = connect(self.url)
        threads, index = Threads(database, self.clock, lease), ApprovalIndex(database, self.clock)
        tools, ids = Ledger().tools(), CountingIds()
        gate = Gate(index, threads, POLICY, PEOPLE, tools, self.clock, ids, timeout=60, channels=())
        loop = LookingLoop(self.looks)
        if not holds:
            loop.hold.set()
        worker, cards = Worker(threads, loop), Cards(index, gate, Outbox({}))
        engine = engine_for(worker, cards, Bounds(total=at_once, person=at_once))
        member = Member(threads, worker, engine, cards, loop)
        self.stack.push_async_callback(database.aclose)
        self.stack.push_async_callback(member.stop, 0.1)
        return member

    async def until(self, is_so: Callable[[], object], seconds: float = 10) -> float:
        """Wait for it; how long it took."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while not is_so():
                await asyncio.sleep(0.002)
        return time.monotonic() - began

    async def looked_at(self, thread_id: str, by: Member, *, times: int = 1) -> float:
        """Wait until it was, so many times, and is let go; how long it took."""
        return await self.until(lambda: len(self.looks.of(thread_id)) == times and not by.worker.running)
