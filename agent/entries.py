"""A thread's events, each at its place, as a value that grows at no more cost for the thousandth than for the first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import overload

from agent.events import Event


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in the thread; `seq` counts from 1."""

    seq: int
    event: Event


class Entries(Sequence[Entry]):
    """Never changes: `plus` gives another one.

    Those that grew from one another share a list, of which each knows how much is its own. Whoever adds at its end
    extends it, which nobody else sees; whoever adds further back gets a list of their own.
    """

    __slots__ = ("_length", "_shared")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._shared = list(entries)
        self._length = len(self._shared)

    def plus(self, entry: Entry) -> "Entries":
        """These and one more."""
        grown = Entries()
        grown._shared = self._shared if len(self._shared) == self._length else self._shared[: self._length]
        grown._shared.append(entry)
        grown._length = self._length + 1
        return grown

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Entry: ...
    @overload
    def __getitem__(self, place: slice) -> "Entries": ...
    def __getitem__(self, place: int | slice) -> "Entry | Entries":
        found = range(self._length)[place]
        return self._shared[found] if isinstance(found, int) else Entries(self._shared[each] for each in found)

    def __iter__(self) -> Iterator[Entry]:
        return islice(self._shared, self._length)

    def __reversed__(self) -> Iterator[Entry]:
        return (self._shared[place] for place in range(self._length - 1, -1, -1))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entries) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Entries({list(self)!r})"
