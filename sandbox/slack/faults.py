"""Failures on demand: what the Web API shall do wrong next."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

_KINDS = ("429", "500", "hang", "lost_answer", "pass")
ANY = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure. `error:<name>` answers ok=false; hang never answers and does nothing; lost_answer does the work,
    then drops the connection; pass is none: the call after it fails."""

    kind: str
    retry_after: int = 1

    @property
    def error(self) -> str:
        """The error name of an `error:` fault, else empty."""
        return self.kind.removeprefix("error:") if self.kind.startswith("error:") else ""


@dataclass
class Faults:
    """Queues of failures by method; `*` is any method, `response_url` the response URLs."""

    _queues: dict[str, deque[Fault]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._freed = asyncio.Event()

    def next(self, method: str, kind: str, *, times: int = 1, retry_after: int = 1) -> None:
        """The next `times` calls of this method fail so; ValueError for an unknown kind."""
        if kind not in _KINDS and not kind.startswith("error:"):
            raise ValueError(f"a fault is error:<name> or one of {', '.join(_KINDS)}, not {kind}")
        self._queues.setdefault(method, deque()).extend([Fault(kind, retry_after)] * times)

    def take(self, method: str) -> Fault | None:
        """The failure due for this call, if any."""
        for name in (method, ANY):
            if self._queues.get(name):
                return self._queues[name].popleft()
        return None

    async def hold(self) -> None:
        """Wait until hanging calls are let go."""
        await self._freed.wait()

    def let_go(self) -> None:
        """Drop every hanging call; later ones hang again."""
        self._freed.set()
        self._freed = asyncio.Event()
