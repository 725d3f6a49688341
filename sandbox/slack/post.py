"""Sends events and interactions to the bot, over whichever outlet is chosen, with Slack's retries.

Slack waits three seconds. An event that is not answered 2xx comes again almost at once, after a minute and after five,
with its retry headers, unless the answer says `x-slack-no-retry: 1`; an interaction comes once.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.slack.refused import Json

RETRY_DELAYS = (0.0, 60.0, 300.0)
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """One thing to deliver: `kind` is events_api, interactive or slash_commands."""

    kind: str
    body: Json
    name: str
    """What it is, for reading: app_mention, block_actions, …"""


@dataclass(frozen=True, slots=True)
class Retry:
    """The how-manieth retry this is, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered. `status` 0 means nothing at all, and `failure` says why, in Slack's words."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    @property
    def ok(self) -> bool:
        """2xx in time."""
        return 200 <= self.status < 300

    def json(self) -> Json:
        """The body as an object; empty when it is none."""
        try:
            read = json.loads(self.body)
        except json.JSONDecodeError:
            return {}
        return read if isinstance(read, dict) else {}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery as it went."""

    parcel: Parcel
    answer: Answer
    seconds: float
    retry: Retry | None = None


class Outlet(Protocol):
    """A way to the bot: HTTP or Socket Mode."""

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Deliver once and give the answer; never raises for what the bot does."""
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class Nowhere:
    """No bot yet: nothing is delivered."""

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Nobody is there."""
        del parcel, retry, patience
        return Answer(0, failure="connection_failed")

    async def close(self) -> None:
        """Nothing is held."""


class Post:
    """Delivers parcels and keeps every attempt. `scale` shortens the waits between retries."""

    def __init__(self, clock: Callable[[], float], *, scale: float = 1.0, patience: float = PATIENCE) -> None:
        self.outlet: Outlet = Nowhere()
        self.attempts: list[Attempt] = []
        self.told: Callable[[Attempt], None] = lambda _attempt: None
        self._clock = clock
        self._scale = scale
        self._patience = patience
        self._tasks: set[asyncio.Task[Any]] = set()
        self._outlets: list[Outlet] = []

    def use(self, outlet: Outlet) -> None:
        """From now on deliver this way."""
        self.outlet = outlet
        self._outlets.append(outlet)

    async def deliver(self, parcel: Parcel) -> Answer:
        """Deliver now; gives the first answer. Retries of an event go on in the background."""
        answer = await self.once(parcel, None)
        if self._again(parcel, answer):
            self.later(self._retry(parcel, answer))
        return answer

    async def once(self, parcel: Parcel, retry: Retry | None) -> Answer:
        """One delivery, kept."""
        before = self._clock()
        answer = await self.outlet.send(parcel, retry, self._patience)
        attempt = Attempt(parcel, answer, self._clock() - before, retry)
        self.attempts.append(attempt)
        self.told(attempt)
        return answer

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this in the background; `settled` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until nothing is under way. Raises what went wrong inside the stand-in itself."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop retrying and give back every outlet that was used."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for outlet in self._outlets:
            await outlet.close()

    async def _retry(self, parcel: Parcel, answer: Answer) -> None:
        for number, delay in enumerate(RETRY_DELAYS, start=1):
            if not self._again(parcel, answer):
                return
            await asyncio.sleep(delay * self._scale)
            answer = await self.once(parcel, Retry(number, answer.failure or "http_error"))

    def _again(self, parcel: Parcel, answer: Answer) -> bool:
        never = isinstance(self.outlet, Nowhere) or answer.headers.get("x-slack-no-retry") == "1"
        return parcel.kind == "events_api" and not answer.ok and not never
