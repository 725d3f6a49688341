"""The way to one channel: nobody hangs on it, and while it is down only one tries it.

- Each use is bounded in time, by less than the lease of a card: whoever takes the card up next must not find somebody
  still at it.
- After a few failures in a row the channel counts as down: others are turned away at once, and give their worker's
  place to somebody whose channel works. Now and then one is let through to see; its success opens the way to all.
- A refusal is an answer: the channel works.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from agent.errors import ChannelDown, ChannelRefused

log = structlog.get_logger()

LIMIT = 25.0
"""Seconds for one use."""
FAILURES = 3
"""In a row, until it counts as down."""
PAUSES = (2.0, 5.0, 15.0, 30.0)
"""Seconds until the next one is let through."""


class Line:
    """One channel's."""

    def __init__(self, name: str, limit: float = LIMIT) -> None:
        self.name = name
        self.limit = limit
        self._failures = 0
        self._again_at = 0.0
        self._is_tried = False

    @property
    def is_down(self) -> bool:
        """Whether it failed too often of late."""
        return self._failures >= FAILURES

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Use it. Raises ChannelDown when that takes too long, and at once while it is down."""
        if self.is_down and (self._is_tried or asyncio.get_running_loop().time() < self._again_at):
            raise ChannelDown(f"{self.name} is down; it is tried again soon")
        is_trial = self._is_tried = self.is_down
        try:
            try:
                async with asyncio.timeout(self.limit):
                    yield
            except TimeoutError:
                raise ChannelDown(f"{self.name} did not answer within {self.limit:g} s") from None
        except ChannelDown:
            self._failed()
            raise
        except ChannelRefused:
            self._works()
            raise
        else:
            self._works()
        finally:
            if is_trial:
                self._is_tried = False

    def _failed(self) -> None:
        self._failures += 1
        if self.is_down:
            pause = PAUSES[min(self._failures - FAILURES, len(PAUSES) - 1)]
            self._again_at = asyncio.get_running_loop().time() + pause
            log.warning("channel.down", channel=self.name, failures=self._failures, retry_in=pause)

    def _works(self) -> None:
        if self.is_down:
            log.info("channel.up", channel=self.name)
        self._failures = 0
