"""What is left after a run, read from its sources: the log, the tools' ledger, and what the outside saw and sent."""

import asyncio
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import parse_qs, urlsplit

import psycopg

from agent.events import Event
from sandbox.app import Sandbox
from sandbox.cast import BOT_USER
from store import codec
from tests.faults.record import Mail, Record
from tests.faults.stories import MARK


@dataclass(frozen=True, slots=True)
class Link:
    """An event as its row has it."""

    seq: int
    kind: str
    at: int
    digest: bytes
    hash: bytes
    body: str
    event: Event


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread: its row, and its log in order."""

    id: str
    last_seq: int
    done_seq: int
    head: bytes
    status: str
    links: tuple[Link, ...]

    @property
    def events(self) -> list[tuple[int, Event]]:
        """The log."""
        return [(link.seq, link.event) for link in self.links]


@dataclass(frozen=True, slots=True)
class Effect:
    """One run of a tool, as its ledger has it; without an end when the process died in between."""

    key: str
    tool: str
    order: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Post:
    """A message of the agent's on Slack, with the key that it carries."""

    channel: str
    ts: str
    key: str
    part: int
    mark: str


@dataclass(frozen=True)
class Evidence:
    """All of it."""

    threads: tuple[Thread, ...]
    effects: tuple[Effect, ...]
    posts: tuple[Post, ...] = ()
    mails: tuple[Mail, ...] = ()
    acknowledged: frozenset[str] = frozenset()
    """Marks of the messages that were answered 2xx."""
    open_approvals: int = 0
    cards_behind: int = 0
    has_frozen: bool = False
    """A process was frozen in the run, for longer than its lease."""


THREADS = "SELECT id, last_seq, done_seq, head, status FROM thread ORDER BY id"
EVENTS = "SELECT thread_id, seq, kind, at, digest, hash, body FROM event ORDER BY thread_id, seq"
OPEN = "SELECT count(*) FROM approval WHERE status = 'open'"
BEHIND = "SELECT count(*) FROM card WHERE shown < wanted"
HAPPENED = "SELECT (SELECT count(*) FROM event) + (SELECT coalesce(sum(shown), 0) FROM card)"
STALLED = "SELECT id FROM thread WHERE status = 'stalled'"
BUSY = "SELECT count(*) FROM thread WHERE last_seq <> done_seq AND status = 'active'"


def stored(database_url: str) -> tuple[tuple[Thread, ...], int, int]:
    """The threads, the open approvals, and the cards that are behind; read without the product's help."""
    rows, logs, ((still_open,),), ((behind,),) = _asked(database_url, THREADS, EVENTS, OPEN, BEHIND)
    by_thread: dict[str, list[Link]] = {}
    for thread_id, seq, kind, at, digest, hash_, body in logs:
        event = codec.entry(seq, kind, at, body).event
        by_thread.setdefault(thread_id, []).append(Link(seq, kind, at, bytes(digest), bytes(hash_), body, event))
    found = (
        Thread(i, last, done, bytes(head), status, tuple(by_thread.get(i, ()))) for i, last, done, head, status in rows
    )
    return tuple(found), still_open, behind


def left_to_do(database_url: str) -> tuple[int, int]:
    """How much there still is to do: busy threads, open approvals, cards that are behind; and how much has happened."""
    *left, ((happened,),) = _asked(database_url, BUSY, OPEN, BEHIND, HAPPENED)
    return sum(count for ((count,),) in left), happened


def stalled(database_url: str) -> list[str]:
    """The threads that were parked: their workers failed or died too often in a row."""
    (rows,) = _asked(database_url, STALLED)
    return [thread_id for (thread_id,) in rows]


def _asked(database_url: str, *queries: LiteralString) -> list[list[Any]]:
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.partition("///")[2], timeout=10)) as database:
            return [database.execute(query).fetchall() for query in queries]
    parts = urlsplit(database_url)
    conninfo = f"host={parse_qs(parts.query)['host'][0]} user={parts.username} dbname={parts.path[1:]}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return [connection.execute(query).fetchall() for query in queries]


def ledger(path: Path) -> tuple[Effect, ...]:
    """The runs that the ledger tells of; a line that was cut off by a kill was not written, and counts as none."""
    if not path.exists():
        return ()
    found: list[Effect] = []
    running: dict[str, list[int]] = {}
    for line in path.read_text().splitlines():
        read = json.loads(line)
        if read["phase"] == "start":
            running.setdefault(read["key"], []).append(len(found))
            found.append(Effect(read["key"], read["tool"], read["order"], read["at"], None))
        else:
            # Of several runs under one key the latest start is the one that ends first: the others have died.
            place = running[read["key"]].pop()
            begun = found[place]
            found[place] = Effect(begun.key, begun.tool, begun.order, begun.start, read["at"])
    return tuple(found)


def posts(sandbox: Sandbox) -> tuple[Post, ...]:
    """The agent's messages that carry a key."""
    workspace = sandbox.slack.workspace
    found = []
    for channel in workspace.directory.channels:
        for message in workspace.messages.in_channel(channel):
            payload = (message.metadata or {}).get("event_payload") or {}
            if message.user == BOT_USER and payload.get("key"):
                mark = MARK.search(message.text + json.dumps(message.blocks))
                found.append(Post(channel, message.ts, payload["key"], payload["part"], mark[0] if mark else ""))
    return tuple(found)


def acknowledged(sandbox: Sandbox, letters: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The marks of what was taken in with a 2xx: Slack's events, and mails, given as (Message-ID, mark)."""
    bot = f"<@{BOT_USER}>"
    found: set[str] = set()
    for attempt in sandbox.slack.attempts():
        event = attempt.parcel.body.get("event")
        if attempt.parcel.kind != "events_api" or not attempt.answer.ok or not isinstance(event, dict):
            continue
        words = str(event.get("text", ""))
        told_twice = event.get("type") == "message" and bot in words  # the mention comes as an event of its own
        if event.get("user") != BOT_USER and not told_twice and (mark := MARK.search(words)):
            found.add(mark[0])
    marks = dict(letters)
    taken = (marks.get(each.message_id, "") for each in sandbox.mail.deliveries() if each.taken)
    return frozenset(found | {mark for mark in taken if mark})


async def gathered(
    database_url: str, ledger_path: Path, record: Record, letters: Iterable[tuple[str, str]], *, has_frozen: bool
) -> Evidence:
    """Everything, at the end of a run."""
    threads, open_approvals, cards_behind = await asyncio.to_thread(stored, database_url)
    return Evidence(
        threads,
        ledger(ledger_path),
        posts(record.sandbox),
        tuple(record.mails),
        acknowledged(record.sandbox, letters),
        open_approvals,
        cards_behind,
        has_frozen,
    )
