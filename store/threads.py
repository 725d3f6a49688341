"""Threads: what comes in is appended, a worker claims, appends under its epoch, and lets go.

Who may append, and when:
- Anybody with a fact from outside (`take_in`, `inform`): the row is locked, the log grows by one, the thread is woken.
- A worker that holds the thread (`HeldThread`): only at the length it has read, under the epoch it was given, while
  its lease lasts. A worker that was frozen and thaws is refused.

Nothing rewrites an event. Each transaction here is short and makes no call to the world.
"""

import json
from collections.abc import Callable, Sequence

from sqlalchemy import text

from agent.conversation import ApiThread, Identity, MailThread, SlackThread
from agent.errors import AlreadySeen
from agent.events import ApprovalDecided, Event, ThreadCancelled
from agent.ports import Clock
from agent.thread import Entry
from agent.verdict import Cancelled
from store import codec
from store.codec import micros
from store.database import Database, Tx
from store.held import ENTRIES, HeldThread, Place, write

Conversation = SlackThread | MailThread | ApiThread
Wake = Callable[[Tx, str], None]
"""Called in the transaction: see to it that the thread is looked at once it is committed."""

_CREATE = text(
    "INSERT INTO thread (id, conversation_key, conversation, agent, created_at, last_seq, done_seq, head, epoch, "
    "lease_until, not_before, attempts, status) VALUES (:id, :key, :conversation, :agent, :at, 0, 0, :head, 0, 0, 0, "
    "0, 'active') ON CONFLICT (conversation_key) DO NOTHING"
)
_SEEN = text("INSERT INTO delivery (key, thread_id, at) VALUES (:key, :thread_id, :at) ON CONFLICT DO NOTHING")
_GROW = text("UPDATE thread SET last_seq = :seq, head = :head, status = 'active', not_before = 0 WHERE id = :id")


