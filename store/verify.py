"""Recomputes every chain of the database, and compares the rows of approvals and grants with the log.

Events are read a page at a time, so that memory does not grow with the log. A page is no snapshot of what comes after
it: the agent may write meanwhile. So a thread that looks wrong is looked at once more by itself, in one snapshot, and
only what is wrong there is told.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from store.chain import Finding, Row, Walk
from store.codec import micros
from store.database import Database
from store.grant_standings import (
    KINDS,
    Counted,
    GrantStanding,
    grant_contradictions,
    grant_standings,
    miscounts,
)
from store.standings import KINDS as KINDS_OF_APPROVALS
from store.standings import Standing, contradictions, standings

PAGE = 500
"""Events read at a time."""

_EVENTS = text(
    "SELECT event.thread_id, seq, kind, at, body, digest, hash, thread.last_seq, thread.head "
    "FROM event LEFT JOIN thread ON thread.id = event.thread_id "
    "WHERE (event.thread_id, seq) > (:thread, :seq) ORDER BY event.thread_id, seq LIMIT :limit"
)
_OF_THREAD = text(
    "SELECT thread_id, seq, kind, at, body, digest, hash FROM event "
    "WHERE thread_id = :thread AND seq > :seq ORDER BY seq LIMIT :limit"
)
_THREAD = text("SELECT last_seq, head FROM thread WHERE id = :thread")
_EMPTY = text("SELECT id FROM thread WHERE NOT EXISTS (SELECT 1 FROM event WHERE thread_id = thread.id)")
_ROWS = (
    (
        "SELECT thread_id, id, about, status, asked_seq, decided_seq, version, noted_seq, plan, expires_at "
        "FROM approval WHERE"
    ),
    "SELECT thread_id, id, tool, given_by, seq, until, uses, revoked_seq FROM grants WHERE",
)
_OF = tuple(text(f"{each} thread_id = :thread") for each in _ROWS)
_BETWEEN = tuple(text(f"{each} thread_id > :after AND thread_id <= :until") for each in _ROWS)
_BEHIND = tuple(text(f"{each} thread_id > :after") for each in _ROWS)
_COUNTS = text(
    "SELECT id, thread_id, seq, used, revoked_seq IS NULL AND until > :now FROM grants ORDER BY thread_id, seq"
)
_USES = text("SELECT body FROM event WHERE kind = 'grant_used'")

Rows = Sequence[Sequence[Any]]


@dataclass(slots=True)
class Verified:
    """What was looked at, and how much of it is not as it was written."""

    threads: int = 0
    events: int = 0
    redacted: int = 0
    findings: int = 0


@dataclass(slots=True)
class _Beside:
    """What the rows of a thread's approvals and grants say."""

    approvals: dict[str, Standing] = field(default_factory=dict)
    grants: dict[str, GrantStanding] = field(default_factory=dict)


class _Thread:
    """A thread as it is walked."""

    def __init__(self, thread_id: str) -> None:
        self.walk = Walk(thread_id)
        self.facts: dict[int, tuple[str, str]] = {}
        """Of approvals and grants."""
        self.row: tuple[int, bytes] | None = None
        """Its length and last hash, as its row had them with the latest event."""

    def see(self, row: Sequence[Any]) -> None:
        seq, kind, at, body, digest, link = row[1:7]
        self.walk.see(Row(seq, kind, at, body, bytes(digest) if digest else None, bytes(link)))
        if kind in KINDS_OF_APPROVALS or kind in KINDS:
            self.facts[seq] = (kind, body)

    def findings(self, rows: _Beside) -> list[Finding]:
        name = self.walk.thread_id
        if self.row is None:
            return [Finding(name, 0, "removed", "the row of the thread is missing, and its events are there")]
        approvals = {seq: fact for seq, fact in self.facts.items() if fact[0] in KINDS_OF_APPROVALS}
        return [
            *self.walk.end(*self.row),
            *contradictions(name, standings(approvals), rows.approvals),
            *grant_contradictions(name, grant_standings(self.facts), rows.grants),
        ]


