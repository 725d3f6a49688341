"""An approval as people see it, whatever shows it: Slack, mail, web page, REST, command line.

One builder, so that every surface says the same. All texts are plain and unescaped; each surface escapes for itself.
Arguments are JSON texts in the order the tool declares them, in full: a surface that must cut says so.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

from pydantic import JsonValue

from agent.approval import ApprovalRecord, Remark
from agent.conversation import Identity, JsonObject
from agent.events import ApprovalDecided, ToolFailed, ToolReturned
from agent.verdict import Answered, ApprovalKind, Approved, Cancelled, Decider, Expired, Rejected
from approvals import grant_words
from approvals.quorum import in_words

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
class Vote:
    """What one of several has said."""

    name: str
    vote: Literal["approve", "reject"]
    via: str
    at: datetime

    @property
    def said(self) -> Literal["approved", "rejected"]:
        """What they did by it."""
        return "approved" if self.vote == "approve" else "rejected"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an approver wanted to know, and the agent's answer once there is one."""

    name: str
    question: str
    answer: str = ""


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
    needs: str = ""
    """Whose approval it takes, in words, where it takes more than one person's."""
    votes: tuple[Vote, ...] = ()
    """Who has said what so far, where it takes more than one person."""
    remarks: tuple[Asked, ...] = ()
    """What approvers wanted to know."""
    changed_by: str = ""
    """Who changed the arguments that are shown, while it is open."""
    amended_at: datetime | None = None
    """When they did."""
    is_escalated: bool = False
    """Whether more people were asked since nobody had decided."""
    may_grant: bool = False
    """Whether like calls may be let run without being asked again."""
    revision: int = 1
    """Grows with everything that is shown of it."""
    changed_at: datetime | None = None
    """When it last grew; None when it never has."""
    granted: tuple[str, ...] = ()
    """What is let run from now on without being asked about again, in words."""
    mates: tuple["Card", ...] = ()
    """The other calls of the same plan, shown on this card."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be decided."""
        return self.status == "open"

    def status_at(self, now: datetime) -> CardStatus:
        """How it stands then: what nobody decided in time has expired, also while nobody has noted that yet."""
        return "expired" if self.is_open and self.expires_at <= now else self.status

    @property
    def is_rejected_by_time(self) -> bool:
        """Whether nobody said no: nobody decided in time, and the policy takes that for a no."""
        return self.status == "rejected" and not self.decided_by

    @property
    def can_edit(self) -> bool:
        """Whether changed arguments make sense."""
        return self.is_open and self.about == "call"

    @property
    def plan(self) -> tuple["Card", ...]:
        """All the calls that this card is about, itself the first."""
        return (self, *self.mates)

    @property
    def whole_title(self) -> str:
        """What it is about, in a line; of a plan, how many calls there are besides."""
        return f"{self.title}, and {len(self.mates)} more" if self.mates else self.title

    @property
    def waiting(self) -> tuple["Card", ...]:
        """Its calls that can still be decided."""
        return tuple(each for each in self.plan if each.is_open)

    @property
    def is_pending(self) -> bool:
        """Whether some call of it can still be decided."""
        return bool(self.waiting)


Name = Callable[[Decider | Identity | None], str]
"""What to call somebody; empty for nobody."""


def build(thread_id: str, record: ApprovalRecord, name: Name, mates: Iterable[ApprovalRecord] = ()) -> Card:
    """The card for an approval as the log has it, and for the others of its plan."""
    request, decided, outcome = record.request, record.decided, record.outcome
    shown = _shown(request.arguments, decided)
    is_edited = shown != request.arguments
    return Card(
        approval_id=request.approval_id,
        thread_id=thread_id,
        about=request.about,
        title=title_of(request.tool, shown) if is_edited else request.title,
        tool=request.tool,
        arguments=_arguments(record.asked.arguments, shown),
        preview="" if is_edited else request.preview,  # it told of what was proposed
        why=request.why,
        rule=request.rule,
        requester=name(request.requester),
        asked_at=request.at,
        expires_at=request.expires_at,
        digest=request.digest,
        choices=request.choices,
        status=decided.decision.outcome if decided else "open",
        decided_by=name(decided.by) if decided else "",
        decided_via=decided.by.via if decided and decided.by else "",
        decided_at=decided.at if decided else None,
        reason=_reason(decided),
        outcome=_outcome(outcome),
        outcome_text=outcome.error if isinstance(outcome, ToolFailed) else "",
        remind_at=request.remind_at,
        needs=in_words(request.approvers),
        votes=tuple(Vote(name(each.by), each.vote, each.by.via, each.at) for each in record.votes),
        remarks=tuple(_asked(each, name) for each in record.remarks),
        changed_by=name(record.amendments[-1].by) if record.amendments and not decided else "",
        amended_at=record.amendments[-1].at if record.amendments and not decided else None,
        is_escalated=record.escalated > 0,
        may_grant=request.may_grant and request.approvers.takes_one and not record.amendments,
        revision=record.revision,
        changed_at=record.changed_at,
        granted=tuple(grant_words.in_words(each.grant, partial(_called, name)) for each in record.grants),
        mates=tuple(build(thread_id, each, name) for each in mates),
    )


def _shown(arguments: JsonObject, decided: ApprovalDecided | None) -> JsonObject:
    """Those that were approved, if an approver changed them with their yes."""
    approved = decided.decision.arguments if decided and isinstance(decided.decision, Approved) else None
    return arguments if approved is None else _in_order(approved, arguments)


def _called(name: Name, person: str) -> str:
    """What to call the person of an id."""
    return name(Identity(channel="api", id=person))


def _asked(remark: Remark, name: Name) -> Asked:
    return Asked(name(remark.asked.by), remark.asked.text, remark.answer.text if remark.answer else "")


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


def _arguments(proposed: JsonObject, shown: JsonObject) -> tuple[Argument, ...]:
    found = []
    for name in {**proposed, **shown}:
        now = as_text(shown[name]) if name in shown else "(left out)"
        was = as_text(proposed[name]) if name in proposed else "(left out)"
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