class Threads:
    """All threads of a database."""

    def __init__(self, database: Database, clock: Clock, lease: float = 30.0) -> None:
        self.database = database
        self.clock = clock
        self.lease = lease
        """Seconds that a worker may be silent before another takes over."""
        self.wake: Wake = lambda tx, thread_id: None  # noqa: ARG005 - until an engine is attached, the sweep finds it
        """The engine's verb, called inside the transaction that gives a thread something to do."""
        self.cards_changed: Callable[[], None] = lambda: None
        """Called after a commit that leaves a card behind the facts."""
        now = database.now
        self._find = text(f"SELECT id, last_seq, head FROM thread WHERE conversation_key = :key{database.for_update}")
        self._find_id = text(f"SELECT id, last_seq, head FROM thread WHERE id = :id{database.for_update}")
        is_due = "(last_seq > done_seq OR wake_at <= :clock) AND not_before <= :clock AND status = 'active'"
        self._claim = text(
            f"UPDATE thread SET epoch = epoch + 1, lease_until = {now} + :lease "
            f"WHERE id = :id AND lease_until <= {now} AND {is_due} "
            "RETURNING epoch, last_seq, head, conversation, agent"
        )
        self._due = text(
            f"SELECT id FROM thread WHERE {is_due} AND lease_until <= {now} ORDER BY not_before, id LIMIT :limit"
        )

    # --- in ---------------------------------------------------------------------------------------------------------

    async def take_in(
        self,
        conversation: Conversation,
        event: Event,
        *,
        keys: Sequence[str],
        new_id: str = "",
        agent: str = "",
    ) -> str | None:
        """Append to the conversation's thread what came from outside, once. The thread's id.

        With `new_id` a thread is made when there is none; without, None is given then. Raises AlreadySeen when any of
        the keys was there before.
        """
        async with self.database.write() as tx:
            if new_id:
                values = {"id": new_id, "key": conversation.key, "conversation": conversation.model_dump_json()}
                head = codec.genesis(new_id)
                await tx.connection.execute(_CREATE, {**values, "agent": agent, "at": micros(event.at), "head": head})
            row = (await tx.connection.execute(self._find, {"key": conversation.key})).one_or_none()
            if row is None:
                return None
            place = Place(*row)
            for key in keys:
                seen = {"key": key, "thread_id": place.id, "at": micros(event.at)}
                if (await tx.connection.execute(_SEEN, seen)).rowcount != 1:
                    raise AlreadySeen(f"{key} was taken in before")
            await self._grow(tx, place, [event])
            self.wake(tx, place.id)
        return place.id

    async def inform(self, thread_id: str, events: Sequence[Event]) -> None:
        """Append facts from outside to a thread that exists. Raises AlreadySettled for a second decision."""
        async with self.database.write() as tx:
            row = (await tx.connection.execute(self._find_id, {"id": thread_id})).one()
            await self._grow(tx, Place(*row), events)
            self.wake(tx, thread_id)

    async def cancel(self, thread_id: str, by: Identity, reason: str) -> None:
        """Stop the work: its open approvals are cancelled in the same breath."""
        now = self.clock.now()
        async with self.database.write() as tx:
            row = (await tx.connection.execute(self._find_id, {"id": thread_id})).one()
            rows = await tx.connection.execute(
                text("SELECT id FROM approval WHERE thread_id = :id AND status = 'open' ORDER BY asked_seq"),
                {"id": thread_id},
            )
            events: list[Event] = [ThreadCancelled(at=now, by=by, reason=reason)]
            for (approval_id,) in rows.all():
                events.append(ApprovalDecided(at=now, approval_id=approval_id, decision=Cancelled(reason=reason)))
            await self._grow(tx, Place(*row), events)
            self.wake(tx, thread_id)

    async def _grow(self, tx: Tx, place: Place, events: Sequence[Event]) -> None:
        links = codec.chained(events, place.last_seq, place.head)
        await tx.connection.execute(_GROW, {"id": place.id, "seq": links[-1].seq, "head": links[-1].hash})
        await write(tx, place.id, events, links, self.cards_changed)

    # --- out --------------------------------------------------------------------------------------------------------

    async def find(self, conversation_key: str) -> str | None:
        """The id of the conversation's thread, if there is one."""
        async with self.database.read() as connection:
            found = await connection.execute(
                text("SELECT id FROM thread WHERE conversation_key = :key"), {"key": conversation_key}
            )
            return found.scalar_one_or_none()

    async def find_by_mail(self, message_ids: Sequence[str]) -> tuple[str, Conversation] | None:
        """The thread that one of these mails belongs to; the first that is known counts."""
        async with self.database.read() as connection:
            for message_id in message_ids:
                found = await connection.execute(
                    text(
                        "SELECT thread.id, thread.conversation FROM landmark JOIN thread ON thread.id = thread_id "
                        "WHERE key = :key"
                    ),
                    {"key": message_id},
                )
                if (row := found.one_or_none()) is not None:
                    return row[0], codec.conversation(row[1])
        return None

    async def conversation(self, thread_id: str) -> Conversation | None:
        """Where the thread lives."""
        async with self.database.read() as connection:
            found = await connection.execute(text("SELECT conversation FROM thread WHERE id = :id"), {"id": thread_id})
            body = found.scalar_one_or_none()
        return codec.conversation(body) if body else None

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """The log from there on."""
        async with self.database.read() as connection:
            return codec.entries((await connection.execute(ENTRIES, {"id": thread_id, "after": after})).all())

    async def recent(self, limit: int = 50) -> list[dict[str, object]]:
        """The threads last created, newest first, a row each."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                text(
                    "SELECT thread.id, conversation, agent, status, last_seq, done_seq, created_at, "
                    "(SELECT count(*) FROM approval WHERE thread_id = thread.id AND approval.status = 'open') "
                    "FROM thread ORDER BY created_at DESC LIMIT :limit"
                ),
                {"limit": limit},
            )
            names = ("id", "conversation", "agent", "status", "last_seq", "done_seq", "created_at", "waiting")
            found = [dict(zip(names, row, strict=True)) for row in rows.all()]
        for each in found:
            each["conversation"] = json.loads(str(each["conversation"]))
            each["created_at"] = codec.moment(int(str(each["created_at"]))).isoformat()
        return found

    # --- work -------------------------------------------------------------------------------------------------------

    async def due(self, limit: int = 100) -> list[str]:
        """Threads with something to do that nobody holds."""
        async with self.database.read() as connection:
            values = {"clock": micros(self.clock.now()), "limit": limit}
            return list((await connection.execute(self._due, values)).scalars())

    async def claim(self, thread_id: str) -> HeldThread | None:
        """Hold the thread, if there is something to do on it and nobody else holds it."""
        async with self.database.write() as tx:
            values = {"id": thread_id, "clock": micros(self.clock.now()), "lease": int(self.lease * 1_000_000)}
            row = (await tx.connection.execute(self._claim, values)).one_or_none()
        if row is None:
            return None
        epoch, last_seq, head, conversation, agent = row
        place = Place(thread_id, last_seq, head)
        return HeldThread(self, place, epoch, codec.conversation(conversation), agent)
