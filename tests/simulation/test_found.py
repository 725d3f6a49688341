"""What simulations have found, each told again without chance."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence

import pytest

from agent.conversation import Destination
from agent.effects import Allow
from agent.errors import Fenced
from agent.events import Event, ModelResponded, ToolStarted
from agent.loop import Loop
from agent.ports import ModelAnswer, ModelRequest
from agent.reducer import Rules
from agent.rounds import Agent
from agent.tool import catalog, tool
from approvals.card import Card
from approvals.gate import Gate
from bot.cards import Cards
from bot.line import LIMIT
from bot.outbox import Outbox
from store.approvals import DueCard
from tests.builders import ADA, PLACE, Ledger, a_call, a_message, calls, said
from tests.contracts.steps import asked
from tests.fakes import CountingIds, FakeClock, RecordingOutbox, ScriptedModel, Step
from tests.memory import MemoryHeld, MemoryThreads
from tests.memory_approvals import MemoryApprovals
from tests.memory_tables import MemoryDatabase
from tests.world import PEOPLE, POLICY, PlainPrompt

LEASE = 0.2


class Scene:
    """One thread in memory, one loop on it, and one tool that needs nobody's leave."""

    def __init__(self, *steps: Step) -> None:
        clock, self.ran = FakeClock(), list[str]()
        self.database = MemoryDatabase(lambda: time.time_ns() // 1000)
        self.threads = MemoryThreads(self.database, clock, LEASE)
        self.index = MemoryApprovals(self.database, clock, LIMIT + LEASE)
        self.model, self.outbox, ids = ScriptedModel(list(steps)), RecordingOutbox(), CountingIds()

        @tool
        async def pay(order_id: str) -> str:
            """Pay for an order."""
            self.ran.append(order_id)
            return "paid"

        rules = Rules(tools=catalog([pay]), judge=lambda *_: Allow("all"))
        self.gate = Gate(self.index, self.threads, POLICY, PEOPLE, Ledger().tools(), clock, ids, timeout=60)
        agents = {"support": Agent("support", "m", PlainPrompt(), rules)}
        self.loop = Loop(agents, self.model, self.gate, self.outbox, clock, ids)

    async def claimed(self) -> MemoryHeld:
        """The thread, with a message in it."""
        await self.threads.take_in(PLACE, a_message(), keys=["k"], new_id="thr_1", agent="support")
        held = await self.threads.claim("thr_1")
        assert held
        return held

    async def work(self, held: MemoryHeld) -> None:
        """The loop goes its round."""
        await self.loop.run(held, asyncio.Event(), asyncio.Event())


def freeze_behind(held: MemoryHeld, kind: type[Event]) -> None:
    """Once such an event is written, the process stands still for longer than its lease."""
    append = held.append

    async def and_freeze(events: Sequence[Event], after: int) -> None:
        await append(events, after)
        if any(isinstance(event, kind) for event in events):
            await asyncio.sleep(LEASE * 1.2)

    held.append = and_freeze  # type: ignore[method-assign]  # a process frozen at just this point


async def test_who_was_frozen_behind_the_announcement_of_a_call_does_not_begin_it() -> None:
    scene = Scene(calls(a_call("pay", order_id="1")))
    held = await scene.claimed()
    freeze_behind(held, ToolStarted)
    with pytest.raises(Fenced):
        await scene.work(held)
    assert scene.ran == []


async def test_who_was_frozen_behind_an_answer_does_not_say_it() -> None:
    scene = Scene(said("Hello."))
    held = await scene.claimed()
    freeze_behind(held, ModelResponded)
    with pytest.raises(Fenced):
        await scene.work(held)
    assert scene.outbox.sent == []


async def test_a_lease_that_was_renewed_meanwhile_is_as_good() -> None:
    scene = Scene(said("Hello."))
    held = await scene.claimed()
    await asyncio.sleep(LEASE * 0.6)
    await held.renew()
    await asyncio.sleep(LEASE * 0.6)
    await scene.work(held)
    assert scene.outbox.texts == ["Hello."]


async def test_a_stop_that_came_in_while_an_answer_was_written_is_heard_before_the_model_is_asked_again() -> None:
    def stopped_meanwhile(_: ModelRequest) -> ModelAnswer:
        at_once(scene.threads.cancel("thr_1", ADA, "never mind"))
        return calls(a_call("no_such_tool"))

    scene = Scene(stopped_meanwhile, said("I went on all the same."))
    await scene.work(await scene.claimed())
    assert len(scene.model.requests) == 1
    assert scene.outbox.sent == []


def at_once(work: Coroutine[object, object, None]) -> None:
    """Nothing in memory waits for anything."""
    with pytest.raises(StopIteration):
        work.send(None)


class CardChannel:
    """Counts what is shown."""

    def __init__(self) -> None:
        self.shown = 0

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        """One more."""
        self.shown += 1
        return "receipt"


@pytest.mark.parametrize("waits, shown", [(0.0, 1), (LEASE * 1.2, 0)])
async def test_a_card_is_shown_only_by_whom_it_must_still_belong_to_when_that_ends(waits: float, shown: int) -> None:
    scene, channel = Scene(), CardChannel()
    await scene.claimed()
    await scene.threads.inform("thr_1", [asked()])
    claim: Callable[[str, str], Coroutine[object, object, DueCard | None]] = scene.index.claim_card

    async def late(approval_id: str, address_key: str) -> DueCard | None:
        due = await claim(approval_id, address_key)
        await asyncio.sleep(waits)
        return due

    scene.index.claim_card = late  # type: ignore[method-assign]  # a store that takes long to answer
    cards = Cards(scene.index, scene.gate, Outbox({"slack": channel}))  # type: ignore[arg-type, dict-item]  # the parts used
    await cards._show("apr_1", PLACE.key)
    assert channel.shown == shown
