"""The part of a conversation that is still open: everything since the model last spoke without calling. Pure."""

import json
from dataclasses import dataclass

from sandbox.model.ask import Called, Item, Returned, Said
from sandbox.model.outcome import Outcome, outcome_of
from sandbox.model.refused import Json


@dataclass(frozen=True, slots=True)
class Done:
    """A call of this turn and what came of it."""

    name: str
    arguments: Json
    outcome: Outcome

    @property
    def order(self) -> str:
        """The order it was about."""
        return str(self.arguments.get("order_id", ""))


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said, what was done, and what the talk was before it."""

    text: str
    done: tuple[Done, ...]
    before: str
    """What people said earlier."""
    asked: str
    """What the model said last."""

    def of(self, tool: str) -> tuple[Done, ...]:
        """The calls of one tool."""
        return tuple(done for done in self.done if done.name == tool)


def open_turn(items: tuple[Item, ...]) -> Turn:
    """The open turn. Text that the model wrote beside a call does not end it."""
    start = 0
    for n, item in enumerate(items):
        follows = items[n + 1] if n + 1 < len(items) else None
        if isinstance(item, Said) and item.role == "assistant" and not isinstance(follows, Called):
            start = n + 1
    outputs = {item.call_id: item.output for item in items if isinstance(item, Returned)}
    return Turn(
        text="\n".join(item.text for item in items[start:] if isinstance(item, Said) and item.role == "user"),
        done=tuple(_done(item, outputs[item.call_id]) for item in items[start:] if isinstance(item, Called)),
        before="\n".join(item.text for item in items[:start] if isinstance(item, Said) and item.role == "user"),
        asked=items[start - 1].text if start and isinstance(items[start - 1], Said) else "",  # type: ignore[union-attr]  # just checked
    )


def _done(call: Called, output: str) -> Done:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = {}
    return Done(call.name, arguments if isinstance(arguments, dict) else {}, outcome_of(output))
