"""All chance of a simulated world: one string of bytes, drawn as it is needed.

A zero always means what is dull: the quickest answer, no fault, nobody does anything odd. So a tape shrinks by becoming
shorter (what is beyond its end is zero) and by having bytes set to zero, and what is left is what matters.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

CHUNK = 32
LONGEST = 4096


class Tape:
    """Reads a source, chunk by chunk, and keeps what was read."""

    def __init__(self, source: Callable[[], bytes]) -> None:
        self.source = source
        self.read = bytearray()
        self.place = 0
        self.torn: BaseException | None = None
        """What the source raised, if it did: raised again outside, where no task can swallow it."""

    @classmethod
    def of(cls, recorded: bytes) -> "Tape":
        """One that was recorded; zeros beyond its end."""
        parts = iter([recorded])
        return cls(lambda: next(parts, bytes(CHUNK)))

    def byte(self) -> int:
        """The next one."""
        while self.place >= len(self.read):
            self.read += self._more()
        self.place += 1
        return self.read[self.place - 1]

    def _more(self) -> bytes:
        if self.torn is not None or len(self.read) >= LONGEST:
            return bytes(CHUNK)
        try:
            return self.source()
        except BaseException as error:  # noqa: BLE001 - Hypothesis ends an example by raising; see `torn`
            self.torn = error
            return bytes(CHUNK)

    def pick(self, of: Sequence[T]) -> T:
        """One of these; the first for a zero."""
        return of[self.byte() % len(of)]

    @property
    def used(self) -> bytes:
        """What was asked for, without zeros at the end."""
        return bytes(self.read[: self.place]).rstrip(b"\0")


def shortest(tape: bytes, fails: Callable[[bytes], bool], tries: int = 600) -> bytes:
    """A tape that still fails, with as little on it as can be found in so many tries."""
    left = tries

    def still(candidate: bytes) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and fails(candidate)

    size = max(len(tape) // 2, 1)
    while size >= 1 and left > 0:
        smaller = _pass(tape, size, still)
        if smaller == tape or size > 1:
            size //= 2
        tape = smaller
    return tape.rstrip(b"\0")


def _pass(tape: bytes, size: int, still: Callable[[bytes], bool]) -> bytes:
    """Try to do without each part of that size: cut off from the end, blank out, or take out."""
    place = len(tape) - size
    while place > -size:
        start, end = max(place, 0), max(place, 0) + size
        part = tape[start:end]
        for other in (tape[:start], tape[:start] + bytes(len(part)) + tape[end:], tape[:start] + tape[end:]):
            if part.strip(b"\0") and other.rstrip(b"\0") != tape and still(other):
                tape = other.rstrip(b"\0")
                break
        place -= size
    return tape
