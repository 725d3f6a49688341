"""What is asked of the agent: scripts that make the sandbox's model read, write, wait for people, and fail."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from sandbox.model.script import script

MARK = re.compile(r"\bq\d+q\b")
"""How a message, and everything that comes of it, is recognised."""
GATED = ("charge", "wire", "lapse")
FREE = ("jot", "stamp", "stumble")
Step = dict[str, object]


@dataclass(frozen=True, slots=True)
class Story:
    """One request: its mark, and the words that make the model do it."""

    mark: str
    text: str


def stories(dice: Random) -> Iterator[Story]:
    """One after the other, each another."""
    for number in itertools.count(1):
        mark = f"q{number}q"
        steps = [_step(dice, f"{mark}-{place}") for place in range(dice.choice((1, 1, 2, 3)))]
        # Said again should a crash make the model be asked once more than the script foresees.
        last: list[Step] = [{"say": f"done {mark}"}] * 8
        yield Story(mark, script(*steps, *last, name=mark))


def _step(dice: Random, order: str) -> Step:
    match dice.randrange(10):
        case 0:
            return {"call": [_call(dice, "look", order), _call(dice, "look", f"{order}b")]}
        case 1 | 2 | 3:
            return {"call": [_call(dice, "charge", order)]}
        case 4 | 5:
            return {"call": [_call(dice, "wire", order)]}
        case 6:
            return {"call": [_call(dice, "charge", order), _call(dice, "jot", f"{order}b"), _call(dice, "look", order)]}
        case 7:
            return {"call": [_call(dice, "charge", order), _call(dice, "charge", f"{order}b")]}
        case 8:
            return {"call": [_call(dice, dice.choice(FREE), order)]}
        case _:
            return {"call": [_call(dice, dice.choice(("lapse", "jot", "stamp", "jot")), order)]}


def _call(dice: Random, tool: str, order: str) -> Step:
    amount = {"amount": dice.randrange(1, 100)} if tool in {"charge", "wire"} else {}
    return {"name": tool, "arguments": {"order": order, **amount}}
