"""Takes personal text out of threads: the rows keep their hashes, and the thread gets an event that says what was done.

- Only where nothing is under way: what is yet to be decided or done needs the words that it is about.
- A row keeps the digest of what it said, so the chain is whole; the new event says what is left, by its digest.
- Of a whole thread, what else holds its text goes too: the mails as they came in, the cards that were shown, the
  sender's address in the name of a mail conversation, and names of deliveries that repeats no longer come under.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from agent.conversation import Identity, MailThread
from agent.errors import Refused
from agent.events import Event, MessageReceived, RedactedBody, TextRedacted
from agent.redaction import MARK, redacted
from store import codec
from store.codec import micros
from store.database import Tx
from store.held import Place, write
from store.threads import Threads

REPEATS = timedelta(days=7)
"""A delivery that comes again comes within this time, and is known by its name."""
AROUND = timedelta(days=1)
"""A mail was kept at most so long before or after it became an event."""
PAGE = 500

_LOCK = "SELECT last_seq, head, conversation FROM thread WHERE id = :id"
_QUIET = text(
    "SELECT 1 FROM thread WHERE id = :id AND last_seq = done_seq AND wake_at IS NULL AND lease_until = 0 "
    "AND NOT EXISTS (SELECT 1 FROM approval WHERE thread_id = thread.id AND approval.status = 'open') "
    "AND NOT EXISTS (SELECT 1 FROM card JOIN approval ON approval.id = approval_id "
    "WHERE approval.thread_id = thread.id AND (shown < wanted OR card.lease_until > 0))"
)
_GRANTS = text(
    "SELECT id, seq FROM grants WHERE thread_id = :id "
    "AND revoked_seq IS NULL AND until > :now AND (uses IS NULL OR used < uses)"
)
_ROWS = text("SELECT seq, kind, at, body, digest FROM event WHERE thread_id = :id ORDER BY seq")
_REPLACE = text("UPDATE event SET body = :body, digest = :digest WHERE thread_id = :id AND seq = :seq")
_GROW = text("UPDATE thread SET last_seq = :seq, done_seq = :seq, head = :head WHERE id = :id")
_CARDS = text("DELETE FROM card WHERE approval_id IN (SELECT id FROM approval WHERE thread_id = :id)")
_DELIVERIES = text("DELETE FROM delivery WHERE thread_id = :id AND at < :before")
_RENAME = text("UPDATE thread SET conversation = :conversation, conversation_key = :key WHERE id = :id")
_MAILS = text("SELECT key, raw FROM raw_mail WHERE at BETWEEN :first AND :last")
_DROP_MAIL = text("DELETE FROM raw_mail WHERE key = :key")
_SCAN = text("SELECT id, thread_id, seq, kind, at, body FROM event WHERE id > :after ORDER BY id LIMIT :limit")

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Redacted:
    """How much was taken out."""

    events: int = 0
    mails: int = 0

    def __add__(self, other: "Redacted") -> "Redacted":
        """Both."""
        return Redacted(self.events + other.events, self.mails + other.mails)


class Redactor:
    """Redacts threads of a database, on record as somebody's doing."""

    def __init__(self, threads: Threads, by: Identity, reason: str = "") -> None:
        self.threads = threads
        self.by = by
        self.reason = reason

    async def thread(self, thread_id: str, seqs: Collection[int] = ()) -> Redacted:
        """Redact these events, or without any the whole thread. Raises Refused where work is under way, and for an
        event that is not there."""
        return await self.threads.database.write(lambda tx: self._redact(tx, thread_id, seqs))

    async def person(self, names: Collection[str]) -> dict[str, set[int]]:
        """Where somebody of these channel ids (a Slack user, an address) is to be redacted: threads, and the places in
        them. No places means the whole thread: they wrote in it."""
        found: dict[str, set[int]] = {}
        whole: set[str] = set()
        after = 0
        while rows := await self.threads.database.read(
            lambda c, after=after: c.execute(_SCAN, {"after": after, "limit": PAGE}).all()  # type: ignore[misc]  # a lambda with a default
        ):
            after = rows[-1][0]
            for _, thread_id, seq, kind, at, body in rows:
                if not any(name in body for name in names):
                    continue
                event = codec.entry(seq, kind, at, body).event
                if isinstance(event, MessageReceived) and event.sender.id in names:
                    whole.add(thread_id)
                found.setdefault(thread_id, set()).add(seq)
        return {name: set() if name in whole else seqs for name, seqs in found.items()}

    # --- one thread, in one transaction -----------------------------------------------------------------------------

    def _redact(self, tx: Tx, thread_id: str, seqs: Collection[int]) -> Redacted:
        place, conversation = self._lock(tx, thread_id)
        rows = tx.connection.execute(_ROWS, {"id": thread_id}).all()
        if missing := sorted(set(seqs) - {row[0] for row in rows}):
            raise Refused(f"{thread_id} has no event {missing[0]}; see: twokey threads show {thread_id}")
        chosen = [row for row in rows if not seqs or row[0] in seqs]
        if grant := self._standing_grant(tx, thread_id, {row[0] for row in chosen}):
            raise Refused(f"{thread_id} has the grant {grant}, which still lets calls run; revoke it first")
        left, mails = self._replace(tx, thread_id, chosen)
        if left:
            event = TextRedacted(at=self.threads.clock.now(), redacted=tuple(left), by=self.by, reason=self.reason)
            self._append(tx, place, event)
        if not seqs:
            self._beside(tx, thread_id, conversation)
        return Redacted(len(left), _drop_mails(tx.connection, mails))

    def _lock(self, tx: Tx, thread_id: str) -> tuple[Place, str]:
        values = {"id": thread_id}
        row = tx.connection.execute(text(_LOCK + self.threads.database.for_update), values).one_or_none()
        if row is None:
            raise Refused(f"there is no thread {thread_id}; see: twokey threads list")
        if tx.connection.execute(_QUIET, values).one_or_none() is None:
            raise Refused(
                f"{thread_id} is at work, or waits for somebody; when it is done, or after "
                f"`twokey threads cancel {thread_id}` and a moment, it can be redacted"
            )
        return Place(thread_id, row[0], bytes(row[1])), row[2]

    def _standing_grant(self, tx: Tx, thread_id: str, seqs: Collection[int]) -> str:
        """A grant among these that still counts: nobody could see any more what it lets run. Empty for none."""
        values = {"id": thread_id, "now": micros(self.threads.clock.now())}
        rows = tx.connection.execute(_GRANTS, values).all()
        return next((str(name) for name, seq in rows if seq in seqs), "")

    def _replace(self, tx: Tx, thread_id: str, rows: Rows) -> tuple[list[RedactedBody], list[MessageReceived]]:
        """Put what is left in place of what was said: what is left, and the mails that there were."""
        left, mails = [], []
        for seq, kind, at, body, digest in rows:
            event = codec.entry(seq, kind, at, body).event
            rest = redacted(event) if not isinstance(event, TextRedacted) else event
            if rest == event:
                continue
            text_left = codec.body_of(rest)
            values = {"id": thread_id, "seq": seq, "body": text_left, "digest": digest or codec.digest_of(body)}
            tx.connection.execute(_REPLACE, values)
            left.append(RedactedBody(seq=seq, digest=codec.digest_of(text_left).hex()))
            if isinstance(event, MessageReceived) and event.mail:
                mails.append(event)
        return left, mails

    def _append(self, tx: Tx, place: Place, event: Event) -> None:
        """Nobody is woken: it gives the thread nothing to do."""
        links = codec.chained([event], place.last_seq, place.head)
        tx.connection.execute(_GROW, {"id": place.id, "seq": links[-1].seq, "head": links[-1].hash})
        write(tx, place.id, [event], links, self.threads)

    def _beside(self, tx: Tx, thread_id: str, conversation: str) -> None:
        now = self.threads.clock.now()
        tx.connection.execute(_CARDS, {"id": thread_id})
        tx.connection.execute(_DELIVERIES, {"id": thread_id, "before": micros(now - REPEATS)})
        place = codec.conversation(conversation)
        if isinstance(place, MailThread):
            renamed = place.model_copy(update={"root": f"{MARK} {thread_id}"})
            values = {"id": thread_id, "conversation": renamed.model_dump_json(), "key": renamed.key}
            tx.connection.execute(_RENAME, values)


def _drop_mails(connection: Connection, messages: Sequence[MessageReceived]) -> int:
    """Delete the mails as they came in: those kept about then that carry the Message-ID."""
    dropped = 0
    for each in messages:
        assert each.mail is not None  # noqa: S101 - only such were collected
        values = {"first": micros(each.at - AROUND), "last": micros(each.at + AROUND)}
        for key, raw in connection.execute(_MAILS, values).all():
            if each.mail.message_id.encode() in bytes(raw):
                connection.execute(_DROP_MAIL, {"key": key})
                dropped += 1
    return dropped
