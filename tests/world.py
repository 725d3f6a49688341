"""One process without its ways in: the loop on a real store, in the embedded engine, with a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from agent.conversation import Identity, SlackThread
from agent.events import ApprovalRequested, Event, PromptStamp
from agent.loop import Loop
from agent.rounds import Agent
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from bot.cards import Cards
from bot.inbox import Delivery, Inbox
from bot.outbox import Outbox
from bot.service import Engine
from bot.turns import Bounds
from bot.wiring import engine_for
from bot.worker import Worker
from store import schema
from store.approvals import ApprovalIndex
from store.connect import connect
from store.database import Database
from store.threads import Threads
from tests.builders import ADA, PLACE, Ledger, rules
from tests.fakes import CountingIds, FakeClock, RecordingOutbox, ScriptedModel, Step


class PlainPrompt:
    """A prompt without variables."""

    def render(self, variables: object) -> tuple[str, PromptStamp]:
        """Its text."""
        return "You help.", PromptStamp(name="plain", version="1.0.0", digest="0" * 64)


POLICY = Policy(
    PolicyFile.model_validate(
        {
            "rules": [
                {"name": "reads", "effect": "read", "outcome": "allow"},
                {"name": "writes", "tools": ["refund"], "outcome": "ask", "approvers": {"roles": ["lead"]}},
            ]
        }
    )
)
PEOPLE = Directory(
    [
        Person(id="ada", name="Ada", slack={"T0": "U0ADA"}),
        Person(id="dana", name="Dana", slack={"T0": "U0DANA"}, roles=("lead",)),
    ]
)


PATIENCE = 20.0
"""Seconds until a test that waits in vain fails; machines that build are busy."""


@dataclass
class World:
    """One process, with all that it is made of."""

    database: Database
    threads: Threads
    index: ApprovalIndex
    gate: Gate
    inbox: Inbox
    worker: Worker
    engine: Engine
    model: ScriptedModel
    outbox: RecordingOutbox
    ledger: Ledger
    clock: FakeClock

    async def say(self, text: str, key: str = "k1", sender: Identity = ADA, place: SlackThread = PLACE) -> str:
        """Somebody writes; the thread."""
        thread_id = await self.inbox.deliver(Delivery(place, (key,), sender, text))
        assert thread_id
        return thread_id

    async def events(self, thread_id: str) -> list[Event]:
        """The log."""
        return [entry.event for entry in await self.threads.entries(thread_id)]

    async def at_rest(self) -> None:
        """Wait until nobody is at work."""
        async with asyncio.timeout(PATIENCE):
            while self.worker.running:
                await asyncio.sleep(0.01)

    async def asked_model(self) -> None:
        """Wait until the model is being asked."""
        async with asyncio.timeout(PATIENCE):
            while not self.model.requests:
                await asyncio.sleep(0.01)

    async def kinds(self, thread_id: str) -> list[str]:
        """The kinds of its events."""
        return [event.kind for event in await self.events(thread_id)]

    async def until(self, thread_id: str, kind: str, count: int = 1) -> None:
        """Wait until so many events of that kind are there and nobody is at work."""
        async with asyncio.timeout(PATIENCE):
            while (await self.kinds(thread_id)).count(kind) < count or self.worker.running:
                await asyncio.sleep(0.01)

    async def approval(self, thread_id: str) -> ApprovalRequested:
        """Wait for the latest approval."""
        await self.until(thread_id, "approval_requested")
        return [e for e in await self.events(thread_id) if isinstance(e, ApprovalRequested)][-1]


@asynccontextmanager
async def a_world(
    url: str,
    *steps: Step,
    ledger: Ledger | None = None,
    ids: CountingIds | None = None,
    policy: Policy | None = None,
    agent: Callable[[Agent], Agent] | None = None,
    **asking: object,
) -> AsyncIterator[World]:
    """A running process on that database, whose model answers these steps; `asking` is how its gate asks people.
    `agent` changes the one that works."""
    database, clock = connect(url), FakeClock()
    ledger, ids = ledger or Ledger(), ids or CountingIds()
    outbox, model = RecordingOutbox(), ScriptedModel(list(steps))
    await schema.migrate(database)
    threads, index = Threads(database, clock), ApprovalIndex(database, clock)
    asking = {"timeout": 3600.0, "channels": ("slack",), **asking}
    rest = (index, threads, policy or POLICY, PEOPLE, ledger.tools(), clock, ids)
    gate = Gate(*rest, **asking)  # type: ignore[arg-type]  # fields of it
    by = replace(rules(ledger), judge=policy.judge) if policy else rules(ledger)
    support = Agent("support", "m", PlainPrompt(), by)
    loop = Loop({"support": support if agent is None else agent(support)}, model, gate, outbox, clock, ids)
    worker, cards = Worker(threads, loop), Cards(index, gate, Outbox({}))
    engine = engine_for(worker, cards, Bounds(total=16, person=8))
    running = asyncio.create_task(engine.run())
    inbox = Inbox(threads, clock, ids, "support")
    try:
        yield World(database, threads, index, gate, inbox, worker, engine, model, outbox, ledger, clock)
    finally:
        await engine.stop(1)
        await running
        await database.aclose()
