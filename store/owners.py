"""Whose threads are: read from the log itself, whose first event says who began it."""

import json
from collections.abc import Collection

from sqlalchemy import Connection, text

_FIRST = (
    "SELECT thread.id, thread.agent, event.body FROM thread JOIN event ON event.thread_id = thread.id "
    "AND event.seq = 1 WHERE thread.id IN ({})"
)
AT_ONCE = 500


def owners(connection: Connection, thread_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """The agent and the person (as `Identity.key` has it) of each of these, at most `AT_ONCE` of them."""
    values = {f"id{place}": each for place, each in enumerate(list(thread_ids)[:AT_ONCE])}
    if not values:
        return {}
    statement = text(_FIRST.format(", ".join(f":{name}" for name in values)))
    rows = connection.execute(statement, values).all()
    return {thread_id: (agent, _sender(body)) for thread_id, agent, body in rows}


def _sender(body: str) -> str:
    """Without making the whole event of it: this is read when there is much to do."""
    found = json.loads(body)
    sender = found.get("sender") if isinstance(found, dict) else None
    return f"{sender.get('channel')}:{sender.get('team', '')}:{sender.get('id')}" if isinstance(sender, dict) else ""
