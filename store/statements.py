"""The SQL of the hot path, put together once a database: it differs only in how a database tells the time."""

from dataclasses import dataclass

from sqlalchemy import TextClause, text

from store.database import Database

STALLED_AFTER = 8
"""Failed attempts in a row after which a thread is left for an operator."""

CREATE = text(
    "INSERT INTO thread (id, conversation_key, conversation, agent, created_at, last_seq, done_seq, head, epoch, "
    "lease_until, not_before, attempts, status) VALUES (:id, :key, :conversation, :agent, :at, 0, 0, :head, 0, 0, 0, "
    "0, 'active') ON CONFLICT DO NOTHING"
)
SEEN = text("INSERT INTO delivery (key, thread_id, at) VALUES (:key, :thread_id, :at) ON CONFLICT DO NOTHING")
INSERT = text(
    "INSERT INTO event (thread_id, seq, kind, at, body, digest, hash) "
    "VALUES (:thread_id, :seq, :kind, :at, :body, :digest, :hash)"
)
GROW = text(
    "UPDATE thread SET last_seq = :seq, head = :head, status = 'active', not_before = 0, attempts = 0 WHERE id = :id"
)
ENTRIES = text("SELECT seq, kind, at, body FROM event WHERE thread_id = :id AND seq > :after ORDER BY seq")
PLACE = text("SELECT last_seq, head FROM thread WHERE id = :id")
OPEN_APPROVALS = text("SELECT id FROM approval WHERE thread_id = :id AND status = 'open' ORDER BY asked_seq")
FIND = text("SELECT id FROM thread WHERE conversation_key = :key")
FIND_BY_MAIL = text(
    "SELECT thread.id, conversation FROM landmark JOIN thread ON thread.id = thread_id WHERE key = :key"
)
CONVERSATION = text("SELECT conversation FROM thread WHERE id = :id")
TAKE_OVER = text("UPDATE thread SET lease_until = 0, attempts = attempts + 1 WHERE lease_until > 0")
TAKE_OVER_CARDS = text("UPDATE card SET lease_until = 0 WHERE lease_until > 0")
STATUS = text("SELECT status FROM thread WHERE id = :id")
REVIVE = text("UPDATE thread SET status = 'active', attempts = 0, not_before = 0 WHERE id = :id AND status = 'stalled'")
RECENT = text(
    "SELECT thread.id, conversation, agent, status, last_seq, done_seq, created_at, "
    "(SELECT count(*) FROM approval WHERE thread_id = thread.id AND approval.status = 'open') AS waiting "
    "FROM thread WHERE status = :status OR :status = '' ORDER BY created_at DESC LIMIT :limit"
)


@dataclass(frozen=True)
class Statements:
    """Those that lock rows, or ask the database's clock."""

    lock_conversation: TextClause
    lock_thread: TextClause
    due: TextClause
    due_untold: TextClause
    claim: TextClause
    grow_held: TextClause
    append: TextClause
    release: TextClause
    hand_back: TextClause
    give_up: TextClause
    renew: TextClause
    is_held: TextClause

    @classmethod
    def of(cls, database: Database) -> "Statements":
        """For this database."""
        now, lock = database.now, database.for_update
        due = "(last_seq > done_seq OR wake_at <= :clock) AND not_before <= :clock AND status = 'active'"
        held = f"id = :id AND epoch = :epoch AND lease_until > {now}"
        place = f"SELECT id, last_seq, head, lease_until > {now} FROM thread"
        grown = "last_seq = :seq, head = :head, attempts = 0"
        return cls(
            lock_conversation=text(f"{place} WHERE conversation_key = :key{lock}"),
            lock_thread=text(f"{place} WHERE id = :id{lock}"),
            due=text(
                f"SELECT id FROM thread WHERE {due} AND lease_until <= {now} ORDER BY not_before, id LIMIT :limit"
            ),
            due_untold=text(
                f"SELECT id, epoch FROM thread WHERE {due} AND lease_until <= {now} AND NOT EXISTS (SELECT FROM "
                "procrastinate_jobs WHERE procrastinate_jobs.status = 'todo' AND args ->> 'thread_id' = thread.id) "
                "ORDER BY not_before, id LIMIT :limit"
            ),
            claim=_claim(now, due),
            grow_held=_grow_held(now),
            append=text(f"UPDATE thread SET {grown} WHERE {held} AND last_seq = :after"),
            release=text(
                f"UPDATE thread SET {grown}, done_seq = :seq, lease_until = 0, wake_at = :wake "
                f"WHERE {held} AND last_seq = :after"
            ),
            hand_back=text("UPDATE thread SET lease_until = 0 WHERE id = :id AND epoch = :epoch AND lease_until > 0"),
            give_up=text(
                "UPDATE thread SET lease_until = 0, attempts = attempts + :failed, not_before = :not_before, "
                f"status = CASE WHEN attempts + :failed >= {STALLED_AFTER} THEN 'stalled' ELSE status END "
                f"WHERE {held} RETURNING status"
            ),
            renew=text(f"UPDATE thread SET lease_until = {now} + :lease WHERE {held} RETURNING last_seq"),
            is_held=text(f"SELECT 1 FROM thread WHERE {held}"),
        )


def _claim(now: str, due: str) -> TextClause:
    """A lease that was not given back: whoever held the thread died of something, perhaps of the thread."""
    return text(
        f"UPDATE thread SET epoch = epoch + 1, lease_until = {now} + :lease, "
        "attempts = attempts + CASE WHEN lease_until > 0 THEN 1 ELSE 0 END "
        f"WHERE id = :id AND lease_until <= {now} AND {due} "
        "RETURNING epoch, last_seq, head, conversation, agent, attempts"
    )


def _grow_held(now: str) -> TextClause:
    """GROW and claim in one, of a thread whose row is locked and that nobody holds."""
    return text(
        "UPDATE thread SET last_seq = :seq, head = :head, status = 'active', not_before = 0, "
        "attempts = CASE WHEN lease_until > 0 THEN 1 ELSE 0 END, "
        f"epoch = epoch + 1, lease_until = {now} + :lease WHERE id = :id RETURNING epoch, conversation, agent, attempts"
    )
