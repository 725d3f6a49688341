"""The audit log as it is handed out: facts in the order they were written, a page at a time; and how a database is held
against what was handed out before.

An export proves what the database alone cannot: whoever rewrites every hash, or takes a whole thread out, cannot also
rewrite what is kept elsewhere. One line of a thread vouches for all that was before it in that thread.
"""

import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from agent.errors import Refused
from store import codec
from store.chain import Finding, What
from store.database import Database
from store.facts import CONTINUED, SKIPPED, Fact, fact

PAGE = 500
"""Events read at a time, and lines compared at a time."""
REMEMBERED = 10_000
"""Names of threads that were told as missing, so that they are not told again."""

_FACTS = text(
    "SELECT id, thread_id, seq, kind, at, body, hash FROM event WHERE id > :after AND id <= :until "
    f"AND at >= :since AND at < :before AND kind NOT IN ({', '.join(repr(each) for each in SKIPPED)}) "
    "ORDER BY id LIMIT :limit"
)
_LONGEST = text("SELECT max(id) FROM event")
_FAR = 2**62


async def facts(
    database: Database, *, since: datetime | None = None, before: datetime | None = None, page: int = PAGE
) -> AsyncIterator[Fact]:
    """The facts from `since` on and before `before`, in the order they were written, up to what there is now."""
    until = await database.read(lambda c: c.execute(_LONGEST).scalar()) or 0
    values = {
        "since": codec.micros(since) if since else -_FAR,
        "before": codec.micros(before) if before else _FAR,
        "until": until,
        "limit": page,
    }
    after = 0
    while True:
        some, after, is_last = await database.read(
            lambda c, after=after: page_of(c, {**values, "after": after})  # type: ignore[misc]  # a lambda with a default
        )
        for each in some:
            yield each
        if is_last:
            return


def page_of(connection: Connection, values: dict[str, int]) -> tuple[list[Fact], int, bool]:
    """The facts of the next page, the number of its last event, and whether there is no more."""
    rows = connection.execute(_FACTS, values).all()
    found = [
        told
        for number, thread_id, seq, kind, at, body, link in rows
        if (told := fact(number, thread_id, codec.entry(seq, kind, at, body), bytes(link))) is not None
    ]
    return found, rows[-1][0] if rows else values["after"], len(rows) < values["limit"]


# --- held against an earlier export ---------------------------------------------------------------------------------


class Line(NamedTuple):
    """What a line of an export vouches for."""

    thread: str
    seq: int
    hash: str
    at: datetime


class Compared(NamedTuple):
    """What came of it."""

    lines: int
    findings: int
    expired: int
    """Lines of threads that are gone and were old enough to be purged."""


async def compare(
    database: Database, export: Iterable[str], tell: Callable[[Finding], None], *, expired: datetime, page: int = PAGE
) -> Compared:
    """Hold the database against the lines of an export in JSON lines.

    Threads that are gone are told, unless what was exported of them is older than `expired`: then a purge may have
    taken them. Raises Refused for a line that is none, with its number.
    """
    lines = findings = old = 0
    told: OrderedDict[str, None] = OrderedDict()
    source = _lines(export)
    while some := list(islice(source, page)):
        lines += len(some)
        there = await database.read(lambda c, some=some: [_look(c, each) for each in some])  # type: ignore[misc]  # a lambda with a default
        for each, (link, has_thread) in zip(some, there, strict=True):
            if link == each.hash or (not has_thread and each.thread in told):
                continue
            if not has_thread and each.at < expired:
                old += 1
                continue
            if not has_thread:
                told[each.thread] = None
                if len(told) > REMEMBERED:
                    told.popitem(last=False)
            findings += 1
            tell(_finding(each, link, has_thread=has_thread))
    return Compared(lines, findings, old)


_LOOK = text(
    "SELECT (SELECT hash FROM event WHERE thread_id = :thread AND seq = :seq), "
    "EXISTS (SELECT 1 FROM thread WHERE id = :thread)"
)


def _look(connection: Connection, line: Line) -> tuple[str, bool]:
    """The hash that stands there, empty when none does; and whether there is such a thread."""
    link, has_thread = connection.execute(_LOOK, {"thread": line.thread, "seq": line.seq}).one()
    return bytes(link).hex() if link is not None else "", bool(has_thread)


def _finding(line: Line, link: str, *, has_thread: bool) -> Finding:
    what: What = "rewritten"
    said = "the export has another hash here: this event, or one before it in the thread, was rewritten"
    if not has_thread:
        what, said = "removed", "the export has this thread, and the database does not"
    elif not link:
        what, said = "removed", "the export has this event, and the database does not"
    return Finding(line.thread, line.seq, what, said)


def _lines(export: Iterable[str]) -> Iterator[Line]:
    for number, line in enumerate(export, start=1):
        if not line.strip():
            continue
        try:
            found: dict[str, Any] = json.loads(line)
            if found.get("kind") == CONTINUED:
                continue
            at = datetime.fromisoformat(found["at"])
            read = Line(str(found["thread"]), int(found["seq"]), str(found["hash"]), at)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(
                f"line {number} of the export is no fact; give the file that export-audit-log --format jsonl wrote"
            ) from None
        yield read
