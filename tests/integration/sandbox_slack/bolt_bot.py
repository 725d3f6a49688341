"""What the tests here share: a clock that can be moved on, and a Bolt app with what it saw."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncApp

from sandbox.clock import now

Later = Callable[[float], None]
"""Lets seconds pass for the stand-in."""

MODAL = {
    "type": "modal",
    "callback_id": "reject",
    "private_metadata": "ap_1",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
        }
    ],
}
"""Asks why something is rejected, in at most twenty characters."""


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
