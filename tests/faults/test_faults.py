"""Real processes in trouble: killed, frozen, cut off, lied to. Whatever happens, the invariants of the design hold.

Each test talks to the agent while one kind of harm is done, lets all come to rest, and has the checker judge what is
left. `make soak` does the same with everything at once, for as long as one likes.
"""

import asyncio
from pathlib import Path

import pytest

from tests.faults import checker
from tests.faults.cluster import Cluster
from tests.faults.disk import fill
from tests.faults.evidence import Evidence
from tests.faults.saboteur import Saboteur
from tests.faults.world import TOGETHER, World, a_world

pytestmark = pytest.mark.faults

SECONDS = 5.0
AT_ONCE = 10


def sqlite(folder: Path) -> str:
    """A database in that folder."""
    return f"sqlite+aiosqlite:///{folder / 'twokey.db'}"


async def harmed(
    world: World, *deeds: str, cluster: Cluster | None = None, pause: float = 0.5, seconds: float = SECONDS
) -> Evidence:
    """People talk while these are done to it; then all is calm, and judged."""
    saboteur, until = Saboteur(world, cluster), asyncio.Event()
    saboteur.deeds = {name: saboteur.deeds[name] for name in deeds}
    asyncio.get_running_loop().call_later(seconds, until.set)
    await asyncio.gather(world.talk(AT_ONCE, until), *([saboteur.rage(pause, until)] if deeds else []))
    evidence = await world.check()
    assert evidence.acknowledged, "nothing was said, so nothing was tried"
    assert evidence.effects, "nothing was done, so nothing was tried"
    return evidence


@pytest.mark.parametrize("seed", [1, 2])
async def test_one_process_is_killed_over_and_over(tmp_path: Path, seed: int) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=seed) as world:
        await harmed(world, "kill")
        assert world.trouble.count["kill -9"] >= 3


async def test_a_process_sleeps_through_its_lease_and_wakes_up(tmp_path: Path) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=3, lease=2.0) as world:
        await harmed(world, "freeze", seconds=7)
        assert world.trouble.count["freeze"] >= 1


async def test_everybody_outside_fails_hangs_repeats_and_loses_answers(tmp_path: Path) -> None:
    async with a_world(tmp_path, sqlite(tmp_path), seed=4, chance=0.2) as world:
        await harmed(world)
        assert world.trouble.count.total() >= 30


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
async def test_web_and_worker_processes_are_killed_one_after_another(tmp_path: Path, cluster: Cluster) -> None:
    async with a_world(tmp_path, cluster.fresh_url(), seed=7, roles=TOGETHER) as world:
        await harmed(world, "kill", cluster=cluster)
        assert world.trouble.count["kill -9"] >= 3


@pytest.mark.postgres
async def test_a_worker_wakes_up_when_others_have_taken_over(tmp_path: Path, cluster: Cluster) -> None:
    roles = ("web", "worker", "worker")
    async with a_world(tmp_path, cluster.fresh_url(), seed=8, roles=roles, lease=2.0) as world:
        await harmed(world, "freeze", cluster=cluster, seconds=7)
        assert world.trouble.count["freeze"] >= 1


@pytest.mark.postgres
async def test_the_database_cuts_everybody_off_and_restarts(tmp_path: Path, cluster: Cluster) -> None:
    roles = ("web", "worker", "worker")
    async with a_world(tmp_path, cluster.fresh_url(), seed=9, roles=roles) as world:
        await harmed(world, "cut", "restart", cluster=cluster, pause=0.7)
        assert world.trouble.count["connections cut"] + world.trouble.count["database restarted"] >= 3


@pytest.mark.postgres
async def test_everything_goes_wrong_at_once(tmp_path: Path, cluster: Cluster) -> None:
    async with a_world(tmp_path, cluster.fresh_url(), seed=10, chance=0.1, roles=TOGETHER) as world:
        evidence = await harmed(world, "kill", "cut", cluster=cluster)
        doubts, asked = checker.in_doubt(evidence)
        assert doubts == asked
