"""Tells several listeners what happened, in order, from a numbered and bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_KEPT: Final = 2000


class Feed(Generic[T]):
    """Things that happened, the last two thousand of them, and whoever waits for the next."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, T]] = deque(maxlen=_KEPT)
        self._last = 0
        self._news = asyncio.Event()

    @property
    def last(self) -> int:
        """The number of the newest."""
        return self._last

    def tell(self, what: T) -> None:
        """Add one, and wake whoever listens."""
        self._last += 1
        self._kept.append((self._last, what))
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int) -> list[tuple[int, T]]:
        """What came after that one."""
        return [(n, what) for n, what in self._kept if n > number]

    async def listen(self, number: int | None = None) -> AsyncIterator[tuple[int, T]]:
        """Everything after `number` (from now on, without one), as it happens and without an end."""
        at = self._last if number is None else number
        while True:
            news = self._news
            for number_of, what in self.since(at):
                at = number_of
                yield at, what
            if at >= self._last:
                await news.wait()
