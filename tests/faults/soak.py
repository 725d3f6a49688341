"""The long attack, `make soak`: round after round in a new world, on SQLite and PostgreSQL in turn, until enough went
wrong. Each round is judged by the checker; progress goes to standard error, the sums as JSON to standard output.

Every other round freezes processes too; in the others clocks are set, and they are also judged on overlapping effects.
A round that breaks an invariant leaves its folder behind, and its seed is told.
"""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import checker
from tests.faults.cluster import Cluster, a_cluster
from tests.faults.evidence import Evidence
from tests.faults.saboteur import Saboteur
from tests.faults.timepiece import a_timepiece
from tests.faults.world import ALONE, TOGETHER, World, a_world

ROUND = 60.0
"""Seconds of trouble in a round; then calm, until all is done."""
CHANCE = 0.2
AT_ONCE = 24
PAUSE = 0.8


@dataclass
class Sums:
    """What all rounds came to."""

    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    threads: int = 0
    events: int = 0
    effects: int = 0
    messages_acknowledged: int = 0
    replies_and_cards: int = 0
    in_doubt: int = 0
    in_doubt_asked: int = 0
    revived: int = 0
    """Threads that were parked because their processes died too often in a row, and that an operator revived."""
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, world: World, evidence: Evidence, problems: dict[str, list[str]]) -> None:
        """One more round."""
        self.revived += world.revived
        doubts, asked = checker.in_doubt(evidence)
        self.rounds += 1
        self.faults += world.trouble.count
        self.threads += len(evidence.threads)
        self.events += sum(thread.last_seq for thread in evidence.threads)
        self.effects += len(evidence.effects)
        self.messages_acknowledged += len(evidence.acknowledged)
        self.replies_and_cards += len(evidence.posts) + len(evidence.mails)
        self.in_doubt += doubts
        self.in_doubt_asked += asked
        self.broken += Counter({name: len(found) for name, found in problems.items()})

    def as_json(self, seconds: float) -> dict[str, object]:
        """For a reader, and for a machine."""
        return {
            "seconds": round(seconds),
            "rounds": self.rounds,
            "faults": self.faults.total(),
            "faults_by_kind": dict(self.faults.most_common()),
            "threads": self.threads,
            "events": self.events,
            "effects": self.effects,
            "messages_acknowledged": self.messages_acknowledged,
            "replies_and_cards": self.replies_and_cards,
            "in_doubt": self.in_doubt,
            "in_doubt_asked": self.in_doubt_asked,
            "parked_and_revived": self.revived,
            "broken": {check.__name__: self.broken[check.__name__] for check in checker.INVARIANTS},
        }


async def one_round(folder: Path, cluster: Cluster | None, seed: int, seconds: float, *, freeze: bool) -> World:
    """Trouble for so long, and then rest. Clocks are set in those rounds in which nobody is frozen."""
    url = cluster.fresh_url() if cluster else f"sqlite+aiosqlite:///{folder / 'twokey.db'}"
    roles = TOGETHER if cluster else ALONE
    clock = None if freeze else a_timepiece(folder)
    async with a_world(folder, url, seed=seed, chance=CHANCE, roles=roles, timepiece=clock) as world:
        saboteur, until = Saboteur(world, cluster), asyncio.Event()
        if not freeze:
            del saboteur.deeds["freeze"]
        asyncio.get_running_loop().call_later(seconds, until.set)
        await asyncio.gather(world.talk(AT_ONCE, until), saboteur.rage(PAUSE, until))
        await world.at_rest()
        return world


def soak(options: argparse.Namespace) -> int:
    """Round after round; 0 when nothing broke."""
    began, sums = time.monotonic(), Sums()
    with ExitStack() as stack, suppress(KeyboardInterrupt):  # whoever has seen enough gets the sums so far
        cluster = stack.enter_context(a_cluster())
        if cluster is None:
            _say("PostgreSQL's server binaries are not installed; SQLite only")
        for number in _numbers(options, sums, began):
            on = cluster if number % 2 else None
            folder = Path(tempfile.mkdtemp(prefix="twokey-soak-"))
            world, evidence, problems = asyncio.run(_judged(folder, on, options.seed + number, number % 4 < 2))
            sums.add(world, evidence, problems)
            _tell(number, on, sums, problems, folder)
            if not problems:
                shutil.rmtree(folder)
    sys.stdout.write(json.dumps(sums.as_json(time.monotonic() - began), indent=2) + "\n")
    return 1 if sums.broken else 0


async def _judged(
    folder: Path, cluster: Cluster | None, seed: int, freeze: bool
) -> tuple[World, Evidence, dict[str, list[str]]]:
    world = await one_round(folder, cluster, seed, ROUND, freeze=freeze)
    evidence = await world.evidence()
    return world, evidence, checker.judge(evidence)


def _numbers(options: argparse.Namespace, sums: Sums, began: float) -> Iterator[int]:
    number = 0
    while sums.faults.total() < options.faults if options.faults else time.monotonic() - began < options.minutes * 60:
        yield number
        number += 1


def _tell(number: int, on: Cluster | None, sums: Sums, problems: dict[str, list[str]], folder: Path) -> None:
    where = "PostgreSQL" if on else "SQLite"
    _say(
        f"round {number} on {where}: {sums.faults.total()} faults, {sums.events} events, "
        f"{sums.in_doubt} in doubt, {sums.broken.total()} broken so far"
    )
    for name, found in problems.items():
        for each in found:
            _say(f"  {name}: {each}")
    if problems:
        _say(f"  what is left of it: {folder}")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Attack the agent until enough has gone wrong, and judge what it did.")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--faults", type=int, default=0, help="go on until so many faults, however long it takes")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # the sandbox's servers: their clients are killed
    sys.exit(soak(parser.parse_args()))


if __name__ == "__main__":
    main()
