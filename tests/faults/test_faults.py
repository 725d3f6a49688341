"""Real processes in trouble: killed, cut off, lied to. Whatever happens, the invariants of the design hold.

Each test talks to the agent while one kind of harm is done, lets all come to rest, and has the checker judge what is
left. There are more in `thorough.py`, and `make soak` does everything at once, for as long as one likes.
"""

import asyncio
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster
from tests.faults.harm import harmed, sqlite
from tests.faults.timepiece import Timepiece
from tests.faults.world import TOGETHER, a_world

pytestmark = pytest.mark.faults


async def test_one_process_is_killed_over_and_over(tmp_path: Path) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=1) as world:
        await harmed(world, "kill")
        assert world.trouble.count["kill -9"] >= 3


async def test_everybody_outside_fails_hangs_repeats_and_loses_answers(tmp_path: Path) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=4, chance=0.2) as world:
        await harmed(world)
        assert world.trouble.count.total() >= 15  # not in vain; how many there are hangs on how fast the machine is


async def test_the_clock_is_put_forward_and_back(tmp_path: Path, timepiece: Timepiece) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=12, timepiece=timepiece) as world:
        await harmed(world, "clock", pause=0.3)
        assert world.trouble.count["clock set"] >= 3


@pytest.mark.postgres
async def test_web_and_worker_processes_are_killed_one_after_another(tmp_path: Path, cluster: Cluster) -> None:
    async with a_world(tmp_path, cluster.fresh_url(), seed=7, roles=TOGETHER) as world:
        await harmed(world, "kill", cluster=cluster)
        assert world.trouble.count["kill -9"] >= 3


@pytest.mark.postgres
async def test_several_workers_are_given_the_same_wake_ups(tmp_path: Path, cluster: Cluster) -> None:
    roles = ("web", "worker", "worker", "worker")
    async with a_world(tmp_path, cluster.fresh_url(), seed=11, roles=roles) as world:
        workers = [seat for seat in world.machine.seats if seat.role == "worker"]
        for seat in workers:
            assert world.machine.freeze(seat)
        talking = asyncio.create_task(world.conversations(10, at_once=10))
        await asyncio.sleep(1.5)
        for seat in workers:  # all of them wake up to the same threads, at the same moment
            world.machine.thaw(seat)
        await talking
        await harmed(world, "wake", cluster=cluster, pause=0.1)
        assert world.trouble.count["woken again"] >= 3


@pytest.mark.postgres
async def test_the_database_cuts_everybody_off_and_restarts(tmp_path: Path, cluster: Cluster) -> None:
    roles = ("web", "worker", "worker")
    async with a_world(tmp_path, cluster.fresh_url(), seed=9, roles=roles) as world:
        await harmed(world, "cut", "restart", cluster=cluster, pause=0.7)
        assert world.trouble.count["connections cut"] + world.trouble.count["database restarted"] >= 3
