"""A thread that always fails is tried for a while, across restarts, then parked in sight, and can be revived."""

import asyncio

from agent.ports import ModelAnswer, ModelRequest
from bot.worker import BACKOFF
from store.statements import STALLED_AFTER
from tests.builders import said
from tests.fakes import CountingIds
from tests.world import World, a_world


def poison(_: ModelRequest) -> ModelAnswer:
    """A bug, met on every try."""
    raise ZeroDivisionError("the answer is 42 / 0")


async def tries(world: World, count: int) -> None:
    """Let it fail so often more, each time as soon as it may be tried again."""
    before = len(world.model.requests)
    async with asyncio.timeout(20):
        for done in range(1, count + 1):
            while len(world.model.requests) < before + done or world.worker.running:
                await asyncio.sleep(0.01)
            world.clock.move(max(BACKOFF))


async def test_a_poison_thread_is_parked_across_restarts_and_revived(url: str) -> None:
    ids = CountingIds()
    async with a_world(url, *[poison] * STALLED_AFTER, ids=ids) as first:
        thread = await first.say("Divide")
        await tries(first, 3)
    async with a_world(url, *[poison] * STALLED_AFTER, ids=ids) as second:
        second.clock.move(10 * max(BACKOFF))
        await tries(second, 1)
        assert await second.threads.status(thread) == "active"
        await tries(second, STALLED_AFTER - 4)
        assert await second.threads.status(thread) == "stalled"
        asked = len(second.model.requests)
        second.clock.move(86_400)
        await asyncio.sleep(1.5)
        assert len(second.model.requests) == asked
        assert [row["id"] for row in await second.threads.recent(status="stalled")] == [thread]
        second.model.steps = [said("Never divide by zero.")]
        assert await second.threads.revive(thread)
        assert not await second.threads.revive(thread)
        await second.until(thread, "reply_sent")
        assert second.outbox.texts == ["Never divide by zero."]
