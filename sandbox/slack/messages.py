"""Messages: values, and the store that keeps every version of each. Timestamps are made here and only rise."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.slack.blocks import interactive
from sandbox.slack.refused import Json

Clock = Callable[[], float]
"""Seconds since the epoch."""
IdMaker = Callable[[str], str]
"""A fresh id that begins with the prefix."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where a streamed message stands. `ended` is empty while it runs."""

    started: float
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands now. `seen_by` names the one reader of an ephemeral message."""

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: tuple[Json, ...] = ()
    thread_ts: str = ""
    parent_user: str = ""
    subtype: str = ""
    team: str = ""
    bot_id: str = ""
    app_id: str = ""
    seen_by: str = ""
    edited: tuple[str, str] = ("", "")
    metadata: Json | None = None
    reactions: tuple[tuple[str, str], ...] = ()
    files: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    stream: Stream | None = None
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def is_reply(self) -> bool:
        """In a thread and not its root."""
        return bool(self.thread_ts) and self.thread_ts != self.ts

    def as_json(self) -> Json:
        """The message object of the API and of events."""
        body: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": self.team}
        optional: Json = {
            "subtype": self.subtype,
            "thread_ts": self.thread_ts,
            "parent_user_id": self.parent_user,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": list(self.blocks),
            "files": list(self.files),
            "attachments": list(self.attachments),
            "edited": {"user": self.edited[0], "ts": self.edited[1]} if self.edited[0] else None,
            "reactions": self._reactions(),
        }
        body |= {key: value for key, value in optional.items() if value}
        if not self.user:
            del body["user"]
        return body | dict(self.extra)

    def _reactions(self) -> list[Json]:
        grouped: dict[str, list[str]] = {}
        for name, user in self.reactions:
            grouped.setdefault(name, []).append(user)
        return [{"name": name, "users": users, "count": len(users)} for name, users in grouped.items()]


def element_in(blocks: Iterable[Json], action_id: str, value: str | None = None) -> tuple[Json, Json] | None:
    """The (block, element) a person would use; `value` picks among buttons and menus that share an action id."""
    for block in blocks:
        for element in interactive(block):
            if element.get("action_id") == action_id and (value is None or _has(element, value)):
                return block, element
    return None


def _has(element: Json, value: str) -> bool:
    match element["type"]:
        case "button":
            return bool(element.get("value") == value)
        case "overflow":
            return any(option["value"] == value for option in element["options"])
        case _:
            return True


@dataclass
class Messages:
    """Every message ever said, in order, with its earlier versions; a deleted one keeps them too."""

    clock: Clock
    _last: int = 0
    _now: dict[tuple[str, str], Message] = field(default_factory=dict)
    _earlier: dict[tuple[str, str], list[Message]] = field(default_factory=dict)

    def next_ts(self) -> str:
        """A timestamp later than every one before, by at least a microsecond."""
        self._last = max(self._last + 1, int(self.clock() * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def put(self, message: Message) -> Message:
        """Add or replace."""
        key = (message.channel, message.ts)
        self._now[key] = message
        self._earlier.setdefault(key, []).append(message)
        return message

    def change(self, message: Message, **fields: Any) -> Message:  # noqa: ANN401 - whatever fields a Message has
        """Replace some fields of what is there now."""
        return self.put(replace(message, **fields))

    def drop(self, message: Message) -> None:
        """Delete."""
        del self._now[(message.channel, message.ts)]

    def get(self, channel: str, ts: str) -> Message | None:
        """The message as it stands, or None."""
        return self._now.get((channel, ts))

    def versions(self, channel: str, ts: str) -> tuple[Message, ...]:
        """Every version, oldest first; a person with a stale screen may still click an older one."""
        return tuple(self._earlier.get((channel, ts), ()))

    def in_channel(self, channel: str) -> Iterator[Message]:
        """All that everybody sees, oldest first."""
        found = (m for m in self._now.values() if m.channel == channel and not m.seen_by)
        return iter(sorted(found, key=lambda message: message.ts))

    def thread(self, channel: str, root: str) -> list[Message]:
        """The root and its replies, oldest first."""
        return [m for m in self.in_channel(channel) if root in {m.ts, m.thread_ts}]

    def ephemeral(self, channel: str = "", user: str = "") -> list[Message]:
        """Messages for one reader, oldest first."""
        found = (m for m in self._now.values() if m.seen_by)
        return [m for m in found if channel in {"", m.channel} and user in {"", m.seen_by}]