class Verifier:
    """Looks, and changes nothing."""

    def __init__(self, database: Database, page: int = PAGE, now: datetime | None = None) -> None:
        self.database = database
        self.page = page
        self.now = now
        """Grants that last until after this were used exactly as often as the logs say. None: at least as often."""

    async def run(self, tell: Callable[[Finding], None]) -> Verified:
        """Look at all there is; each finding is told as it is found."""
        done = Verified()
        doubtful = await self.database.read(lambda c: list(c.execute(_EMPTY).scalars()))
        await self._confirm(doubtful, tell, done)
        place, thread, finished, uses = ("", 0), None, "", Counter[str]()
        while True:
            values = {"thread": place[0], "seq": place[1], "limit": self.page}
            rows = await self.database.read(lambda c, values=values: c.execute(_EVENTS, values).all())  # type: ignore[misc]  # a lambda with a default
            ended: list[_Thread] = []
            for row in rows:
                if thread is None or row[0] != thread.walk.thread_id:
                    ended += [thread] if thread else []
                    thread = _Thread(row[0])
                thread.see(row)
                thread.row = (row[7], bytes(row[8])) if row[8] is not None else None
                uses.update(_grant_of(row[4]) if row[2] == "grant_used" else ())
            is_last = len(rows) < self.page
            if is_last and thread:
                ended.append(thread)
            finished = await self._end(ended, finished, tell, done, is_last=is_last)
            if is_last:
                await self._count(uses, tell, done)
                return done
            place = (rows[-1][0], rows[-1][1])

    async def _end(
        self, ended: list[_Thread], after: str, tell: Callable[[Finding], None], done: Verified, *, is_last: bool
    ) -> str:
        """Judge these threads, which follow on `after`; the name of the last of them."""
        until = ended[-1].walk.thread_id if ended else after
        rows = await self.database.read(lambda c: _between(c, after, until, is_last=is_last))
        doubtful = [name for name in rows if name not in {each.walk.thread_id for each in ended}]
        for each in ended:
            wrong = each.findings(rows.get(each.walk.thread_id, _Beside()))
            done.threads += 1
            done.events += each.walk.events
            done.redacted += 0 if wrong else each.walk.redacted
            doubtful += [each.walk.thread_id] if wrong else []
        await self._confirm(doubtful, tell, done)
        return until

    async def _confirm(self, threads: Sequence[str], tell: Callable[[Finding], None], done: Verified) -> None:
        for name in threads:
            thread, found = await self.database.read(lambda c, name=name: self._again(c, name), as_one=True)  # type: ignore[misc]  # a lambda with a default
            done.redacted += thread.walk.redacted
            done.findings += len(found)
            for each in found:
                tell(each)

    async def _count(self, uses: Mapping[str, int], tell: Callable[[Finding], None], done: Verified) -> None:
        """Hold the numbers of uses against the rows; where they differ once more, in one snapshot."""
        if not await self.database.read(lambda c: self._miscounted(c, uses)):
            return
        for each in await self.database.read(lambda c: self._miscounted(c, _uses(c)), as_one=True):
            done.findings += 1
            tell(each)

    def _miscounted(self, connection: Connection, uses: Mapping[str, int]) -> list[Finding]:
        now = micros(self.now) if self.now else 2**62  # then none lasts so long
        rows = connection.execute(_COUNTS, {"now": now}).all()
        return list(
            miscounts(
                Counted(name, thread_id, seq, used, uses.get(name, 0), bool(lasts))
                for name, thread_id, seq, used, lasts in rows
            )
        )

    def _again(self, connection: Connection, name: str) -> tuple[_Thread, list[Finding]]:
        """One thread, in one snapshot. Nothing is found where it is gone with all that was its own."""
        thread, values = _Thread(name), {"thread": name, "seq": 0, "limit": self.page}
        while rows := connection.execute(_OF_THREAD, values).all():
            for row in rows:
                thread.see(row)
            values["seq"] = rows[-1][1]
        found = connection.execute(_THREAD, {"thread": name}).one_or_none()
        thread.row = (found[0], bytes(found[1])) if found else None
        beside = _by_thread(*(connection.execute(each, {"thread": name}).all() for each in _OF)).get(name, _Beside())
        if thread.row is None and not thread.walk.events and not (beside.approvals or beside.grants):
            return thread, []
        if thread.row == (0, thread.walk.genesis):
            return thread, [Finding(name, 1, "cut", "the thread has no events")]
        return thread, thread.findings(beside)


def _between(connection: Connection, after: str, until: str, *, is_last: bool) -> dict[str, _Beside]:
    values = {"after": after} if is_last else {"after": after, "until": until}
    return _by_thread(*(connection.execute(each, values).all() for each in (_BEHIND if is_last else _BETWEEN)))


def _by_thread(approvals: Rows, grants: Rows) -> dict[str, _Beside]:
    found: dict[str, _Beside] = {}
    for thread_id, name, *rest in approvals:
        found.setdefault(thread_id, _Beside()).approvals[name] = Standing(*rest)
    for thread_id, name, *rest in grants:
        found.setdefault(thread_id, _Beside()).grants[name] = GrantStanding(*rest)
    return found


def _uses(connection: Connection) -> Counter[str]:
    return Counter(name for row in connection.execute(_USES, {}).all() for name in _grant_of(row[0]))


def _grant_of(body: str) -> Iterator[str]:
    """Which grant a use was of; none when its text was changed, of which the chain tells."""
    try:
        yield str(json.loads(body)["grant_id"])
    except (ValueError, KeyError, TypeError):
        return
