"""A thread that one worker holds: it may append under the epoch that its claim was given, while its lease lasts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import text

from agent.conversation import ApiThread, MailThread, SlackThread
from agent.errors import Conflict, Fenced
from agent.events import Event
from agent.ports import Clock
from agent.thread import Entry
from store import codec
from store.codec import micros
from store.database import Database, Tx
from store.projection import project

STALLED_AFTER = 8
"""Failed attempts in a row after which a thread is left for an operator."""

_INSERT = text(
    "INSERT INTO event (thread_id, seq, kind, at, body, digest, hash) "
    "VALUES (:thread_id, :seq, :kind, :at, :body, :digest, :hash)"
)
ENTRIES = text("SELECT seq, kind, at, body FROM event WHERE thread_id = :id AND seq > :after ORDER BY seq")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thread stands: what an append starts from."""

    id: str
    last_seq: int
    head: bytes


class Home(Protocol):
    """What a held thread needs of `store.threads.Threads`."""

    database: Database
    clock: Clock
    lease: float
    cards_changed: Callable[[], None]


class HeldThread:
    """Satisfies `agent.ports.Claim`."""

    def __init__(
        self, threads: Home, place: Place, epoch: int, conversation: SlackThread | MailThread | ApiThread, agent: str
    ) -> None:
        self.threads = threads
        self.thread_id = place.id
        self.epoch = epoch
        self.conversation = conversation
        self.agent = agent
        self._place = place
        now = threads.database.now
        self._held = f"id = :id AND epoch = :epoch AND lease_until > {now}"

    async def load(self, after: int = 0) -> tuple[Entry, ...]:
        """The entries after that place; later appends count from the last of them."""
        async with self.threads.database.read() as connection:
            rows = await connection.execute(
                text("SELECT last_seq, head FROM thread WHERE id = :id"), {"id": self.thread_id}
            )
            place = Place(self.thread_id, *rows.one())
            found = await connection.execute(ENTRIES, {"id": self.thread_id, "after": after})
            entries = codec.entries(row for row in found.all() if row[0] <= place.last_seq)
        self._place = place
        return entries

    async def append(self, events: Sequence[Event], after: int) -> None:
        """Write these behind `after`. Raises Conflict, Fenced or AlreadySettled, and then has written nothing."""
        links = codec.chained(events, after, self._place.head)
        async with self.threads.database.write() as tx:
            await self._advance(tx, "last_seq = :seq, head = :head, attempts = 0", after, links)
            await self._write(tx, events, links)
        self._place = Place(self.thread_id, links[-1].seq, links[-1].hash)

    async def release(self, events: Sequence[Event], after: int, wake_at: datetime | None) -> None:
        """Write these, note when to look again, and let go. Raises Conflict or Fenced."""
        links = codec.chained(events, after, self._place.head)
        wake = micros(wake_at) if wake_at else None
        async with self.threads.database.write() as tx:
            sets = "last_seq = :seq, head = :head, done_seq = :seq, lease_until = 0, attempts = 0, wake_at = :wake"
            await self._advance(tx, sets, after, links, wake=wake)
            await self._write(tx, events, links)

    async def hand_back(self) -> None:
        """Let go with work left: it is due again at once."""
        async with self.threads.database.write() as tx:
            await tx.connection.execute(
                text(f"UPDATE thread SET lease_until = 0 WHERE {self._held}"),
                {"id": self.thread_id, "epoch": self.epoch},
            )

    async def give_up(self, delay: float) -> bool:
        """Let go after a failure and look again after `delay` seconds. True when it failed too often, and stalls."""
        not_before = micros(self.threads.clock.now()) + int(delay * 1_000_000)
        async with self.threads.database.write() as tx:
            found = await tx.connection.execute(
                text(
                    "UPDATE thread SET lease_until = 0, attempts = attempts + 1, not_before = :not_before, "
                    f"status = CASE WHEN attempts + 1 >= {STALLED_AFTER} THEN 'stalled' ELSE status END "
                    f"WHERE {self._held} RETURNING status"
                ),
                {"id": self.thread_id, "epoch": self.epoch, "not_before": not_before},
            )
            return found.scalar_one_or_none() == "stalled"

    async def renew(self) -> None:
        """Hold on for another lease. Raises Fenced when it is too late."""
        async with self.threads.database.write() as tx:
            done = await tx.connection.execute(
                text(f"UPDATE thread SET lease_until = {self.threads.database.now} + :lease WHERE {self._held}"),
                {"id": self.thread_id, "epoch": self.epoch, "lease": int(self.threads.lease * 1_000_000)},
            )
        if done.rowcount != 1:
            raise Fenced

    async def _advance(self, tx: Tx, sets: str, after: int, links: Sequence[codec.Link], **values: int | None) -> None:
        """Grow the row if it is as long as thought and still ours."""
        seq, head = (links[-1].seq, links[-1].hash) if links else (after, self._place.head)
        row: dict[str, object] = {"id": self.thread_id, "epoch": self.epoch, "after": after, "seq": seq, "head": head}
        done = await tx.connection.execute(
            text(f"UPDATE thread SET {sets} WHERE {self._held} AND last_seq = :after"),
            {**row, **values},
        )
        if done.rowcount == 1:
            return
        held = await tx.connection.execute(text(f"SELECT 1 FROM thread WHERE {self._held}"), row)
        raise Fenced if held.one_or_none() is None else Conflict

    async def _write(self, tx: Tx, events: Sequence[Event], links: Sequence[codec.Link]) -> None:
        if links:
            await write(tx, self.thread_id, events, links, self.threads.cards_changed)


async def write(
    tx: Tx,
    thread_id: str,
    events: Sequence[Event],
    links: Sequence[codec.Link],
    cards_changed: Callable[[], None],
) -> None:
    """Insert the rows of events, and bring the look-up tables in line with them."""
    await tx.connection.execute(
        _INSERT,
        [
            {
                "thread_id": thread_id,
                "seq": link.seq,
                "kind": link.kind,
                "at": link.at,
                "body": link.body,
                "digest": link.digest,
                "hash": link.hash,
            }
            for link in links
        ],
    )
    placed = [(link.seq, event) for link, event in zip(links, events, strict=True)]
    if await project(tx, thread_id, placed):
        tx.after_commit.append(cards_changed)
