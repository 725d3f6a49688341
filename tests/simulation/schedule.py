"""One schedule: a world begins, people and faults have their way, then all is calm, and the promises are looked at."""

import asyncio
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from agent.errors import TwokeyError
from store.codec import micros
from tests.simulation.people import People
from tests.simulation.promises import Promises
from tests.simulation.tape import Tape
from tests.simulation.world import START, World

GAPS = (0.5, 0.0, 0.01, 0.05, 0.3, 4.0, 25.0, 100.0)
"""Seconds between two things that people do."""
LONG = 5_000.0
"""Virtual seconds in which everything must have come to rest."""


@dataclass(frozen=True)
class Verdict:
    """What came of a schedule."""

    tape: bytes
    problems: tuple[str, ...]
    counts: dict[str, int]
    story: tuple[str, ...]


def play(tape: Tape, *, is_memory: bool = True, tells: bool = False) -> Verdict:
    """Run one schedule from beginning to end."""
    world = World(tape, is_memory=is_memory, tells=tells)
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(world.loop)
    try:
        with _watching(world):
            _play(world)
    finally:
        asyncio._set_running_loop(before)
    return Verdict(tape.used, tuple(world.problems), world.counts, tuple(world.story or ()))


def _play(world: World) -> None:
    people, tape = People(world), world.tape
    world.meanwhile = people.act
    try:
        world.loop.run_until(0.0)
        for _ in range(tape.pick((2, 1, 3))):
            world.later(0.0, world.begin)
        for _ in range(2 + tape.byte() % 14):
            _outside(world, people.act)
            _advance(world, world.now + tape.pick(GAPS))
            if _is_over(world):
                break
        _calm_down(world, people)
        if not _is_over(world):
            Promises(world, people).check()
    finally:
        _close(world)
    if tape.torn is not None:
        raise tape.torn


def _is_over(world: World) -> bool:
    """A promise is broken already, or there is no more tape."""
    return bool(world.problems) or world.tape.torn is not None


def _outside(world: World, act: Any) -> None:  # noqa: ANN401 - any function
    world.later(0.0, act)
    world.loop.run_until(world.now)


def _calm_down(world: World, people: People) -> None:
    """No more faults: everything that was begun must end."""
    if _is_over(world):
        return
    world.tell("--- all faults end ---")
    world.calm = True
    for each in world.processes:
        _outside(world, partial(world.thaw, each))
    end = world.now + LONG
    while world.now < end and not _is_over(world):
        letters = all(letter.is_accepted for letter in people.letters)
        moment = _next_moment(world)
        if letters and moment == float("inf") and _is_quiet(world) and all(each.runs for each in world.alive):
            return
        _advance(world, min(max(world.now + 1.0, moment + 0.01 if moment < end else 0.0), end))
    if _is_over(world):
        return
    rows = [{k: v for k, v in row.items() if k != "head"} for row in world.shared.threads()]
    world.wrong(f"it does not come to rest: {rows}, {world.shared.cards()}")


def _close(world: World) -> None:
    """Everybody stops in good order, and leaves nothing behind."""
    for process in world.alive:
        process.spawn(process.stop())
    world.loop.run_until(world.now + 6)
    for row in world.shared.threads():
        if row["lease_until"] > world.database_clock() and not world.problems:
            world.wrong(f"after an orderly stop a lease is left on {row['id']}")
    for task in world.loop.tasks:
        error = task.exception() if task.done() and not task.cancelled() else None
        if error is not None and not isinstance(error, TwokeyError):
            world.wrong(f"a task ended with {error!r}")
    world.problems += world.loop.complaints
    world.loop.close_down([*world.processes])


# --- time -----------------------------------------------------------------------------------------------------------


def _advance(world: World, moment: float) -> None:
    """Let that much time pass; time in which nothing can happen is passed over."""
    while world.now < moment and not _is_over(world):
        if _is_quiet(world):
            world.loop.jump(min(moment, max(world.now, _next_moment(world), world.now), world.loop.next_outside()))
        world.loop.run_until(min(moment, world.now + 1.0))


def _is_quiet(world: World) -> bool:
    """Nobody who can do anything is at work, and nothing is under way."""
    return world.flights == 0 and all(each.is_idle for each in world.alive if each.runs)


def _next_moment(world: World) -> float:
    """When the store will have something to do; infinite for never."""
    ahead = max((each.clock.skew for each in world.alive), default=0.0)
    moments = [float("inf")]
    for row in world.shared.threads():
        if row["status"] != "active":
            continue
        if row["last_seq"] > row["done_seq"]:
            moments.append(_at(world, row["not_before"], row["lease_until"], ahead))
        elif row["wake_at"] is not None:
            moments.append(_at(world, max(row["wake_at"], row["not_before"]), row["lease_until"], ahead))
    lagging = [card for card in world.shared.cards() if card["shown"] < card["wanted"]]
    return min(moments + [_at(world, card["not_before"], card["lease_until"], ahead) for card in lagging])


def _at(world: World, by_clock: int, by_database: int, ahead: float) -> float:
    base = micros(START)
    return max((by_clock - base) / 1e6 - ahead, (by_database - base) / 1e6 - world.skew)


# --- logs -----------------------------------------------------------------------------------------------------------


@contextmanager
def _watching(world: World) -> Iterator[None]:
    """What the product logs becomes part of the story; an error that nobody expected is a broken promise."""

    def watch(_: object, __: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        error = sys.exc_info()[1]
        if values.get("exc_info") and error is not None and not isinstance(error, TwokeyError):
            world.wrong(f"{values['event']}: {error!r}")
        if world.story is not None:
            world.tell("    log: " + " ".join(f"{key}={value}" for key, value in values.items()))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[watch],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
