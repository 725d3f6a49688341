"""Tells whoever watches that something changed: a numbered stream that any number of readers follow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from sandbox.slack.refused import Json


class Reader:
    """One reader's place in the stream; it sees what changed since it was made."""

    def __init__(self, readers: "set[Reader]") -> None:
        self.queue: asyncio.Queue[Json] = asyncio.Queue()
        self._readers = readers
        readers.add(self)

    def __aiter__(self) -> AsyncIterator[Json]:
        return self

    async def __anext__(self) -> Json:
        return await self.queue.get()

    def close(self) -> None:
        """Stop reading."""
        self._readers.discard(self)


class Feed:
    """Changes, as they come."""

    def __init__(self) -> None:
        self._number = 0
        self._readers: set[Reader] = set()

    def tell(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - any JSON value
        """Something of this kind changed: message, view, status, call, delivery."""
        self._number += 1
        for reader in self._readers:
            reader.queue.put_nowait({"seq": self._number, "kind": kind, **details})

    def follow(self) -> Reader:
        """Every change from now on, until the reader is closed."""
        return Reader(self._readers)
