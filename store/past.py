"""The threads there are, one after the other, for whoever looks back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from agent.conversation import ApiThread, MailThread, SlackThread
from agent.entries import Entry
from store import codec
from store.database import Database
from store.statements import ENTRIES

PAGE = 200
"""Threads looked up at a time."""

_WITH_CALLS = (
    "SELECT id, conversation, agent FROM thread WHERE id > :after AND EXISTS (SELECT 1 FROM event "
    "WHERE thread_id = thread.id AND kind = 'model_responded' AND at >= :since) ORDER BY id LIMIT :limit"
)
_NAMED = text("SELECT id, conversation, agent FROM thread WHERE id = :id")
_EVER = -(2**62)


@dataclass(frozen=True, slots=True)
class PastThread:
    """A thread, and its log as it is at this moment."""

    id: str
    conversation: SlackThread | MailThread | ApiThread
    agent: str
    entries: tuple[Entry, ...]


async def threads(database: Database, since: datetime | None = None, page: int = PAGE) -> AsyncIterator[PastThread]:
    """Every thread on which the model has answered since then, by id. The log of only one is held at a time."""
    after, statement = "", text(_WITH_CALLS)
    while True:
        values = {"after": after, "since": codec.micros(since) if since else _EVER, "limit": page}
        rows = await database.read(lambda c, values=values: c.execute(statement, values).all())  # type: ignore[misc]  # a lambda with a default
        for thread_id, conversation, agent in rows:
            after = thread_id
            yield PastThread(thread_id, codec.conversation(conversation), agent, await _entries(database, thread_id))
        if len(rows) < page:
            return


async def thread(database: Database, thread_id: str) -> PastThread | None:
    """That one; None when there is no such."""
    row = await database.read(lambda c: c.execute(_NAMED, {"id": thread_id}).one_or_none())
    if row is None:
        return None
    return PastThread(row[0], codec.conversation(row[1]), row[2], await _entries(database, thread_id))


async def _entries(database: Database, thread_id: str) -> tuple[Entry, ...]:
    values = {"id": thread_id, "after": 0}
    return await database.read(lambda c: codec.entries(c.execute(ENTRIES, values).all()))
