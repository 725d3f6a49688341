"""What the model answers, before either API has put it into its own shape. Frozen values."""

from dataclasses import dataclass, field
from typing import Literal

from sandbox.model.faults import Fault


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. `arguments` is the JSON text itself, so that a script can get it wrong."""

    name: str
    arguments: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: words, calls, or both; or how it stopped short."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    stop: Literal["end", "length", "refusal"] = "end"
    reasoning: str = ""
    """A summary of the reasoning. A reasoning item is written whenever the request asked for them."""
    faults: tuple[Fault, ...] = field(default=())
    """What goes wrong before it, one for each attempt."""
