"""What a process leaves held when it dies, and what its successor makes of it."""

import asyncio

import pytest

from agent.errors import StoreDown
from store import schema
from store.connect import connect
from store.statements import STALLED_AFTER
from store.threads import Threads
from tests.builders import PLACE, a_message
from tests.fakes import FakeClock
from tests.world import PATIENCE, a_world


async def a_held_thread(url: str, lease: float) -> Threads:
    """A thread with something to do, claimed by a process that then died."""
    database = connect(url)
    await schema.migrate(database)
    threads = Threads(database, FakeClock(), lease)
    await threads.take_in(PLACE, a_message(), keys=["k"], new_id="thr_aaaaaaaaaaaaaaaaaaaa", agent="support")
    assert await threads.claim("thr_aaaaaaaaaaaaaaaaaaaa") is not None
    return threads


async def test_whoever_knows_that_the_holder_is_dead_need_not_wait_for_its_lease(url: str) -> None:
    threads = await a_held_thread(url, lease=600)
    assert await threads.due() == []
    await threads.take_over()
    held = await threads.claim("thr_aaaaaaaaaaaaaaaaaaaa")
    assert held is not None
    assert held.attempts == 1
    await threads.database.aclose()


async def test_a_thread_that_kills_its_process_is_parked_in_the_end(url: str) -> None:
    threads = await a_held_thread(url, lease=600)
    for _ in range(STALLED_AFTER):
        await threads.take_over()
        held = await threads.claim("thr_aaaaaaaaaaaaaaaaaaaa")
        assert held is not None
    assert held is not None
    assert held.attempts == STALLED_AFTER
    await threads.take_over()
    await threads.database.aclose()
    async with a_world(url) as world:
        async with asyncio.timeout(PATIENCE):
            while await world.threads.due():
                await asyncio.sleep(0.05)
        assert world.model.requests == []


async def test_a_closed_store_refuses_at_once(url: str) -> None:
    database = connect(url)
    await schema.migrate(database)
    await database.aclose()
    if database.is_sqlite:
        with pytest.raises(StoreDown, match="closed"):
            await database.write(lambda tx: None)
