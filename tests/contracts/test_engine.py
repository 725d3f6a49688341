"""What every engine promises, on a real store: each test runs on SQLite with the one, on PostgreSQL with the other.

"At once" means within a sweep, and some: tests run on busy machines. What it takes is measured elsewhere.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from store.database import Tx
from tests.contracts.bench import Bench
from tests.migrated import sqlite_at

AT_ONCE = 1.5
QUIET = 1.2
"""Seconds in which a sweep and a poll have come and gone."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """An empty database, and whoever comes to work on it."""
    is_file = request.param == "sqlite"
    url = sqlite_at(tmp_path / "twokey.db") if is_file else str(request.getfixturevalue("migrated_postgres_url"))
    async with AsyncExitStack() as stack:
        yield Bench(url, stack)


async def test_a_wake_has_the_thread_looked_at_once(bench: Bench) -> None:
    one = await bench.member()
    one.start()
    thread = await one.say()
    await bench.until(lambda: bench.looks.of(thread))
    await asyncio.sleep(QUIET)
    assert bench.looks.of(thread) == [1]


async def test_nothing_is_looked_at_when_the_transaction_fails(bench: Bench) -> None:
    one = await bench.member()
    thread = await one.say()
    one.start()
    await bench.looked_at(thread, one)

    def work(tx: Tx) -> None:
        one.engine.wake(tx, thread)
        raise KeyError

    with pytest.raises(KeyError):
        await one.threads.database.write(work)
    await asyncio.sleep(0.3)
    assert bench.looks.of(thread) == [1]


async def test_wakes_that_come_together_are_harmless(bench: Bench) -> None:
    one = await bench.member()
    one.start()
    thread = (await asyncio.gather(*(one.say() for _ in range(10))))[0]
    await bench.until(lambda: 10 in bench.looks.of(thread) and not one.worker.running)
    assert await one.threads.due() == []
    assert bench.looks.overlaps == 0


async def test_a_wake_during_a_run_is_not_lost(bench: Bench) -> None:
    one = await bench.member(holds=True)
    one.start()
    thread = await one.say()
    await bench.until(lambda: bench.looks.of(thread))
    await one.say()
    one.loop.hold.set()
    assert await bench.until(lambda: 2 in bench.looks.of(thread)) < AT_ONCE


async def test_a_message_interrupts_the_work_in_the_same_process_at_once(bench: Bench) -> None:
    one = await bench.member(holds=True, at_once=1)
    one.start()
    thread = await one.say()
    await bench.until(lambda: bench.looks.of(thread))
    await one.say()
    assert await bench.until(lambda: one.loop.nudges) < AT_ONCE


async def test_a_message_taken_in_by_another_process_interrupts_the_work_in_seconds(bench: Bench) -> None:
    one, web = await bench.member(holds=True, at_once=1), await bench.member()
    one.start()
    thread = await one.say()
    await bench.until(lambda: bench.looks.of(thread))
    await web.say()
    assert await bench.until(lambda: one.loop.nudges) < 4


async def test_what_a_process_takes_in_that_does_no_work_is_looked_at_by_one_that_does(bench: Bench) -> None:
    worker, web = await bench.member(), await bench.member()
    worker.start()
    thread = await web.say()
    assert await bench.until(lambda: bench.looks.of(thread)) < 2 * AT_ONCE


async def test_a_timer_wakes_its_thread_when_it_comes_and_not_before(bench: Bench) -> None:
    one = await bench.member()
    one.loop.wake_at = bench.clock.now() + timedelta(days=3)
    one.start()
    thread = await one.say()
    await bench.looked_at(thread, one)
    one.loop.wake_at = None
    bench.clock.move(3 * 86400 - 1)
    await asyncio.sleep(QUIET)
    assert bench.looks.of(thread) == [1]
    bench.clock.move(1)
    assert await bench.looked_at(thread, one, times=2) < AT_ONCE
    await asyncio.sleep(QUIET)
    assert bench.looks.of(thread) == [1, 1]


async def test_a_timer_survives_a_restart(bench: Bench) -> None:
    one = await bench.member()
    one.loop.wake_at = bench.clock.now() + timedelta(hours=1)
    one.start()
    thread = await one.say()
    await bench.looked_at(thread, one)
    await one.stop()
    bench.clock.move(3600)
    two = await bench.member()
    two.start()
    assert await bench.looked_at(thread, two, times=2) < 2 * AT_ONCE


async def test_a_thread_whose_holder_died_is_taken_over_when_its_lease_ends(bench: Bench) -> None:
    dead, one = await bench.member(lease=1.0), await bench.member()
    thread = await dead.say()
    assert await dead.threads.claim(thread) is not None  # and it is never heard of again
    one.start()
    took = await bench.until(lambda: bench.looks.of(thread))
    assert 0.5 < took < 1.0 + 2 * AT_ONCE


async def test_stop_hands_back_and_another_takes_up_at_once(bench: Bench) -> None:
    one, two = await bench.member(holds=True), await bench.member()
    one.start()
    thread = await one.say()
    await bench.until(lambda: bench.looks.of(thread))
    two.start()
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await one.stop(grace=5)
    assert time.monotonic() - began < 5
    assert await bench.looked_at(thread, two, times=2) < AT_ONCE
    assert bench.looks.cut_short == 0


async def test_what_does_not_stop_in_time_is_cut_short_and_handed_back_too(bench: Bench) -> None:
    one, two = await bench.member(holds=True), await bench.member()
    one.loop.is_deaf = True
    one.start()
    thread = await one.say()
    await bench.until(lambda: bench.looks.of(thread))
    two.start()
    await one.stop(grace=0.3)
    assert bench.looks.cut_short == 1
    assert await bench.looked_at(thread, two, times=2) < AT_ONCE


async def test_what_came_in_while_nobody_worked_is_looked_at_at_the_start(bench: Bench) -> None:
    one = await bench.member()
    threads = {await one.say(name) for name in "abc"}
    one.start()
    assert await bench.until(lambda: bench.looks.threads == threads) < 2 * AT_ONCE


async def test_a_thread_that_fails_is_tried_again_later_and_later(bench: Bench) -> None:
    one = await bench.member()
    one.loop.failure = ValueError("no")
    one.start()
    thread = await one.say()
    for tries, delay in enumerate((1, 5, 15), start=1):
        await bench.looked_at(thread, one, times=tries)
        bench.clock.move(delay - 0.5)
        await asyncio.sleep(QUIET)
        assert len(bench.looks.of(thread)) == tries
        bench.clock.move(0.5)
    one.loop.failure = None
    await bench.looked_at(thread, one, times=4)
    assert await one.threads.due() == []


async def test_no_more_threads_are_worked_on_at_a_time_than_there_is_room_for(bench: Bench) -> None:
    one = await bench.member(at_once=2, holds=True)
    one.start()
    threads = {await one.say(name) for name in "abcdef"}
    await bench.until(lambda: len(bench.looks.seen) == 2)
    await asyncio.sleep(0.2)
    assert len(bench.looks.seen) == 2
    one.loop.hold.set()
    await bench.until(lambda: bench.looks.threads == threads)
    assert bench.looks.most == 2


async def test_two_engines_on_one_database_never_work_on_a_thread_together(bench: Bench) -> None:
    one, two, web = await bench.member(at_once=4), await bench.member(at_once=4), await bench.member()
    one.start()
    two.start()
    names = "abcdefgh"
    for _ in range(10):
        await asyncio.gather(*(web.say(name) for name in names))
    ids = {f"thr_{name}" for name in names}
    await bench.until(lambda: {each for each, length in bench.looks.seen if length == len(names) + 2} == ids)
    await bench.until(lambda: not one.worker.running and not two.worker.running)
    assert bench.looks.overlaps == 0
    assert await web.threads.due() == []
