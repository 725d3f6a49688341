"""What the tests here share: a clock that can be moved on, and a Bolt app with what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncApp

from sandbox.clock import now

Later = Callable[[float], None]
"""Lets seconds pass for the stand-in."""


@dataclass
class ShiftedClock:
    """The real time, moved on at will."""

    ahead: float = 0

    def __call__(self) -> float:
        return now() + self.ahead


@dataclass
class Bot:
    """A Bolt app, its URL, and what its listeners saw."""

    app: AsyncApp
    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)
