"""A simulated world: one clock, one database, several processes, and a door through which they do all things.

At the door a tape decides how long it takes, whether it fails before or after it was done, and whether the process dies
or freezes meanwhile. The world keeps what it needs to hold everybody to the promises of design.md, section 7.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from agent.entries import Entry
from agent.errors import ChannelDown, ChannelRefused, ModelUnavailable, StoreDown
from agent.loop import Loop
from approvals.gate import Gate
from bot.outbox import Outbox
from store.approvals import ApprovalIndex
from store.codec import micros
from store.threads import Threads
from tests.fakes import CountingIds
from tests.simulation.deployment import AGENTS, PEOPLE, POLICY, TOOLS
from tests.simulation.loop import VirtualLoop
from tests.simulation.ports import SimulatedChannel, SimulatedModel, Wire
from tests.simulation.process import APPROVAL_TIMEOUT, Done, Process
from tests.simulation.shared import InMemory, OnSqlite
from tests.simulation.tape import Tape

T = TypeVar("T")
Answer = asyncio.Future[object]

START = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
LEGS = (0.001, 0.004, 0.02, 0.3)
"""Seconds that a way to the outside, or back, may take; all of them together are far below a lease."""
DULL = (LEGS[0], 0.0, "")
MOODS = (4, 10, 20, 40)
"""Of 256 visits to a door, how many go wrong."""
MEANWHILE = "somebody acts meanwhile"
FAULTS = (MEANWHILE, MEANWHILE, "down", "answer lost", "dies before", "dies after", "freezes", "freezes long", "hangs")
ERRORS: dict[str, Callable[[], Exception]] = {
    "store": StoreDown,
    "model": lambda: ModelUnavailable("503"),
    "channel": lambda: ChannelDown("502"),
    "tool": lambda: RuntimeError("the wire broke"),
}


ROUTINE = (".due", ".due_cards")
"""What everybody does each second: it neither fails nor is told, or tapes would hold little else."""
OUTSIDE = Context()
"""That of the world itself: no process is running."""


class World:
    """Everything, and the broken promises."""

    def __init__(self, tape: Tape, *, is_memory: bool = True, tells: bool = False) -> None:
        self.tape = tape
        self.is_memory = is_memory
        self.loop = VirtualLoop()  # type: ignore[abstract]  # what it lacks nobody calls, and would be told
        self.story: list[str] | None = [] if tells else None
        self.problems: list[str] = []
        self.counts: dict[str, int] = {}
        self.calm = False
        self.skew = 0.0
        self.has_jumped = False
        self.ids = CountingIds()
        self.effects: list[Done] = []
        self.shown: set[str] = set()
        make = InMemory if is_memory else OnSqlite
        self.shared: InMemory | OnSqlite = make(self.database_clock)
        self.model = SimulatedModel(self)
        self.wire = Wire(self)
        self.mood = tape.pick(MOODS)
        self.processes: list[Process] = []
        self.meanwhile: Callable[[], None] = lambda: None
        """Have somebody do something in this very moment."""
        self.born = 0
        self.flights = 0
        """Ways to the outside that have not come back."""

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.now

    def wall_clock(self) -> datetime:
        """The true time."""
        return START + timedelta(seconds=self.loop.now)

    def database_clock(self) -> int:
        """The database's time, in microseconds since 1970."""
        return micros(START) + int((self.loop.now + self.skew) * 1_000_000)

    # --- the door ---------------------------------------------------------------------------------------------------

    async def io(self, process: Process, door: str, words: str, work: Callable[[], T]) -> T:
        """Done by the world after a while, and answered after another while; or not."""
        answer = self.loop.create_future()
        self.flights += 1
        before, after, fault = self._plan(door) if not words.endswith(ROUTINE) else DULL
        if fault:
            self.count(f"{door} {fault}")
            self.tell(f"{process.name}: {words}: {fault}")
        self.later(before, lambda: self._do(process, answer, work, (door, words, fault, after)))
        result: T = await answer
        return result

    def _plan(self, door: str) -> tuple[float, float, str]:
        if self.calm:
            return DULL
        byte = self.tape.byte()
        fault = ""
        if byte >= 256 - self.mood:
            faults = (*FAULTS, "refuses") if door == "channel" else FAULTS
            fault = self.tape.pick(faults)
        return LEGS[byte & 3], LEGS[byte >> 2 & 3], fault

    def _do(
        self, process: Process, answer: Answer, work: Callable[[], object], plan: tuple[str, str, str, float]
    ) -> None:
        door, words, fault, after = plan
        if fault == "dies before":
            self.kill(process)
        if fault in {"dies before", "down", "refuses"}:
            error = ChannelRefused("no such place") if fault == "refuses" else ERRORS[door]()
            self.later(after, lambda: self._settle(answer, None, error))
            return
        if fault == MEANWHILE:
            self.meanwhile()
        result: object = None
        failure: Exception | None = None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            failure = error
        if failure or not words.endswith(ROUTINE):
            self.tell(f"{process.name}: {words}{f' -> {type(failure).__name__}' if failure else ''}")
        self._afterwards(process, fault)
        if fault == "answer lost" and failure is None:
            failure = ERRORS[door]()
        late = 70.0 if fault == "hangs" else 0.0
        self.later(after + late, lambda: self._settle(answer, result, failure))

    def _settle(self, answer: Answer, result: object, failure: Exception | None) -> None:
        self.flights -= 1
        if answer.done():
            return
        if failure is None:
            answer.set_result(result)
        else:
            answer.set_exception(failure)

    def _afterwards(self, process: Process, fault: str) -> None:
        match fault:
            case "dies after":
                self.kill(process)
            case "freezes":
                self.freeze(process, 12.0)
            case "freezes long":
                self.freeze(process, 45.0)
            case _:
                pass

    def later(self, delay: float, what: Callable[[], object]) -> None:
        """Done by the world, whoever lives."""
        self.loop.call_later(delay, what, context=OUTSIDE.copy())

    # --- processes --------------------------------------------------------------------------------------------------

    def begin(self) -> Process:
        """One more process."""
        self.born += 1
        process = Process(self, f"p{self.born}")
        self.processes.append(process)
        process.start()
        return process

    @property
    def alive(self) -> list[Process]:
        """Those that are not dead; some may be frozen."""
        return [each for each in self.processes if not each.is_dead]

    def kill(self, process: Process) -> None:
        """As kill -9; another is started a moment later."""
        if process.is_dead:
            return
        self.tell(f"{process.name} dies")
        self.count("deaths")
        process.runs, process.is_dead = False, True
        self.later(1.5, self.begin)

    def freeze(self, process: Process, seconds: float) -> None:
        """As SIGSTOP, and after a while SIGCONT."""
        if process.is_dead or not process.runs:
            return
        self.tell(f"{process.name} freezes for {seconds:g} s")
        self.count("freezes")
        process.runs = False
        self.later(seconds, lambda: self.thaw(process))

    def thaw(self, process: Process) -> None:
        """It goes on as if nothing had been."""
        if not process.is_dead and not process.runs:
            self.tell(f"{process.name} thaws")
            process.runs = True
            self.loop.unpark(process)

    def courier(self, thread_id: str) -> None:
        """Another process, or two, are told to look; or nobody is."""
        if self.calm or not self.alive:
            return
        byte = self.tape.byte()
        for place in range(byte & 3 if byte & 3 < 3 else 0):
            process = self.alive[(byte // 4 + place) % len(self.alive)]
            delay = LEGS[byte // 16 & 3]
            self.loop.call_later(delay, process.engine.look_at, thread_id, context=process.context.copy())

    # --- what it is made of -----------------------------------------------------------------------------------------

    def outbox(self, process: Process) -> Outbox:
        """The product's outbox, on the one Slack there is."""
        return Outbox({"slack": SimulatedChannel(process, self.wire)})

    def work_loop(self, process: Process, gate: Gate, outbox: Outbox) -> Loop:
        """The product's loop."""
        return Loop(AGENTS, self.model, gate, outbox, process.clock, self.ids)

    def gate(self, process: Process, index: ApprovalIndex, threads: Threads) -> Gate:
        """The product's gate."""
        return Gate(
            index,
            threads,
            POLICY,
            PEOPLE,
            TOOLS,
            process.clock,
            self.ids,
            timeout=APPROVAL_TIMEOUT,
            channels=("slack",),
        )

    # --- what is known ----------------------------------------------------------------------------------------------

    def log(self, thread_id: str) -> tuple[Entry, ...]:
        """What was written."""
        return self.shared.entries(thread_id)

    def row(self, thread_id: str) -> dict[str, object]:
        """Of a thread."""
        return next((row for row in self.shared.threads() if row["id"] == thread_id), {})

    def length(self, thread_id: str) -> int:
        """Of a log."""
        return int(str(self.row(thread_id).get("last_seq", 0)))

    def holds(self, thread_id: str, epoch: int) -> bool:
        """Whether that claim is good; after the database's clock was moved nobody can know."""
        row = self.row(thread_id)
        if self.has_jumped or not row:
            return True
        return row["epoch"] == epoch and int(str(row["lease_until"])) > self.database_clock()

    def wrong(self, words: str) -> None:
        """A promise was broken."""
        self.tell(f"WRONG: {words}")
        self.problems.append(words)

    def tell(self, words: str) -> None:
        """For whoever reads the story of a failure."""
        if self.story is not None:
            self.story.append(f"{self.loop.now:9.3f}  {words}")

    def count(self, what: str) -> None:
        """For the figures."""
        self.counts[what] = self.counts.get(what, 0) + 1
