"""More of the same as `test_faults.py`, at greater length: not part of `make test`, run first by `make soak`."""

import asyncio
from pathlib import Path

import pytest

from tests.faults import checker
from tests.faults.cluster import Cluster
from tests.faults.disk import fill
from tests.faults.harm import AT_ONCE, harmed, sqlite
from tests.faults.world import TOGETHER, a_world

pytestmark = pytest.mark.faults


async def test_a_process_sleeps_through_its_lease_and_wakes_up(tmp_path: Path) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=3, lease=2.0) as world:
        await harmed(world, "freeze", seconds=7)
        assert world.trouble.count["freeze"] >= 1


async def test_another_process_locks_the_file(tmp_path: Path) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=5) as world:
        await harmed(world, "lock", pause=0.3)
        assert world.trouble.count["database locked"] >= 1


async def test_the_disk_is_full_for_a_while(tmp_path: Path, small_disk: Path) -> None:
    async with a_world(tmp_path, sqlite(small_disk), seed=6) as world:
        until = asyncio.Event()
        talking = asyncio.create_task(world.talk(AT_ONCE, until))
        for _ in range(2):
            await asyncio.sleep(1)
            filler = await asyncio.to_thread(fill, small_disk)
            await asyncio.sleep(1.5)
            filler.unlink()
        until.set()
        await talking
        await world.check()
        assert "database or disk is full" in world.machine.log.read_text()


@pytest.mark.postgres
async def test_a_worker_wakes_up_when_others_have_taken_over(tmp_path: Path, cluster: Cluster) -> None:
    roles = ("web", "worker", "worker")
    async with a_world(tmp_path, cluster.fresh_url(), seed=8, roles=roles, lease=2.0) as world:
        await harmed(world, "freeze", cluster=cluster, seconds=7)
        assert world.trouble.count["freeze"] >= 1


@pytest.mark.postgres
async def test_everything_goes_wrong_at_once(tmp_path: Path, cluster: Cluster) -> None:
    async with a_world(tmp_path, cluster.fresh_url(), seed=10, chance=0.1, roles=TOGETHER) as world:
        evidence = await harmed(world, "kill", "cut", cluster=cluster)
        doubts, asked = checker.in_doubt(evidence)
        assert doubts == asked
