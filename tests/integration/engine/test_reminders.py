"""Time passes: people are reminded once each time, wake-ups come to the second, and restarts change nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from agent.conversation import Destination
from agent.errors import ChannelDown
from agent.events import ApprovalRequested, TimerFired
from approvals.card import Card
from approvals.decision import Approve, Reject
from bot import cards as module
from bot.cards import Cards
from bot.outbox import Outbox
from tests.builders import DANA, Ledger, a_call, calls, said
from tests.fakes import CountingIds
from tests.world import World, a_world

REFUND = calls(a_call("refund", order_id="1042", amount=40.0))


@dataclass
class Bell:
    """A channel that keeps what was shown and rung."""

    shown: list[str] = field(default_factory=list)
    rung: list[tuple[int, str, bool]] = field(default_factory=list)
    failures: int = 0

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        self.shown.append(card.status)
        return "T0:C0:1.1"

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        if self.failures:
            self.failures -= 1
            raise ChannelDown("502")
        self.rung.append((number, receipt, fresh))
        return "T0:C0:2.2"


@asynccontextmanager
async def ringing(world: World, bell: Bell) -> AsyncIterator[None]:
    """Cards at work."""
    cards = Cards(world.index, world.gate, Outbox({"slack": bell}))  # type: ignore[dict-item]  # half a channel
    world.threads.cards_changed = cards.changed
    task = asyncio.create_task(cards.run())
    try:
        yield
    finally:
        cards.stop()
        await task


async def until(bell: Bell, count: int) -> None:
    async with asyncio.timeout(10):
        while len(bell.rung) < count:
            await asyncio.sleep(0.01)


async def fired(world: World, thread: str) -> list[str]:
    return [each.timer for each in await world.events(thread) if isinstance(each, TimerFired)]


async def test_people_are_reminded_in_even_steps_and_once_each_time(url: str) -> None:
    bell = Bell()
    async with a_world(url, REFUND, said("Refunded."), reminders=2) as world, ringing(world, bell):
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        third = timedelta(seconds=1200)
        assert asked.remind_at == (asked.at + third, asked.at + 2 * third)
        while not bell.shown:
            await asyncio.sleep(0.01)
        world.clock.move(1199)
        await asyncio.sleep(1.5)
        assert await fired(world, thread) == []
        world.clock.move(1)
        await until(bell, 1)
        world.clock.move(1200)
        await until(bell, 2)
        await asyncio.sleep(1.5)
        assert bell.rung == [(1, "T0:C0:1.1", True), (2, "T0:C0:1.1", True)]
        assert await fired(world, thread) == [f"remind:{asked.approval_id}:1", f"remind:{asked.approval_id}:2"]
        await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        await world.until(thread, "reply_sent")
        assert len(bell.rung) == 2


async def test_a_reminder_that_may_have_gone_out_is_looked_for_and_none_follows_a_decision(url: str) -> None:
    bell = Bell(failures=1)
    async with a_world(url, REFUND, said("Refunded."), reminders=2) as world, ringing(world, bell):
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        while not bell.shown:
            await asyncio.sleep(0.01)
        world.clock.move(1200)
        async with asyncio.timeout(10):
            while bell.failures:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        world.clock.move(module.BACKOFF[0])
        await until(bell, 1)
        assert bell.rung == [(1, "T0:C0:1.1", False)]
        bell.failures = 1
        world.clock.move(1200)
        async with asyncio.timeout(10):
            while bell.failures:
                await asyncio.sleep(0.01)
        await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        world.clock.move(module.BACKOFF[-1])
        async with asyncio.timeout(10):
            while await world.index.due_cards():
                await asyncio.sleep(0.05)
        assert len(bell.rung) == 1


async def test_a_reminder_days_ahead_survives_a_restart_and_comes_to_the_second(url: str) -> None:
    ledger, ids = Ledger(), CountingIds()
    async with a_world(url, REFUND, ids=ids, reminders=1, timeout=10 * 86_400) as first:
        thread = await first.say("Refund 1042")
        asked = await first.approval(thread)
        assert asked.remind_at == (asked.at + timedelta(days=5),)
    async with a_world(url, said("Nobody decided."), ledger=ledger, ids=ids) as second:
        second.clock.move(5 * 86_400 - 1)
        await asyncio.sleep(1.5)
        assert await fired(second, thread) == []
        second.clock.move(1)
        await second.until(thread, "timer_fired")
        second.clock.move(5 * 86_400 - 1)
        await asyncio.sleep(1.5)
        assert "approval_decided" not in await second.kinds(thread)
        second.clock.move(1)
        await second.until(thread, "reply_sent")
        assert ledger.refunds == []


async def test_of_a_plan_people_are_reminded_once_each_time_also_when_its_first_call_is_decided(url: str) -> None:
    bell, wanted = Bell(), [a_call("refund", f"c{number}", order_id=str(number), amount=40.0) for number in (1, 2, 3)]
    async with a_world(url, calls(*wanted), said("Done."), reminders=2) as world, ringing(world, bell):
        thread = await world.say("Refund them")
        await world.until(thread, "approval_requested", 3)
        first, *_ = [each for each in await world.events(thread) if isinstance(each, ApprovalRequested)]
        world.clock.move(1200)
        await until(bell, 1)
        await world.gate.decide(first.approval_id, Reject("no"), DANA, "slack")
        world.clock.move(1200)
        await until(bell, 2)
        await world.at_rest()

        assert [number for number, _, _ in bell.rung] == [1, 2]
        assert len(await fired(world, thread)) == 2
        assert world.ledger.refunds == []
