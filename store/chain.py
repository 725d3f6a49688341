"""The chain of one thread, walked link by link: what was changed, removed, moved or put in, each by its place. Pure.

A link's hash covers the hash before it, the place, kind, moment and the digest of the body. So the first link that
does not fit shows that something was done, and not yet what. That is found out by trying what would make things fit
again: the row before it left out, its hash mended, its place counted as it was once. What fits names the deed; what is
tried is bounded, and only where something is wrong, so an intact log costs two hashes an event.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal

from store.codec import genesis, link_hash

MOST_OPEN = 24
"""Rows in a row, and broken ones in all, that are puzzled over; more of a thread are called changed as they stand."""
MOST_REMOVED = 16
"""So many removed events are recognised where the later ones were numbered anew."""

PUT_IN = "this event was put in: the next one follows on the one before it"

What = Literal["changed", "removed", "moved", "inserted", "cut", "contradicted", "rewritten", "unreadable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written."""

    thread: str
    seq: int
    """The place; of the first where it is several."""
    what: What
    said: str
    """In words."""


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it stands in the database."""

    seq: int
    kind: str
    at: int
    body: str
    digest: bytes | None
    """None where it is that of the body."""
    hash: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a row: enough to try whether it fits elsewhere."""

    place: int
    number: int
    """The place that its hash was made for, as far as that is known."""
    kind: str
    at: int
    digest: bytes
    hash: bytes
    before: bytes = b""
    """The hash that stands in the row before it."""

    def follows(self, before: bytes, number: int) -> bool:
        """Whether its hash is the one of this row at that place behind that hash."""
        return link_hash(before, number, self.kind, self.at, self.digest) == self.hash

    def mended(self, before: bytes, number: int) -> bytes:
        """The hash it ought to have there."""
        return link_hash(before, number, self.kind, self.at, self.digest)


