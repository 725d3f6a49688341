"""The store in memory: the promises of `store`, kept in dictionaries, for simulations that run thousands of worlds.

It is held to the same contract as the real ones (`tests/contracts/test_store.py`). A transaction is a plain function of
a `MemoryTx`, as there; what it has put is taken back when it fails.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar, cast

from agent.conversation import ApiThread, Identity, MailThread, SlackThread
from agent.entries import Entry
from agent.errors import AlreadySeen, Conflict, Fenced
from agent.events import ApprovalDecided, Event, MessageReceived, ThreadCancelled
from agent.ports import Clock
from agent.verdict import Cancelled
from store import codec
from store.codec import micros
from store.held import HeldThread
from store.statements import STALLED_AFTER
from store.threads import Seat, Taken
from tests.memory_projection import project
from tests.memory_tables import MemoryDatabase, MemoryTx, ThreadRow

Conversation = SlackThread | MailThread | ApiThread
T = TypeVar("T")


class MemoryThreads:
    """As `store.threads.Threads`."""

    def __init__(self, database: MemoryDatabase, clock: Clock, lease: float = 30.0) -> None:
        self.database = database
        self.clock = clock
        self.lease = lease
        self.wake: Callable[[MemoryTx, str], None] = lambda tx, thread_id: None
        self.cards_changed: Callable[[], None] = lambda: None
        self.seat: Callable[[], Seat | None] = lambda: None

    async def take_in(
        self, conversation: Conversation, event: Event, *, keys: Sequence[str], new_id: str = "", agent: str = ""
    ) -> str | None:
        """Append what came from outside, once."""

        def work(tx: MemoryTx, seat: Taken | None) -> str | None:
            thread_id = tx.tables.by_conversation.get(conversation.key)
            if thread_id is None and not new_id:
                return None
            if thread_id is None:
                thread_id = new_id
                tx.put(tx.tables.by_conversation, conversation.key, new_id)
                tx.put(tx.tables.threads, new_id, ThreadRow(new_id, conversation, agent, codec.genesis(new_id)))
            for key in keys:
                if key in tx.tables.deliveries:
                    raise AlreadySeen(f"{key} was taken in before")
                tx.put(tx.tables.deliveries, key, thread_id)
            self._grow(tx, thread_id, [event], seat)
            return thread_id

        return await self._seated(work)

    async def _seated(self, work: Callable[[MemoryTx, Taken | None], T]) -> T:
        """Do it in a transaction, with a seat if there is one."""
        seat, ends = self.seat(), asyncio.get_running_loop().time() + self.lease
        try:
            return await self.database.write(lambda tx: work(tx, Taken(seat, ends) if seat else None))
        finally:
            if seat:
                seat.free()

    async def inform(self, thread_id: str, events: Sequence[Event]) -> None:
        """Append facts from outside. Raises AlreadySettled."""
        await self._seated(lambda tx, seat: self._grow(tx, thread_id, events, seat))

    async def cancel(self, thread_id: str, by: Identity, reason: str) -> None:
        """Stop the work, and what is asked for it."""
        now = self.clock.now()

        def work(tx: MemoryTx, seat: Taken | None) -> None:
            still_open = sorted(
                (row.asked_seq, key)
                for key, row in tx.tables.approvals.items()
                if row.thread_id == thread_id and row.status == "open"
            )
            why = Cancelled(reason=reason)
            decided = [ApprovalDecided(at=now, approval_id=key, decision=why) for _, key in still_open]
            self._grow(tx, thread_id, [ThreadCancelled(at=now, by=by, reason=reason), *decided], seat)

        await self._seated(work)

    def _grow(self, tx: MemoryTx, thread_id: str, events: Sequence[Event], seat: Taken | None) -> None:
        row = tx.tables.threads[thread_id]
        links = codec.chained(events, row.last_seq, row.head)
        grown = replace(row, last_seq=links[-1].seq, head=links[-1].hash, status="active", not_before=0, attempts=0)
        if seat is None or row.lease_until > tx.now:
            tx.put(tx.tables.threads, thread_id, grown)
            write(tx, thread_id, events, links, self.cards_changed)
            self.wake(tx, thread_id)
            return
        until, died = tx.now + int(self.lease * 1_000_000), 1 if row.lease_until else 0
        taken = replace(grown, epoch=row.epoch + 1, lease_until=until, attempts=died)
        tx.put(tx.tables.threads, thread_id, taken)
        write(tx, thread_id, events, links, self.cards_changed)
        held = MemoryHeld(self, taken, tx.tables.entries(thread_id, 0), seat.ends)
        tx.after_commit.append(partial(seat.seat.fill, cast("HeldThread", held)))

    async def find(self, conversation_key: str) -> str | None:
        """The conversation's thread."""
        return await self.database.read(lambda tx: tx.tables.by_conversation.get(conversation_key))

    async def find_by_mail(self, message_ids: Sequence[str]) -> tuple[str, Conversation] | None:
        """The thread that one of these mails belongs to."""

        def work(tx: MemoryTx) -> tuple[str, Conversation] | None:
            known = [tx.tables.landmarks[each] for each in message_ids if each in tx.tables.landmarks]
            return (known[0], tx.tables.threads[known[0]].conversation) if known else None

        return await self.database.read(work)

    async def conversation(self, thread_id: str) -> Conversation | None:
        """Where the thread lives."""
        row = await self.database.read(lambda tx: tx.tables.threads.get(thread_id))
        return row.conversation if row else None

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """The log from there on."""
        return await self.database.read(lambda tx: tx.tables.entries(thread_id, after))

    async def due(self, limit: int = 100) -> list[str]:
        """Threads with something to do that nobody holds."""
        clock = micros(self.clock.now())

        def work(tx: MemoryTx) -> list[str]:
            found = [row for row in tx.tables.threads.values() if row.lease_until <= tx.now and is_due(row, clock)]
            return [row.id for row in sorted(found, key=lambda row: (row.not_before, row.id))][:limit]

        return await self.database.read(work)

    async def owners(self, thread_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """The agent and the person who began it, of each of these threads."""

        def work(tx: MemoryTx) -> dict[str, tuple[str, str]]:
            rows = [row for each in thread_ids if (row := tx.tables.threads.get(each)) is not None]
            first = {row.id: tx.tables.entries(row.id, 0)[0].event for row in rows}
            return {row.id: (row.agent, sender.key if (sender := _sender(first[row.id])) else "") for row in rows}

        return await self.database.read(work)

    async def claim(self, thread_id: str) -> "MemoryHeld | None":
        """Hold the thread, if there is something to do on it and nobody else holds it."""
        clock, ends = micros(self.clock.now()), asyncio.get_running_loop().time() + self.lease

        def work(tx: MemoryTx) -> "tuple[ThreadRow, tuple[Entry, ...]] | None":
            row = tx.tables.threads.get(thread_id)
            if row is None or row.lease_until > tx.now or not is_due(row, clock):
                return None
            until = tx.now + int(self.lease * 1_000_000)
            died = 1 if row.lease_until else 0  # whoever held it gave nothing back
            taken = replace(row, epoch=row.epoch + 1, lease_until=until, attempts=row.attempts + died)
            tx.put(tx.tables.threads, thread_id, taken)
            return taken, tx.tables.entries(thread_id, 0)

        found = await self.database.write(work)
        return MemoryHeld(self, *found, ends) if found else None


class MemoryHeld:
    """As `store.held.HeldThread`."""

    def __init__(self, threads: MemoryThreads, row: ThreadRow, entries: tuple[Entry, ...], ends: float) -> None:
        self.threads = threads
        self.thread_id = row.id
        self.conversation = row.conversation
        self.agent = row.agent
        self.epoch = row.epoch
        self.attempts = row.attempts
        self._head = row.head
        self._entries = entries
        self._ends = ends

    async def load(self, after: int = 0) -> tuple[Entry, ...]:
        """The entries after that place; the first time, as they were when it was claimed."""
        if not after and self._entries:
            entries, self._entries = self._entries, ()
            return entries

        def work(tx: MemoryTx) -> tuple[bytes, tuple[Entry, ...]]:
            return tx.tables.threads[self.thread_id].head, tx.tables.entries(self.thread_id, after)

        self._head, found = await self.threads.database.read(work)
        return found

    def ensure_held(self) -> None:
        """Raises Fenced when the lease may have run out."""
        if asyncio.get_running_loop().time() >= self._ends:
            raise Fenced

    async def append(self, events: Sequence[Event], after: int) -> None:
        """Write these behind `after`. Raises Conflict, Fenced or AlreadySettled."""
        links = codec.chained(events, after, self._head)
        await self.threads.database.write(lambda tx: self._advance(tx, after, events, links))
        self._head = links[-1].hash
        self.attempts = 0

    async def release(self, events: Sequence[Event], after: int, wake_at: datetime | None) -> None:
        """Write these, note when to look again, and let go. Raises Conflict or Fenced."""
        links = codec.chained(events, after, self._head)
        wake = micros(wake_at) if wake_at else None

        def work(tx: MemoryTx) -> None:
            self._advance(tx, after, events, links)
            row = tx.tables.threads[self.thread_id]
            tx.put(tx.tables.threads, self.thread_id, replace(row, done_seq=row.last_seq, lease_until=0, wake_at=wake))

        await self.threads.database.write(work)

    async def hand_back(self) -> None:
        """Let go with work left; somebody is told. Of a lease that has run out, too."""

        def back(tx: MemoryTx) -> None:
            row = tx.tables.threads[self.thread_id]
            if row.epoch == self.epoch and row.lease_until:
                tx.put(tx.tables.threads, self.thread_id, replace(row, lease_until=0))
                self.threads.wake(tx, self.thread_id)

        await self.threads.database.write(back)

    async def give_up(self, delay: float, failed: int = 1) -> bool:
        """Let go after a failure that counts so much. True when it failed too often."""
        not_before = micros(self.threads.clock.now()) + int(delay * 1_000_000)

        def give(row: ThreadRow) -> ThreadRow:
            status = "stalled" if row.attempts + failed >= STALLED_AFTER else row.status
            return replace(row, lease_until=0, attempts=row.attempts + failed, not_before=not_before, status=status)

        row = await self.threads.database.write(lambda tx: self._change(tx, give))
        return row is not None and row.status == "stalled"

    async def renew(self) -> bool:
        """Hold on for another lease. True when somebody else has written since. Raises Fenced."""
        lease, ends = int(self.threads.lease * 1_000_000), asyncio.get_running_loop().time() + self.threads.lease
        work = lambda tx: self._change(tx, lambda row: replace(row, lease_until=tx.now + lease))  # noqa: E731 - two lines
        if (row := await self.threads.database.write(work)) is None:
            raise Fenced
        self._ends = ends
        return bool(row.head != self._head)

    def _held(self, tx: MemoryTx) -> ThreadRow | None:
        row = tx.tables.threads[self.thread_id]
        return row if row.epoch == self.epoch and row.lease_until > tx.now else None

    def _change(self, tx: MemoryTx, change: Callable[[ThreadRow], ThreadRow]) -> ThreadRow | None:
        if (row := self._held(tx)) is None:
            return None
        changed = change(row)
        tx.put(tx.tables.threads, self.thread_id, changed)
        return changed

    def _advance(self, tx: MemoryTx, after: int, events: Sequence[Event], links: Sequence[codec.Link]) -> None:
        if (row := self._held(tx)) is None:
            raise Fenced
        if row.last_seq != after:
            raise Conflict
        seq, head = (links[-1].seq, links[-1].hash) if links else (after, self._head)
        tx.put(tx.tables.threads, self.thread_id, replace(row, last_seq=seq, head=head, attempts=0))
        write(tx, self.thread_id, events, links, self.threads.cards_changed)


def is_due(row: ThreadRow, clock: int) -> bool:
    """Whether there is something to do, by that clock."""
    ripe = row.last_seq > row.done_seq or (row.wake_at is not None and row.wake_at <= clock)
    return ripe and row.not_before <= clock and row.status == "active"


def write(
    tx: MemoryTx, thread_id: str, events: Sequence[Event], links: Sequence[codec.Link], changed: Callable[[], None]
) -> None:
    """Insert events, and bring the look-up tables in line."""
    cards_changed = False
    for link, event in zip(links, events, strict=True):
        assert (thread_id, link.seq) not in tx.tables.events, "an event would be overwritten"
        tx.put(tx.tables.events, (thread_id, link.seq), (link, event))
        cards_changed = project(tx, thread_id, link.seq, event) or cards_changed
    if cards_changed:
        tx.after_commit.append(changed)


def _sender(event: Event) -> Identity | None:
    return event.sender if isinstance(event, MessageReceived) else None
