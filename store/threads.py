"""Threads: what comes in is appended, a worker claims, appends under its epoch, and lets go.

Who may append, and when:
- Anybody with a fact from outside (`take_in`, `inform`): the row is locked, the log grows by one, the thread is woken.
- A worker that holds the thread (`HeldThread`): only at the length it has read, under the epoch it was given, while
  its lease lasts. A worker that was frozen and thaws is refused.

Nothing rewrites an event. Each transaction here is short and makes no call to the world.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from agent.conversation import ApiThread, Identity, MailThread, SlackThread
from agent.entries import Entry
from agent.errors import AlreadySeen, StoreDown
from agent.events import ApprovalDecided, Event, ThreadCancelled
from agent.ports import Clock
from agent.verdict import Cancelled
from store import codec
from store.codec import micros
from store.database import Database, Tx
from store.held import HeldThread, Hold, Place, write
from store.owners import owners
from store.statements import (
    CONVERSATION,
    CREATE,
    ENTRIES,
    FIND,
    FIND_BY_MAIL,
    GROW,
    OPEN_APPROVALS,
    RECENT,
    REVIVE,
    SEEN,
    STATUS,
    TAKE_OVER,
    TAKE_OVER_CARDS,
    Statements,
)

Conversation = SlackThread | MailThread | ApiThread
Row = Sequence[Any]
Wake = Callable[[Tx, str], None]
"""Called in the transaction: see to it that the thread is looked at once it is committed."""
T = TypeVar("T")


class Seat(Protocol):
    """Room, in this process, for one thread to be worked on at once."""

    def fill(self, held: HeldThread) -> None:
        """Work on it."""
        ...

    def free(self) -> None:
        """It is not needed; without effect on one that was filled."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """A seat that a transaction may fill, and when the lease that goes with it runs out at the earliest."""

    seat: Seat
    ends: float


class Threads:
    """All threads of a database."""

    def __init__(self, database: Database, clock: Clock, lease: float = 30.0) -> None:
        self.database = database
        self.statements = Statements.of(database)
        self.clock = clock
        self.lease = lease
        """Seconds that a worker may be silent before another takes over."""
        self.wake: Wake = lambda tx, thread_id: None  # noqa: ARG005 - until an engine is attached, the sweep finds it
        """The engine's verb, called inside the transaction that gives a thread something to do."""
        self.seat: Callable[[], Seat | None] = lambda: None
        """Room to work on a thread here: then it is held from the transaction on that gives it something to do, and
        nobody need be woken. Should this process die, it is taken over when the lease runs out."""
        self.cards_changed: Callable[[], None] = lambda: None
        """Called after a commit that leaves a card behind the facts."""

    # --- in ---------------------------------------------------------------------------------------------------------

    async def take_in(
        self, conversation: Conversation, event: Event, *, keys: Sequence[str], new_id: str = "", agent: str = ""
    ) -> str | None:
        """Append to the conversation's thread what came from outside, once. The thread's id.

        With `new_id` a thread is made when there is none; without, None is given then. Raises AlreadySeen when any of
        the keys was there before.
        """

        def work(tx: Tx, seat: Taken | None) -> str | None:
            if new_id:
                self._create(tx, conversation, event, new_id, agent)
            row = tx.connection.execute(self.statements.lock_conversation, {"key": conversation.key}).one_or_none()
            if row is None and new_id:
                raise StoreDown("the thread was taken out in this very moment; it is made anew when this comes again")
            if row is None:
                return None
            place = Place(*row[:3])
            for key in keys:
                seen = {"key": key, "thread_id": place.id, "at": micros(event.at)}
                if tx.connection.execute(SEEN, seen).rowcount != 1:
                    raise AlreadySeen(f"{key} was taken in before")
            self._grow(tx, place, [event], None if row[3] else seat)
            return place.id

        return await self._seated(work)

    async def _seated(self, work: Callable[[Tx, "Taken | None"], T]) -> T:
        """Do it in a transaction, with a seat if there is one."""
        seat = self.seat()
        if seat is None:
            return await self.database.write(lambda tx: work(tx, None))
        taken = Taken(seat, asyncio.get_running_loop().time() + self.lease)
        try:
            return await self.database.write(lambda tx: work(tx, taken))
        finally:
            seat.free()

    def _create(self, tx: Tx, conversation: Conversation, event: Event, new_id: str, agent: str) -> None:
        values = {"id": new_id, "key": conversation.key, "conversation": conversation.model_dump_json()}
        head = codec.genesis(new_id)
        tx.connection.execute(CREATE, {**values, "agent": agent, "at": micros(event.at), "head": head})

    async def inform(self, thread_id: str, events: Sequence[Event]) -> None:
        """Append facts from outside to a thread that exists.

        Raises AlreadySettled for a second decision, and Conflict for a say on what has changed since it was read.
        """

        def work(tx: Tx, seat: Taken | None) -> None:
            place, is_held = self._locked(tx, thread_id)
            self._grow(tx, place, events, None if is_held else seat)

        await self._seated(work)

    async def cancel(self, thread_id: str, by: Identity, reason: str) -> None:
        """Stop the work: its open approvals are cancelled in the same breath."""
        now = self.clock.now()

        def work(tx: Tx, seat: Taken | None) -> None:
            place, is_held = self._locked(tx, thread_id)
            still_open = tx.connection.execute(OPEN_APPROVALS, {"id": thread_id}).scalars().all()
            cancelled = [
                ApprovalDecided(at=now, approval_id=each, decision=Cancelled(reason=reason)) for each in still_open
            ]
            cancelling = ThreadCancelled(at=now, by=by, reason=reason)
            self._grow(tx, place, [cancelling, *cancelled], None if is_held else seat)

        await self._seated(work)

    def _locked(self, tx: Tx, thread_id: str) -> tuple[Place, bool]:
        """Where it stands, and whether somebody holds it."""
        row = tx.connection.execute(self.statements.lock_thread, {"id": thread_id}).one()
        return Place(*row[:3]), bool(row[3])

    def _grow(self, tx: Tx, place: Place, events: Sequence[Event], seat: "Taken | None") -> None:
        links = codec.chained(events, place.last_seq, place.head)
        grown = {"id": place.id, "seq": links[-1].seq, "head": links[-1].hash}
        if seat is None:
            tx.connection.execute(GROW, grown)
            write(tx, place.id, events, links, self)
            self.wake(tx, place.id)
            return
        values = {**grown, "lease": int(self.lease * 1_000_000)}
        epoch, conversation, agent, attempts = tx.connection.execute(self.statements.grow_held, values).one()
        write(tx, place.id, events, links, self)
        rows = tx.connection.execute(ENTRIES, {"id": place.id, "after": 0}).all()
        grant, now_at = Hold(epoch, attempts, seat.ends, rows), Place(place.id, links[-1].seq, links[-1].hash)
        held = HeldThread(self, now_at, grant, codec.conversation(conversation), agent)
        tx.after_commit.append(partial(seat.seat.fill, held))

    # --- out --------------------------------------------------------------------------------------------------------

    async def find(self, conversation_key: str) -> str | None:
        """The id of the conversation's thread, if there is one."""
        return await self.database.read(lambda c: c.execute(FIND, {"key": conversation_key}).scalar_one_or_none())

    async def find_by_mail(self, message_ids: Sequence[str]) -> tuple[str, Conversation] | None:
        """The thread that one of these mails belongs to; the first that is known counts."""

        def work(connection: Connection) -> tuple[str, Conversation] | None:
            for message_id in message_ids:
                if (row := connection.execute(FIND_BY_MAIL, {"key": message_id}).one_or_none()) is not None:
                    return row[0], codec.conversation(row[1])
            return None

        return await self.database.read(work)

    async def conversation(self, thread_id: str) -> Conversation | None:
        """Where the thread lives."""
        body = await self.database.read(lambda c: c.execute(CONVERSATION, {"id": thread_id}).scalar_one_or_none())
        return codec.conversation(body) if body else None

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """The log from there on."""
        values = {"id": thread_id, "after": after}
        return await self.database.read(lambda c: codec.entries(c.execute(ENTRIES, values).all()))

    async def status(self, thread_id: str) -> str | None:
        """`active`, or `stalled` when it failed too often; None when there is no such thread."""
        return await self.database.read(lambda c: c.execute(STATUS, {"id": thread_id}).scalar_one_or_none())

    async def revive(self, thread_id: str) -> bool:
        """Have a stalled thread tried again, as a new message in it would. False when it is not stalled."""

        def work(tx: Tx) -> bool:
            is_revived = tx.connection.execute(REVIVE, {"id": thread_id}).rowcount == 1
            if is_revived:
                self.wake(tx, thread_id)
            return is_revived

        return await self.database.write(work)

    async def recent(self, limit: int = 50, *, status: str = "") -> list[dict[str, object]]:
        """The threads last created, newest first, a row each; with a status, those that are in it."""
        values = {"limit": limit, "status": status}
        rows = await self.database.read(lambda c: c.execute(RECENT, values).mappings().all())
        return [
            {
                **row,
                "conversation": json.loads(row["conversation"]),
                "created_at": codec.moment(row["created_at"]).isoformat(),
            }
            for row in rows
        ]

    # --- work -------------------------------------------------------------------------------------------------------

    async def due(self, limit: int = 100) -> list[str]:
        """Threads with something to do that nobody holds."""
        values = {"clock": micros(self.clock.now()), "limit": limit}
        return await self.database.read(lambda c: list(c.execute(self.statements.due, values).scalars()))

    async def owners(self, thread_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """The agent and the person who began it, of each of these threads."""
        return await self.database.read(lambda c: owners(c, thread_ids))

    async def take_over(self) -> None:
        """Let go of all that a process before this one held. Only for whoever knows that it is dead: on SQLite the
        file's lock proves it, and nobody need wait for a lease to run out."""

        def work(tx: Tx) -> None:
            tx.connection.execute(TAKE_OVER)
            tx.connection.execute(TAKE_OVER_CARDS)

        await self.database.write(work)

    async def due_untold(self, limit: int = 10_000) -> list[tuple[str, int]]:
        """Threads with something to do that nobody holds and no job speaks of, each with its epoch. PostgreSQL only."""
        values = {"clock": micros(self.clock.now()), "limit": limit}
        return await self.database.read(
            lambda c: [(row[0], row[1]) for row in c.execute(self.statements.due_untold, values)]
        )

    async def tell(self, thread_ids: Sequence[str]) -> None:
        """Wake these threads."""

        def work(tx: Tx) -> None:
            for thread_id in thread_ids:
                self.wake(tx, thread_id)

        await self.database.write(work)

    async def claim(self, thread_id: str) -> HeldThread | None:
        """Hold the thread, if there is something to do on it and nobody else holds it."""
        values = {"id": thread_id, "clock": micros(self.clock.now()), "lease": int(self.lease * 1_000_000)}
        statement, ends = self.statements.claim, asyncio.get_running_loop().time() + self.lease

        def work(tx: Tx) -> tuple[Row, Sequence[Row]] | None:
            row = tx.connection.execute(statement, values).one_or_none()
            if row is None:
                return None
            return row, tx.connection.execute(ENTRIES, {"id": thread_id, "after": 0}).all()

        found = await self.database.write(work)
        if found is None:
            return None
        (epoch, last_seq, head, conversation, agent, attempts), rows = found
        hold = Hold(epoch, attempts, ends, rows)
        return HeldThread(self, Place(thread_id, last_seq, head), hold, codec.conversation(conversation), agent)
