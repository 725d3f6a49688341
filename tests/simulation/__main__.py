"""Long runs: `python -m tests.simulation --schedules 10000 --seed 7`. Prints figures as JSON.

The first schedule that breaks a promise is made as short as it can be, told in words, and the run ends with status 1.
`--replay TAPE` tells one schedule again; `--sql` runs the product's own statements on SQLite in memory.
"""

import argparse
import json
import random
import re
import sys
import time
from collections import Counter

from tests.simulation.schedule import Verdict, play
from tests.simulation.tape import CHUNK, Tape, shortest

_NAMES = re.compile(r"(thr|apr|call)_\w+|\d+")


def main() -> int:
    """Run, print, and say by the status whether every promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sql", action="store_true", help="the product's own statements, on SQLite in memory")
    parser.add_argument("--replay", default="", help="tell one schedule, given by its tape")
    asked = parser.parse_args()
    is_memory = not asked.sql
    if asked.replay:
        tape = bytes.fromhex(asked.replay)
        sys.stdout.write(told(tape, is_memory=is_memory))
        return 1 if play(Tape.of(tape), is_memory=is_memory).problems else 0
    failed = _run(asked.schedules, asked.seed, is_memory=is_memory)
    if failed is not None:
        sys.stdout.write(told(_shortened(failed, is_memory=is_memory), is_memory=is_memory))
    return 0 if failed is None else 1


def _run(schedules: int, seed: int, *, is_memory: bool) -> Verdict | None:
    """Prints the figures; the first that failed."""
    began, worked, counts, done = time.perf_counter(), time.process_time(), Counter[str](), 0
    failed: Verdict | None = None
    while done < schedules and failed is None:
        verdict = play(drawn(seed, done), is_memory=is_memory)
        counts.update(verdict.counts)
        done += 1
        failed = verdict if verdict.problems else None
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    figures = {
        "schedules": done,
        "seed": seed,
        "seconds": round(seconds, 1),
        "a_minute": round(done / seconds * 60),
        "a_minute_of_cpu": round(done / cpu * 60),
        "broken": list(failed.problems) if failed else [],
        "counts": dict(sorted(counts.items())),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return failed


def drawn(seed: int, number: int) -> Tape:
    """The tape of one schedule of a run."""
    chance = random.Random(f"{seed}:{number}")  # noqa: S311 - to be repeated, not to be secret
    return Tape(lambda: chance.randbytes(CHUNK))


def _shortened(failed: Verdict, *, is_memory: bool) -> bytes:
    kind = _kind(failed.problems[0])

    def fails(tape: bytes) -> bool:
        return kind in map(_kind, play(Tape.of(tape), is_memory=is_memory).problems)

    return shortest(failed.tape, fails)


def _kind(problem: str) -> str:
    """The same promise, whatever the names and numbers in it."""
    return _NAMES.sub("", problem)[:60]


def told(tape: bytes, *, is_memory: bool) -> str:
    """The schedule in words, and how to see it again."""
    verdict = play(Tape.of(tape), is_memory=is_memory, tells=True)
    story, problems = "\n".join(verdict.story), "\n".join(verdict.problems) or "every promise was kept"
    again = f"python -m tests.simulation --replay {tape.hex() or '00'}{'' if is_memory else ' --sql'}"
    return f"\n{story}\n\n{problems}\n\nagain: {again}\n"


if __name__ == "__main__":
    sys.exit(main())
