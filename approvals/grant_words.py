"""What a grant lets run, in words: read from exactly what is stored, before it is given and ever after. Pure."""

import json
from collections.abc import Callable

from agent.verdict import Grant

Names = Callable[[str], str]
"""What to call the person of an id."""


def in_words(grant: Grant, names: Names = str) -> str:
    """What it covers, all of it. Plain text in which values stand as JSON; each surface escapes for itself."""
    return "; ".join((f"{grant.tool} {_which(grant)}", _whose(grant, names), _how_long(grant)))


def _which(grant: Grant) -> str:
    where = f" where {grant.condition}" if grant.condition else ""
    if grant.arguments is None:
        return where.strip()
    given = ", ".join(f"{name}={as_json(value)}" for name, value in grant.arguments.items())
    return (f"with exactly {given}" if given else "without any arguments") + where


def _whose(grant: Grant, names: Names) -> str:
    places = [f"only in thread {grant.thread_id}"] if grant.thread_id else []
    people = [f"only when {names(grant.requester)} asks"] if grant.requester else []
    return " and ".join(places + people) or "whoever asks, in any thread"


def _how_long(grant: Grant) -> str:
    until = f"until {grant.until:%Y-%m-%d %H:%M:%S} UTC"
    if grant.uses is None:
        return f"{until}, any number of times"
    return f"{until}, at most {'once' if grant.uses == 1 else f'{grant.uses} times'}"


def as_json(value: object) -> str:
    """A value as JSON, on one line."""
    return json.dumps(value, ensure_ascii=False)
