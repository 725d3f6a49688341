"""What the pages say in sentences: where an approval stands, what each answer does, who said what, when. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from agent.thread import IT_HAPPENED, RUN_AGAIN, STOP, TRY_AGAIN
from approvals.card import Card, Vote

Tone = Literal["open", "good", "bad", "quiet"]

_VIA = {
    "slack": "in Slack",
    "mail": "by mail",
    "web": "on the web",
    "api": "over the API",
    "cli": "on the command line",
    "thread": "in the conversation",
}
_EFFECTS = {
    ("in_doubt", IT_HAPPENED): "It is not run again. The agent is told that it happened.",
    ("in_doubt", RUN_AGAIN): "It runs once more, as shown. If it had happened already, it happens twice.",
    ("in_doubt", STOP): "It is not run again. The agent is told that you stopped it.",
    ("trouble", TRY_AGAIN): "The agent goes on with its work.",
    ("trouble", STOP): "The agent stops and waits until somebody writes to it.",
}
_GIST = 160


@dataclass(frozen=True, slots=True)
class Stands:
    """Where an approval stands."""

    label: str
    tone: Tone
    sentence: str

    def __str__(self) -> str:
        return f"{self.label}. {self.sentence}" if self.tone == "open" else self.sentence


def stands(card: Card, now: datetime) -> Stands:
    """In a word, and in a sentence that says who, when and how. Without anybody's own words."""
    who = f"{card.decided_by or 'Somebody'} {_VIA.get(card.decided_via, '')}".strip()
    when = f" on {moment(card.decided_at)}" if card.decided_at else ""
    match card.status_at(now):
        case "open":
            left = f"It expires on {moment(card.expires_at)}, {span(card.expires_at - now)} from now."
            return Stands("Waiting for a decision", "open", left)
        case "approved":
            return Stands("Approved", "good", f"Approved by {who}{when}.")
        case "answered":
            return Stands("Answered", "good", f"Answered by {who}{when}.")
        case "rejected":
            return _rejected(card, f"{who}{when}")
        case "expired":
            return Stands("Expired", "quiet", f"Nobody decided before {moment(card.expires_at)}. Nothing was done.")
        case "cancelled":
            return Stands("Cancelled", "quiet", f"The work that needed this was stopped{when}. It was not done.")


def _rejected(card: Card, who: str) -> Stands:
    if not card.is_rejected_by_time:
        return Stands("Rejected", "bad", f"Rejected by {who}. It was not done.")
    said = f"Nobody decided before {moment(card.expires_at)}, and the policy takes that for a no. It was not done."
    return Stands("Rejected by time", "bad", said)


def outcome(card: Card) -> str:
    """What became of an approved call; empty where there is nothing to say."""
    if card.status != "approved":
        return ""
    return {"done": "It was carried out.", "failed": "It was tried, and failed:", "": "It has not finished yet."}[
        card.outcome
    ]


def effect_of(card: Card, choice: str) -> str:
    """What choosing that answer does, where the answer is one of ours."""
    return _EFFECTS.get((card.about, choice), "")


@dataclass(frozen=True, slots=True)
class Line:
    """A card in a list."""

    card: Card
    title: str
    gist: str
    """What would happen, cut where it is long: all of it is on its page."""
    stands: Stands
    is_waiting: bool

    @classmethod
    def of(cls, card: Card, now: datetime) -> "Line":
        """A plan is one line, which waits while one of its calls does."""
        waiting = [each for each in card.plan if each.status_at(now) == "open"]
        return cls(card, card.whole_title, _gist(card), stands(waiting[0] if waiting else card, now), bool(waiting))


def _gist(card: Card) -> str:
    told = card.preview or ", ".join(f"{each.name}: {each.value}" for each in card.arguments)
    text = " ".join(told[: 2 * _GIST].split())
    return text if len(text) <= _GIST else f"{text[:_GIST]}…"


def vote(said: Vote) -> str:
    """Who said what, where and when."""
    return f"{said.name or 'Somebody'} {said.said} {_VIA.get(said.via, '')}, {moment(said.at)}".replace(" ,", ",")


def masked(address: str) -> str:
    """An address that its owner knows again, and others do not learn."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def moment(at: datetime) -> str:
    """A moment for reading, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def span(length: timedelta) -> str:
    """How long, in the largest unit that says enough."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (size == 60 and seconds >= size):  # noqa: PLR2004 - "90 minutes", not "1 hour"
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "less than a minute"
