"""Events to rows and back, the chain that links them, and the steps that bring old events up to date."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

from pydantic import JsonValue, TypeAdapter

from agent.conversation import ApiThread, Conversation, MailThread, SlackThread
from agent.entries import Entry
from agent.events import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

KINDS: dict[str, type[Event]] = {cls.model_fields["kind"].default: cls for cls in get_args(get_args(Event)[0])}
_CONVERSATION: TypeAdapter[SlackThread | MailThread | ApiThread] = TypeAdapter(Conversation)

Upcast = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]
UPCASTS: dict[tuple[str, int], Upcast] = {}
"""(kind, version) to the step that makes the next version of it. None is needed yet."""


@dataclass(frozen=True, slots=True)
class Link:
    """An event as it is written."""

    seq: int
    kind: str
    at: int
    body: str
    digest: bytes
    hash: bytes


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """The moment of so many microseconds since 1970."""
    return EPOCH + value * MICROSECOND


def genesis(thread_id: str) -> bytes:
    """What the first event of a thread is chained to."""
    return hashlib.sha256(f"twokey:{thread_id}".encode()).digest()


def chained(events: Sequence[Event], after: int, head: bytes) -> list[Link]:
    """The events as they are written behind place `after`, whose hash is `head`."""
    links: list[Link] = []
    for seq, event in enumerate(events, start=after + 1):
        at = micros(event.at)
        body = body_of(event)
        digest = digest_of(body)
        head = link_hash(head, seq, event.kind, at, digest)
        links.append(Link(seq, event.kind, at, body, digest, head))
    return links


def body_of(event: Event) -> str:
    """The event as its row has it, without kind and moment.

    Half a character, which no UTF-8 can carry, becomes a question mark: no text of anybody's may stop a thread.
    """
    if event.v != 1:  # a default is left out, and a reader takes what has no version for the first
        values = event.model_dump(mode="json", exclude={"kind", "at"}, exclude_defaults=True)
        return json.dumps({"v": event.v, **values}, ensure_ascii=False).encode("utf-8", "replace").decode()
    try:
        return event.model_dump_json(exclude={"kind", "at"}, exclude_defaults=True)
    except ValueError:
        values = event.model_dump(mode="json", exclude={"kind", "at"}, exclude_defaults=True)
        return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace").decode()


def digest_of(body: str) -> bytes:
    """SHA-256 of a body."""
    return hashlib.sha256(body.encode()).digest()


def link_hash(before: bytes, seq: int, kind: str, at: int, digest: bytes) -> bytes:
    """The hash that links an event to the one before it. Covers the digest, so that a body may be redacted."""
    return hashlib.sha256(b"%b|%d|%b|%d|%b" % (before, seq, kind.encode(), at, digest)).digest()


def entry(seq: int, kind: str, at: int, body: str) -> Entry:
    """The event at its place, whatever version it was written in."""
    values: dict[str, JsonValue] = json.loads(body)
    while (step := UPCASTS.get((kind, int(str(values.get("v", 1)))))) is not None:
        values = step(values)
    values["at"] = moment(at)  # type: ignore[assignment]  # Pydantic takes a datetime as it is
    return Entry(seq, KINDS[kind].model_validate(values))


def entries(rows: Iterable[Sequence[object]]) -> tuple[Entry, ...]:
    """Rows of (seq, kind, at, body) as entries."""
    return tuple(entry(*row) for row in rows)  # type: ignore[arg-type]  # the columns have these types


def conversation(text: str) -> SlackThread | MailThread | ApiThread:
    """The conversation of a thread row."""
    return _CONVERSATION.validate_json(text)