@dataclass(slots=True)
class Walk:
    """Give it the rows of a thread in order of their places, then ask what is wrong."""

    thread_id: str
    events: int = 0
    redacted: int = 0
    bodies: dict[int, bytes] = field(default_factory=dict)
    """Of rows whose body is not what their digest says: SHA-256 of the body, by place."""
    redactions: dict[int, bytes] = field(default_factory=dict)
    """What the log says is left of redacted bodies, by place."""
    _found: list[Finding] = field(default_factory=list)
    _open: list[Seen] = field(default_factory=list)
    """Rows that do not fit, with no row after them that would say why."""
    _broken: list[Seen] = field(default_factory=list)
    _last: Seen = field(init=False)
    _before_last: Seen | None = None

    def __post_init__(self) -> None:
        """Begin at what the first event is chained to."""
        self._last = Seen(0, 0, "", 0, b"", genesis(self.thread_id))

    @property
    def genesis(self) -> bytes:
        """What its first event is chained to."""
        return genesis(self.thread_id)

    def see(self, row: Row) -> None:
        """The next row."""
        self.events += 1
        body = hashlib.sha256(row.body.encode()).digest()
        digest = row.digest or body
        if digest != body:
            self.bodies[row.seq] = body
        if row.kind == "text_redacted":
            self._note_redactions(row)
        last = self._last
        expected = link_hash(last.hash, last.number + 1, row.kind, row.at, digest)
        if not self._open and row.seq == last.place + 1 and expected == row.hash:
            self._before_last = last
            self._last = Seen(row.seq, last.number + 1, row.kind, row.at, digest, row.hash)
            return
        previous = self._open[-1] if self._open else last
        self._puzzle(Seen(row.seq, row.seq - self._shift, row.kind, row.at, digest, row.hash, previous.hash), previous)

    def _note_redactions(self, row: Row) -> None:
        try:
            self.redactions |= {each["seq"]: bytes.fromhex(each["digest"]) for each in json.loads(row.body)["redacted"]}
        except (ValueError, KeyError, TypeError):
            self._say(row.seq, "unreadable", "this record of a redaction cannot be read")

    # --- what would make it fit -------------------------------------------------------------------------------------

    def _puzzle(self, row: Seen, previous: Seen) -> None:
        if row.place > previous.place + 1:
            self._gap(row, previous)
        elif not self._open and self._before_last and row.follows(self._before_last.hash, self._before_last.number + 1):
            self._say(self._last.place, "inserted", PUT_IN)
            self._accept(row, self._before_last.number + 1)
        elif number := self._after_open(row):
            self._accept(row, number)
        else:
            self._open.append(row)
            if len(self._open) > MOST_OPEN:
                self._give_up(self._open.pop(0))

    def _gap(self, row: Seen, previous: Seen) -> None:
        """Places are missing. The row behind them cannot be proved, and is believed."""
        self._break_open()
        first, last = previous.place + 1, row.place - 1
        if row.follows(self._last.hash, self._last.number + 1):
            self._say(row.place, "moved", f"this event belongs at {self._last.number + 1}")
            self._accept(row, self._last.number + 1)
            return
        self._say(first, "removed", f"the event is missing{f', and all up to {last}' if last > first else ''}")
        self._accept(row, row.place - self._shift)

    @property
    def _shift(self) -> int:
        """By how much later events stand behind the places they were made for."""
        return self._last.place - self._last.number

    def _after_open(self, row: Seen) -> int:
        """Its number when it follows on one of those that do not fit, at its own place, or at one that tells what was
        done; 0 when it does not."""
        own = row.place - self._shift
        if not self._open:
            return 0
        last, before = self._open[-1], self._open[-2].hash if len(self._open) > 1 else self._last.hash
        if any(row.follows(each.hash, own) for each in self._open) or row.follows(last.mended(before, own - 1), own):
            self._break_open()
            return own
        if last.follows(self._last.hash, self._last.number + 1) and row.follows(last.hash, self._last.number + 2):
            return self._leave_out_open()
        for missing in range(1, MOST_REMOVED + 1):
            if row.follows(last.hash, own + missing):
                said = f"{_events(missing)} before this one; the later ones have new numbers"
                self._say(self._open[0].place, "removed", said)
                self._last = last
                self._open.clear()
                return own + missing
        return 0

    def _leave_out_open(self) -> int:
        """The last of them follows on the last good one: those in between were put in. The number behind it."""
        *put_in, last = self._open
        for each in put_in:
            self._say(each.place, "inserted", PUT_IN)
        self._open.clear()
        self._accept(last, self._last.number + 1)
        return self._last.number + 1

    def _accept(self, row: Seen, number: int) -> None:
        self._before_last = self._last
        self._last = Seen(row.place, number, row.kind, row.at, row.digest, row.hash)

    def _break_open(self) -> None:
        for each in self._open:
            if len(self._broken) < MOST_OPEN:
                self._broken.append(each)
            else:
                self._give_up(each)
        if self._open:
            self._last = self._open[-1]
        self._open.clear()

    def _give_up(self, row: Seen) -> None:
        self._say(row.place, "changed", "does not follow on the event before it: one of the two was changed")

    # --- the end ----------------------------------------------------------------------------------------------------

    def end(self, last_seq: int, head: bytes) -> list[Finding]:
        """All that is wrong, by place, given the length and the last hash that the thread's row names."""
        self._end_open(head)
        self._judge_broken()
        self._judge_length(last_seq, head)
        self._judge_bodies()
        seen: set[tuple[int, What]] = set()
        found = sorted(self._found, key=lambda each: each.seq)
        return [each for each in found if not ((each.seq, each.what) in seen or seen.add((each.seq, each.what)))]  # type: ignore[func-returns-value]  # a set's own way

    def _end_open(self, head: bytes) -> None:
        """What did not fit, and has nothing behind it."""
        if self._open and self._last.hash == head:
            for each in self._open:
                self._say(each.place, "inserted", "this event was put in: the thread ends before it")
            self._last = Seen(self._open[-1].place, self._last.number, "", 0, b"", head)
            self._open.clear()
        elif (
            self._open
            and self._open[-1].hash == head
            and self._open[-1].follows(self._last.hash, self._last.number + 1)
        ):
            self._leave_out_open()
        self._break_open()

    def _judge_broken(self) -> None:
        """Among those that do not fit: whoever fits at the place of another was moved there."""
        good = {each.place for each in self._broken if self._fits_at(each, each.place)}
        for each in self._broken:
            if each.place in good:
                continue
            belongs = next((o.place for o in self._broken if o is not each and self._fits_at(each, o.place)), None)
            if belongs is not None:
                self._say(each.place, "moved", f"this event belongs at {belongs}")
            else:
                self._give_up(each)

    def _fits_at(self, row: Seen, place: int) -> bool:
        behind = {each.before for each in self._broken if each.place == place and each.place != row.place}
        return any(row.follows(before, place) for before in behind | {each.hash for each in self._broken})

    def _judge_length(self, last_seq: int, head: bytes) -> None:
        last = self._last
        if last.number < last_seq:
            self._say(last.place + 1, "cut", f"the log ends at {last.place}, and the thread has {_events(last_seq)}")
        elif last.number > last_seq:
            self._say(last_seq + 1, "inserted", f"the thread has {_events(last_seq)}, and the log ends at {last.place}")
        elif last.hash != head and not any(each.seq == last.place for each in self._found):
            said = "the thread ends with another event: this one was changed, or those behind it are cut off"
            self._say(last.place, "changed", said)

    def _judge_bodies(self) -> None:
        for place, body in self.bodies.items():
            if self.redactions.get(place) == body:
                self.redacted += 1
            else:
                self._say(place, "changed", "the text of this event is not what it was")
        for place in self.redactions.keys() - self.bodies.keys():
            self._say(place, "changed", "was redacted, and is not any more")

    def _say(self, seq: int, what: What, said: str) -> None:
        self._found.append(Finding(self.thread_id, seq, what, said))


def _events(number: int) -> str:
    return f"{number} event{'' if number == 1 else 's'}"
