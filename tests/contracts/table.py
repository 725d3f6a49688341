"""Two processes' gates on one store, each on a connection of its own, and approvals for people to decide at once."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from agent.conversation import JsonObject, SlackThread
from agent.effects import Ask
from agent.entries import Entry
from agent.events import ApprovalDecided, ApprovalRequested, Event, ToolCall
from agent.state import ThreadState
from agent.tool import Tool, tool
from agent.verdict import Approvers, Decision
from approvals.decision import Approve, Choice
from approvals.gate import Gate
from approvals.people import Directory
from approvals.ports import Conversation
from store.approvals import ApprovalIndex
from store.connect import connect
from store.threads import Threads
from tests.builders import a_message
from tests.council import Said, person, who
from tests.fakes import CountingIds, FakeClock
from tests.memory import MemoryThreads
from tests.memory_approvals import MemoryApprovals
from tests.memory_tables import MemoryDatabase

PEOPLE = Directory([person(name, "finance") for name in ("fay", "gus", "hal", "ivo", "jan")] + [person("cy", "cfo")])
CFO = Ask("high", "It is a lot.", Approvers(roles=("cfo",)))
Store = tuple[Threads | MemoryThreads, ApprovalIndex | MemoryApprovals]


@tool(needs_approval=True)
async def pay(order: str, amount: float) -> str:
    """Pay."""
    return f"{order} {amount}"


def judge(call: ToolCall, called: Tool, state: ThreadState) -> Ask:
    """Much is the CFO's to decide."""
    amount = call.arguments["amount"]
    assert isinstance(amount, float | int)
    return CFO if amount > 100 else Ask("low", "why", Approvers(roles=("finance",)))


@dataclass
class Table:
    """The two gates, and what is on the table."""

    stores: tuple[Store, Store]
    clock: FakeClock
    ids: CountingIds = field(default_factory=CountingIds)
    thread_id: str = ""

    @property
    def gates(self) -> tuple[Gate, Gate]:
        """One of each process."""
        return self._gate(self.stores[0]), self._gate(self.stores[1])

    def _gate(self, store: Store) -> Gate:
        threads, index = store
        rest = (Said(judge), PEOPLE, {"pay": pay}, self.clock, self.ids)
        return Gate(index, threads, *rest, timeout=3600)

    def slowed(self, number: int, first: Callable[[], Awaitable[object]], times: int = 1) -> Gate:
        """The same gate, before whose next appends something else happens."""
        gate = self.gates[number]
        return replace(gate, threads=Slowed(self.stores[number][0], first, times))

    async def asked(self, calls: int = 1, **approvers: object) -> list[str]:
        """A new thread with so many approvals of one plan; their ids."""
        threads, now = self.stores[0][0], self.clock.now()
        place = SlackThread(team="T0", channel="C0", thread_ts=self.ids.new("ts"))
        found = await threads.take_in(place, a_message(), keys=[self.ids.new("k")], new_id=self.ids.new("thr"))
        assert found
        self.thread_id, requests = found, list[ApprovalRequested]()
        for number in range(calls):
            arguments: JsonObject = {"order": str(number), "amount": 50.0}
            requests.append(
                ApprovalRequested(
                    at=now,
                    approval_id=self.ids.new("apr"),
                    about="call",
                    call_id=f"c{number}",
                    tool="pay",
                    arguments=arguments,
                    digest=pay.digest(arguments),
                    title="Pay",
                    why="why",
                    rule="low",
                    approvers=Approvers.model_validate({"roles": ["finance"], **approvers}),
                    expires_at=now + timedelta(hours=1),
                    plan=requests[0].approval_id if requests else "",
                )
            )
        await threads.inform(self.thread_id, requests)
        return [each.approval_id for each in requests]

    def yes(self, number: int = 0, amount: float = 50.0) -> Approve:
        """To what was asked first, or with another amount."""
        digest = pay.digest({"order": str(number), "amount": 50.0})
        return Approve(digest, None if amount == 50.0 else {"order": str(number), "amount": amount})

    async def says(self, number: int, name: str, choice: Choice, approval_id: str) -> object:
        """Somebody has their say in that process."""
        return await self.gates[number].decide(approval_id, choice, who(name), "api")

    async def settles(self, number: int, approval_id: str, decision: Decision) -> None:
        """Time, or whoever stops the work, decides it there."""
        event = ApprovalDecided(at=self.clock.now(), approval_id=approval_id, decision=decision)
        await self.stores[number][0].inform(self.thread_id, [event])

    async def events(self) -> list[Event]:
        """The log."""
        return [entry.event for entry in await self.stores[1][0].entries(self.thread_id)]

    async def outcomes(self) -> list[str]:
        """Of each decision in the log."""
        return [each.decision.outcome for each in await self.events() if isinstance(each, ApprovalDecided)]


@dataclass
class Slowed:
    """A log before whose appends others are faster. Satisfies `approvals.ports.Log`."""

    threads: Threads | MemoryThreads
    first: Callable[[], Awaitable[object]]
    times: int

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """As it is."""
        return await self.threads.entries(thread_id, after)

    async def conversation(self, thread_id: str) -> Conversation | None:
        """As it is."""
        return await self.threads.conversation(thread_id)

    async def owners(self, thread_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """As it is."""
        return await self.threads.owners(thread_ids)

    async def inform(self, thread_id: str, events: Sequence[Event]) -> None:
        """After something else."""
        if self.times:
            self.times -= 1
            await self.first()
        await self.threads.inform(thread_id, events)


@asynccontextmanager
async def table_at(url: str) -> AsyncIterator[Table]:
    """On a real database with today's schema."""
    databases, clock = (connect(url), connect(url)), FakeClock()
    try:
        one, two = ((Threads(each, clock), ApprovalIndex(each, clock)) for each in databases)
        yield Table((one, two), clock)
    finally:
        for each in databases:
            await each.aclose()


def table_in_memory() -> Table:
    """On the one that simulations run on."""
    clock, database = FakeClock(), MemoryDatabase(lambda: time.time_ns() // 1000)
    store = (MemoryThreads(database, clock), MemoryApprovals(database, clock))
    return Table((store, store), clock)
