"""Tells whoever watches that something changed: a numbered stream that any number of readers follow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sandbox.slack.refused import Json


class Feed:
    """Changes, as they come. A reader sees those after it began."""

    def __init__(self) -> None:
        self._number = 0
        self._readers: set[asyncio.Queue[Json]] = set()

    def tell(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - any JSON value
        """Something of this kind changed: message, view, status, call, delivery."""
        self._number += 1
        for reader in self._readers:
            reader.put_nowait({"seq": self._number, "kind": kind, **details})

    async def follow(self) -> AsyncIterator[Json]:
        """Every change from now on."""
        reader: asyncio.Queue[Json] = asyncio.Queue()
        self._readers.add(reader)
        try:
            while True:
                yield await reader.get()
        finally:
            self._readers.discard(reader)
