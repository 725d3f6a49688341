"""One kind of harm, done to a world in which people talk, and the judgement on what is left of it."""

import asyncio
from pathlib import Path

from tests.faults.cluster import Cluster
from tests.faults.evidence import Evidence
from tests.faults.saboteur import Saboteur
from tests.faults.world import World

SECONDS = 4.0
AT_ONCE = 8


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
