"""A thousand threads at once: bounded, complete, and no reason for anybody else to wait."""

import asyncio

from sqlalchemy import text

from agent.conversation import SlackThread
from agent.events import MessageReceived
from tests.builders import ADA, AT, DANA
from tests.world import World, a_world

CROWD = 1_000


async def crowd(world: World) -> None:
    """Ada writes in a thousand threads, and all of them are woken together."""

    async def write(number: int) -> None:
        event = MessageReceived(at=AT, delivery_id=f"d{number}", sender=ADA, text="Hi")
        place = SlackThread(team="T0", channel="C0", thread_ts=f"{number}.0")
        await world.threads.take_in(place, event, keys=[f"crowd{number}"], new_id=f"thr_{number:04}", agent="support")

    for start in range(0, CROWD, 50):
        await asyncio.gather(*(write(number) for number in range(start, start + 50)))


async def test_a_newcomer_is_served_at_once_beside_a_thousand_threads_of_somebody_else(url: str) -> None:
    async with a_world(url) as world:
        world.model.pause, world.model.hold = 0.05, asyncio.Event()
        await crowd(world)
        assert len(world.worker.running) == 8  # half of the workers are all that Ada gets
        world.model.hold.set()
        before = len(world.model.requests)
        place = SlackThread(team="T0", channel="C0", thread_ts="9999.0")
        thread = await world.say("And me?", key="late", sender=DANA, place=place)
        async with asyncio.timeout(10):
            while not any("And me?" in turn.text for request in world.model.requests for turn in request.turns):
                assert len(world.worker.running) <= 9
                await asyncio.sleep(0.005)
        mine = next(
            n for n, request in enumerate(world.model.requests) if any("And me?" in turn.text for turn in request.turns)
        )
        assert mine - before <= 16
        async with asyncio.timeout(10):
            while "reply_sent" not in await world.kinds(thread):
                await asyncio.sleep(0.01)
        tired = text("SELECT count(*) FROM thread WHERE attempts > 0 OR status <> 'active'")
        assert await world.database.read(lambda c: c.execute(tired).scalar()) == 0


async def test_a_thousand_threads_are_all_answered_once(url: str) -> None:
    async with a_world(url) as world:
        await crowd(world)
        async with asyncio.timeout(60):
            while len(world.outbox.sent) < CROWD:
                assert len(world.worker.running) <= 16
                await asyncio.sleep(0.05)
        assert len(set(world.outbox.keys)) == len(world.model.requests) == CROWD
