"""What only the engine on PostgreSQL has to stand: restarts of the server, dead and frozen neighbours, litter."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import psycopg
import pytest

from agent.events import ApprovalRequested
from store.watch import ELECTION
from tests.builders import AT, LEADS, PLACE
from tests.contracts.bench import Bench, Member
from tests.faults.cluster import a_cluster

pytestmark = pytest.mark.postgres

JOBS = "SELECT queue_name, task_name, status, priority, lock, queueing_lock, scheduled_at, args FROM procrastinate_jobs"


@pytest.fixture
async def bench(migrated_postgres_url: str) -> AsyncIterator[Bench]:
    """A database, and whoever comes to work on it."""
    async with AsyncExitStack() as stack:
        yield Bench(migrated_postgres_url, stack)


async def ask(member: Member, statement: str, *values: object) -> list[tuple[object, ...]]:
    """The rows, from beside the product."""
    connect_args = member.threads.database.connect_args
    async with await psycopg.AsyncConnection.connect(**connect_args, autocommit=True) as connection:
        cursor = await connection.execute(statement.encode(), values)
        return await cursor.fetchall() if cursor.description else []


async def gone(member: Member, rows: str) -> None:
    """Wait until there are none."""
    async with asyncio.timeout(10):
        while await ask(member, rows):
            await asyncio.sleep(0.05)


async def test_a_job_carries_the_thread_and_nothing_else(bench: Bench) -> None:
    web = await bench.member()
    thread = await web.say()
    assert await ask(web, JOBS) == [("twokey", "advance", "todo", 0, None, None, None, {"thread_id": thread})]


async def test_jobs_that_are_done_leave_nothing_behind(bench: Bench) -> None:
    one = await bench.member()
    one.start()
    for name in "abc":
        await bench.looked_at(await one.say(name), one)
    await gone(one, "SELECT id FROM procrastinate_jobs")  # which come after the look, where there was room at once
    await one.stop()
    assert await ask(one, "SELECT id FROM procrastinate_events") == []
    assert await ask(one, "SELECT id FROM procrastinate_workers") == []


async def test_what_a_dead_process_left_is_cleaned_away(bench: Bench) -> None:
    one = await bench.member()
    dead = await ask(
        one,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id",
    )
    left = "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id)"
    await ask(one, f"{left} VALUES ('twokey', 'advance', 'doing', %s)", dead[0][0])
    one.start()
    await gone(one, "SELECT id FROM procrastinate_jobs")
    assert await ask(one, "SELECT id FROM procrastinate_workers WHERE id = %s", dead[0][0]) == []


async def test_a_thread_whose_job_was_lost_is_found(bench: Bench) -> None:
    one = await bench.member()
    thread = await one.say()
    await ask(one, "DELETE FROM procrastinate_jobs")
    one.start()
    assert await bench.until(lambda: bench.looks.of(thread)) < 3


async def test_a_backlog_that_waits_for_room_is_not_told_of_over_and_over(bench: Bench) -> None:
    one, web = await bench.member(holds=True, at_once=1), await bench.member()
    one.start()
    for name in "abcde":
        await web.say(name)
    await bench.until(lambda: bench.looks.seen)
    await asyncio.sleep(3.5)
    assert len(await ask(one, "SELECT id FROM procrastinate_jobs WHERE status = 'todo'")) == 4


async def test_one_is_elected_and_another_takes_its_place(bench: Bench) -> None:
    one, two = await bench.member(), await bench.member()
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted"
    one.start()
    two.start()
    await asyncio.sleep(1)
    assert await ask(one, held, ELECTION) == [(1,)]
    await one.stop()
    await asyncio.sleep(1.5)
    assert await ask(two, held, ELECTION) == [(1,)]


async def test_a_timer_comes_though_the_elected_process_is_frozen(bench: Bench) -> None:
    one = await bench.member()
    async with await psycopg.AsyncConnection.connect(**one.threads.database.connect_args) as frozen:
        await frozen.execute("SELECT pg_advisory_lock(%s)", [ELECTION])
        one.loop.wake_at = bench.clock.now() + timedelta(hours=1)
        one.start()
        thread = await one.say()
        await bench.looked_at(thread, one)
        one.loop.wake_at = None
        bench.clock.move(3600)
        assert await bench.looked_at(thread, one, times=2) < 7


async def test_every_process_hears_at_once_that_a_card_lags_behind(bench: Bench) -> None:
    worker, web = await bench.member(), await bench.member()
    thread = await web.say()
    worker.start()
    await bench.looked_at(thread, worker)
    await asyncio.sleep(0.5)
    worker.cards._signal.clear()
    asked = ApprovalRequested(
        at=AT,
        approval_id="apr_1",
        about="call",
        call_id="c1",
        title="t",
        why="w",
        rule="r",
        approvers=LEADS,
        expires_at=AT + timedelta(hours=1),
        shown_on=(PLACE,),
    )
    await web.threads.inform(thread, [asked])
    assert await bench.until(worker.cards._signal.is_set) < 0.5


async def test_the_engine_outlives_an_outage_of_the_database() -> None:
    with a_cluster() as cluster:
        if cluster is None:
            pytest.skip("PostgreSQL's server binaries are not installed")
        url = await asyncio.to_thread(cluster.fresh_url)
        async with AsyncExitStack() as stack:
            bench = Bench(url, stack)
            one, busy = await bench.member(), await bench.member(holds=True)
            busy.start()
            held = await busy.say("held")
            await bench.until(lambda: bench.looks.of(held))
            one.start()
            await asyncio.to_thread(cluster.stop)
            await asyncio.sleep(2.5)
            cluster.running = await asyncio.to_thread(cluster._start)
            first = await one.say("first")
            assert await bench.until(lambda: bench.looks.of(first)) < 3
            await busy.say("held")
            busy.loop.hold.set()
            await bench.until(lambda: 2 in bench.looks.of(held) and not busy.worker.running)
            assert bench.looks.cut_short == 0  # nor did the outage take from it what it had in hand
            await asyncio.sleep(3)
            took = []
            for name in "abcdefgh":
                began = time.monotonic()
                thread = await one.say(name)
                await bench.until(lambda thread=thread: bench.looks.of(thread))  # type: ignore[misc]  # bound at once
                took.append(time.monotonic() - began)
            assert min(took) < 0.4  # it is listening again; a poll would take half a second and more
            assert await one.threads.due() == []
