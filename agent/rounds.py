"""A round of a thread, as those see it who do one kind of effect in it: `agent.loop` has it do all of them."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from agent.journal import Journal
from agent.ports import Approvals, Model, ModelRequest, Prompt, Turn
from agent.reducer import Rules
from agent.state import ThreadState

T = TypeVar("T")


@dataclass(frozen=True)
class Agent:
    """A small, focused agent (factor 10): a model, a prompt, and the tools it may call."""

    name: str
    model: str
    prompt: Prompt
    rules: Rules
    variables: Mapping[str, str] = field(default_factory=dict)
    guardrail: Prompt | None = None
    """What the judge is told, where there is one (`Rules.guardrail`)."""


class Doors(Protocol):
    """Of the loop: to people, and to the model."""

    @property
    def approvals(self) -> Approvals:
        """Prepares what people are asked."""
        ...

    @property
    def model(self) -> Model:
        """Answers."""
        ...


class Round(Protocol):
    """One effect of one thread, being performed."""

    @property
    def loop(self) -> Doors:
        """Doors to the world."""
        ...

    @property
    def agent(self) -> Agent:
        """Who works."""
        ...

    @property
    def journal(self) -> Journal:
        """What is written down."""
        ...

    @property
    def state(self) -> ThreadState:
        """What is the case now."""
        ...

    @property
    def now(self) -> datetime:
        """The moment, for an event."""
        ...

    def shown(self, what: tuple[Turn, ...], *, may_call: bool = True) -> ModelRequest:
        """What the model is shown."""
        ...

    async def unless_cancelled(self, work: Coroutine[object, object, T], moot: Callable[[], bool] = bool) -> T | None:
        """The result of work that may be dropped; None when it is: the thread is cancelled, we stop, or it is moot."""
        ...
