"""A thread that one worker holds: it may append under the epoch that its claim was given, while its lease lasts."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, TextClause

from agent.conversation import ApiThread, MailThread, SlackThread
from agent.entries import Entry
from agent.errors import Conflict, Fenced
from agent.events import Event
from agent.ports import Clock
from store import codec
from store.codec import micros
from store.database import CARDS, Database, Tx
from store.projection import project
from store.statements import ENTRIES, INSERT, PLACE, Statements


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thread stands: what an append starts from."""

    id: str
    last_seq: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """What a claim was given."""

    epoch: int
    attempts: int
    """How often in a row the thread could not be worked on."""
    ends: float
    """When the lease runs out at the earliest, by the event loop's clock: counted from when it was asked for."""
    rows: Sequence[Sequence[Any]] = ()
    """The log as it was then, in the same transaction."""


class Home(Protocol):
    """What a held thread needs of `store.threads.Threads`."""

    database: Database
    statements: Statements
    clock: Clock
    lease: float
    wake: Callable[[Tx, str], None]
    cards_changed: Callable[[], None]


class HeldThread:
    """Satisfies `agent.ports.Claim`."""

    def __init__(
        self,
        threads: Home,
        place: Place,
        hold: Hold,
        conversation: SlackThread | MailThread | ApiThread,
        agent: str,
    ) -> None:
        self.threads = threads
        self.thread_id = place.id
        self.conversation = conversation
        self.agent = agent
        self.attempts = hold.attempts
        """How often in a row it could not be worked on."""
        self._place = place
        self._claim = {"id": place.id, "epoch": hold.epoch}
        self._ends = hold.ends
        self._rows = hold.rows

    async def load(self, after: int = 0) -> tuple[Entry, ...]:
        """The entries after that place; later appends count from the last of them."""
        if not after and self._rows:
            rows, self._rows = self._rows, ()
            return codec.entries(rows)
        self._place, entries = await self.threads.database.read(lambda c: self._load(c, after))
        return entries

    def _load(self, connection: Connection, after: int) -> tuple[Place, tuple[Entry, ...]]:
        place = Place(self.thread_id, *connection.execute(PLACE, {"id": self.thread_id}).one())
        rows = connection.execute(ENTRIES, {"id": self.thread_id, "after": after}).all()
        return place, codec.entries(row for row in rows if row[0] <= place.last_seq)

    def ensure_held(self) -> None:
        """Raises Fenced when the lease may have run out."""
        if asyncio.get_running_loop().time() >= self._ends:
            raise Fenced

    async def append(self, events: Sequence[Event], after: int) -> None:
        """Write these behind `after`. Raises Conflict, Fenced or AlreadySettled, and then has written nothing."""
        links = codec.chained(events, after, self._place.head)
        statement = self.threads.statements.append
        await self.threads.database.write(lambda tx: self._advance(tx, statement, after, events, links))
        self._place = Place(self.thread_id, links[-1].seq, links[-1].hash)
        self.attempts = 0

    async def release(self, events: Sequence[Event], after: int, wake_at: datetime | None) -> None:
        """Write these, note when to look again, and let go. Raises Conflict or Fenced."""
        links = codec.chained(events, after, self._place.head)
        wake = micros(wake_at) if wake_at else None
        statement = self.threads.statements.release
        await self.threads.database.write(lambda tx: self._advance(tx, statement, after, events, links, wake=wake))

    async def hand_back(self) -> None:
        """Let go with work left: it is due again, and somebody is told. Of a lease that has run out, too, unless the
        thread is another's by now: by a clock that was put forward and back it would seem to last yet."""
        await self.threads.database.write(self._hand_back)

    def _hand_back(self, tx: Tx) -> None:
        if tx.connection.execute(self.threads.statements.hand_back, self._claim).rowcount == 1:
            self.threads.wake(tx, self.thread_id)

    async def give_up(self, delay: float, failed: int = 1) -> bool:
        """Let go after a failure and look again after `delay` seconds. True when it failed too often, and stalls.

        `failed` is by how much it counts: 0 for what only time can mend.
        """
        row = {**self._claim, "failed": failed, "not_before": micros(self.threads.clock.now()) + int(delay * 1_000_000)}
        statement = self.threads.statements.give_up
        status = await self.threads.database.write(
            lambda tx: tx.connection.execute(statement, row).scalar_one_or_none()
        )
        return status == "stalled"

    async def renew(self) -> bool:
        """Hold on for another lease. True when somebody else has written since. Raises Fenced when it is too late."""
        row = {**self._claim, "lease": int(self.threads.lease * 1_000_000)}
        statement = self.threads.statements.renew
        ends = asyncio.get_running_loop().time() + self.threads.lease
        last_seq = await self.threads.database.write(
            lambda tx: tx.connection.execute(statement, row).scalar_one_or_none()
        )
        if last_seq is None:
            raise Fenced
        self._ends = ends
        return bool(last_seq > self._place.last_seq)

    def _advance(
        self,
        tx: Tx,
        statement: TextClause,
        after: int,
        events: Sequence[Event],
        links: Sequence[codec.Link],
        **values: int | None,
    ) -> None:
        """Grow the row if it is as long as thought and still ours, and write what it grew by."""
        seq, head = (links[-1].seq, links[-1].hash) if links else (after, self._place.head)
        row = {**self._claim, "after": after, "seq": seq, "head": head, **values}
        if tx.connection.execute(statement, row).rowcount != 1:
            held = tx.connection.execute(self.threads.statements.is_held, self._claim)
            raise Fenced if held.one_or_none() is None else Conflict
        if links:
            write(tx, self.thread_id, events, links, self.threads)


def write(
    tx: Tx,
    thread_id: str,
    events: Sequence[Event],
    links: Sequence[codec.Link],
    home: Home,
) -> None:
    """Insert the rows of events, and bring the look-up tables in line with them; tell of cards that lag behind now."""
    tx.connection.execute(INSERT, [{"thread_id": thread_id, **asdict(link)} for link in links])
    placed = [(link.seq, event) for link, event in zip(links, events, strict=True)]
    if project(tx, thread_id, placed):
        tx.after_commit.append(home.cards_changed)
        home.database.call_out(tx, CARDS)
