"""An approval as people see it, whatever shows it: Slack, mail, web page, REST, command line.

One builder, so that every surface says the same. All texts are plain and unescaped; each surface escapes for itself.
Arguments are JSON texts in the order the tool declares them, in full: a surface that must cut says so.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from agent.conversation import Identity
from agent.events import ApprovalDecided, ApprovalRequested, ToolFailed, ToolReturned
from agent.verdict import Answered, ApprovalKind, Approved, Cancelled, Expired, Rejected

SUBJECT_MOST = 60

CardStatus = Literal["open", "approved", "rejected", "expired", "cancelled", "answered"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name and its value, both as text."""

    name: str
    value: str
    was: str = ""
    """What the agent had proposed, when the approver changed it."""


@dataclass(frozen=True, slots=True)
class Card:
    """All that a person needs in order to decide, or to see what was decided."""

    approval_id: str
    thread_id: str
    about: ApprovalKind
    title: str
    """What would happen, in a line."""
    tool: str
    arguments: tuple[Argument, ...]
    preview: str
    why: str
    """Why somebody is asked, in words."""
    rule: str
    requester: str
    """Name of whoever asked the agent."""
    asked_at: datetime
    expires_at: datetime
    digest: str
    choices: tuple[str, ...]
    """The answers offered; empty for a plain approval and for a question in free words."""
    status: CardStatus = "open"
    decided_by: str = ""
    decided_via: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    """The reason of a rejection or cancellation, or the words of an answer."""
    outcome: Literal["", "done", "failed"] = ""
    """What became of the approved call."""
    outcome_text: str = ""
    remind_at: tuple[datetime, ...] = ()
    """When people are reminded of it, while it is open."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be decided."""
        return self.status == "open"

    @property
    def can_edit(self) -> bool:
        """Whether changed arguments make sense."""
        return self.is_open and self.about == "call"


def build(
    thread_id: str,
    request: ApprovalRequested,
    decided: ApprovalDecided | None = None,
    outcome: ToolReturned | ToolFailed | None = None,
    *,
    decided_by: str = "",
    requester: str = "",
) -> Card:
    """The card for an approval as the log has it. `decided_by` and `requester` are people's names, where known."""
    edited = decided.decision.arguments if decided and isinstance(decided.decision, Approved) else None
    return Card(
        approval_id=request.approval_id,
        thread_id=thread_id,
        about=request.about,
        title=request.title if edited is None else title_of(request.tool, _in_order(edited, request.arguments)),
        tool=request.tool,
        arguments=_arguments(request, edited),
        preview=request.preview if edited is None else "",  # it told of what was proposed
        why=request.why,
        rule=request.rule,
        requester=requester or name_of(request.requester),
        asked_at=request.at,
        expires_at=request.expires_at,
        digest=request.digest,
        choices=request.choices,
        status=decided.decision.outcome if decided else "open",
        decided_by=decided_by or (name_of(decided.by.identity) if decided and decided.by else ""),
        decided_via=decided.by.via if decided and decided.by else "",
        decided_at=decided.at if decided else None,
        reason=_reason(decided),
        outcome=_outcome(outcome),
        outcome_text=outcome.error if isinstance(outcome, ToolFailed) else "",
        remind_at=request.remind_at,
    )


def title_of(tool: str, arguments: Mapping[str, JsonValue]) -> str:
    """What would happen, in a line: the tool, and the first argument that is short enough to name the subject."""
    what = tool.replace("_", " ").capitalize()
    subject = next((text for value in arguments.values() if (text := _subject(value))), "")
    return f"{what}: {subject}" if subject else what


def _subject(value: JsonValue) -> str:
    """A text or a number that can be read at a glance; empty for anything else, and for what hides characters."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).strip()
    return text if len(text) <= SUBJECT_MOST and text.isprintable() else ""


def name_of(identity: Identity | None) -> str:
    """How to call somebody: their name, else their id."""
    return (identity.name or identity.id) if identity else ""


def as_text(value: JsonValue) -> str:
    """A value for reading: strings as they are, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _in_order(arguments: dict[str, JsonValue], like: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: arguments[name] for name in like if name in arguments} | arguments


def _arguments(request: ApprovalRequested, edited: dict[str, JsonValue] | None) -> tuple[Argument, ...]:
    if edited is None:
        return tuple(Argument(name, as_text(value)) for name, value in request.arguments.items())
    found = []
    for name in {**request.arguments, **edited}:
        now = as_text(edited[name]) if name in edited else "(left out)"
        was = as_text(request.arguments[name]) if name in request.arguments else "(left out)"
        found.append(Argument(name, now, "" if now == was else was))
    return tuple(found)


def _reason(decided: ApprovalDecided | None) -> str:
    match decided.decision if decided else None:
        case Rejected(reason=reason) | Cancelled(reason=reason):
            return reason
        case Answered(text=text):
            return text
        case Approved() | Expired() | None:
            return ""


def _outcome(outcome: ToolReturned | ToolFailed | None) -> Literal["", "done", "failed"]:
    if outcome is None:
        return ""
    return "done" if isinstance(outcome, ToolReturned) else "failed"
