"""Events as facts for an auditor: who, what, by which rule, with which outcome, and where in the log it stands. Pure.

A fact has no text of messages, arguments or results: what `agent.redaction` leaves of an event is what is told of it,
and beside that who it was, why it was asked, and the reason a person gave. Arguments are told by their digest.
"""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, JsonValue

from agent.conversation import Identity
from agent.entries import Entry
from agent.events import Event, ModelResponded, TimerFired, ToolFailed
from agent.redaction import MARK, redacted

SKIPPED = ("model_failed", "reply_sent", "reply_failed")
"""Kinds of events that nothing was decided by."""
COLUMNS = (
    *("n", "at", "thread", "seq", "kind", "who", "name", "person", "via", "address", "user_agent"),
    *("approval", "call", "tool", "arguments", "digest", "rule", "why", "outcome", "reason", "more", "hash"),
)
"""Of a fact, in this order. `n` counts all events of the database in the order they were written."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones are meant

_TOLD = (
    "kind",
    "at",
    "v",
    "by",
    "sender",
    "requester",
    "why",
    "title",
    "preview",
    "text",
    "reason",
    "decision",
    "vote",
    "attempt",
)
"""Fields of events that have a column of their own, or none."""

CONTINUED = "file_continued"
"""The kind of a line that is no fact: it says that what is before it is in another file."""

Fact = dict[str, JsonValue]


def fact(number: int, thread_id: str, entry: Entry, link: bytes) -> Fact | None:
    """What is told of an event; None for one that nothing was decided by."""
    event = entry.event
    if isinstance(event, ModelResponded) and not event.calls:
        return None
    if isinstance(event, TimerFired) and event.timer.startswith("retry"):
        return None
    left = _dump(redacted(event))
    by = getattr(event, "by", None)
    told: dict[str, Any] = {
        "n": number,
        "at": event.at.isoformat(),
        "thread": thread_id,
        "seq": entry.seq,
        "kind": event.kind,
        **_who(event, by),
        "approval": left.pop("approval_id", ""),
        "call": left.pop("call_id", ""),
        "tool": left.pop("tool", ""),
        "digest": left.pop("digest", ""),
        "rule": left.pop("rule", ""),
        **_words(event),
    }
    for name in _TOLD:
        left.pop(name, None)
    told["more"] = {**left, **_calls(event)}
    told["hash"] = link.hex()
    return {name: told[name] for name in COLUMNS if told.get(name) not in ("", None, {})}


def _who(event: Event, by: object) -> dict[str, Any]:
    """Who did it, as their channel knows them and as people.yaml does; and from where, where that is known."""
    who = getattr(by, "identity", by) or getattr(event, "sender", None) or getattr(event, "requester", None)
    if not isinstance(who, Identity):
        return {}
    return {
        "who": who.key,
        "name": who.name,
        "person": getattr(by, "person", "") or (who.id if who.channel in {"api", "cli"} else ""),
        "via": getattr(by, "via", who.channel),
        "address": getattr(by, "address", "") or getattr(by, "ip", ""),
        "user_agent": getattr(by, "user_agent", ""),
    }


def _words(event: Event) -> dict[str, Any]:
    """Why people were asked, how it came out, and what reason was given. Words of an answer are its reason."""
    decision, failed = getattr(event, "decision", None), isinstance(event, ToolFailed)
    outcome = _text(decision, "outcome") or _text(event, "vote") or _text(event, "attempt")
    found: dict[str, Any] = {
        "why": "" if failed else _text(event, "why"),
        "outcome": _text(event, "why") if failed else outcome,
        "reason": _text(decision, "reason") or _text(decision, "text") or _text(event, "reason"),
    }
    for each in (event, decision, getattr(event, "grant", None)):
        if arguments := getattr(each, "arguments", None):
            found["arguments"] = digest_of(arguments)
    if digest := _text(decision, "digest"):
        found["digest"] = digest
    return found


def _text(value: object, name: str) -> str:
    found = getattr(value, name, "")
    return found if isinstance(found, str) else ""


def _calls(event: Event) -> dict[str, Any]:
    """The calls that the model asked for: their tools, and the digests of their arguments."""
    if not isinstance(event, ModelResponded):
        return {}
    calls = [
        {"call": each.id, "tool": each.name, **({"arguments": digest_of(each.arguments)} if each.arguments else {})}
        for each in event.calls
    ]
    return {"calls": calls}


def digest_of(arguments: Mapping[str, JsonValue]) -> str:
    """SHA-256 of arguments as JSON with sorted names and no spaces: what an auditor can compute anew."""
    text = json.dumps(arguments, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _dump(value: BaseModel) -> dict[str, Any]:
    """Without what says nothing: defaults, and marks of what was taken out."""
    return {name: each for name, each in value.model_dump(mode="json", exclude_defaults=True).items() if each != MARK}


# --- how it is written ----------------------------------------------------------------------------------------------


def json_line(told: Fact) -> str:
    """One JSON object, with its line's end."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def csv_head() -> str:
    """The names of the columns."""
    return _row(list(COLUMNS))


def csv_line(told: Fact) -> str:
    """One row. No cell begins as a formula does: a spreadsheet would run what a stranger wrote."""
    return _row([safe_cell(told.get(name, "")) for name in COLUMNS])


def safe_cell(value: JsonValue) -> str:
    """A cell that every spreadsheet takes for text."""
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    is_number = isinstance(value, int)
    return f"'{said}" if not is_number and said.lstrip(" \u00a0\ufeff").startswith(_DANGEROUS) else said


def _row(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(each.replace("\x00", "") for each in cells)
    return out.getvalue()
