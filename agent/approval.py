"""One approval as the log tells it: what was asked, what stands now, who said what, and how it ended.

`told(record, event)` folds one event of that approval, in the thread's order. The thread's state and every surface use
the same fold, so that what people see is what the reducer decides on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from agent.events import (
    ApprovalAmended,
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRemarked,
    ApprovalRequested,
    ApprovalVoted,
    DecisionRefused,
    Event,
    GrantGiven,
    RemarkAnswered,
    ToolFailed,
    ToolReturned,
)


@dataclass(frozen=True, slots=True)
class Remark:
    """A question that an approver put to the agent, and its answer once there is one."""

    asked: ApprovalRemarked
    answer: RemarkAnswered | None = None


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """All that is known of one approval."""

    asked: ApprovalRequested
    """As it was first asked."""
    request: ApprovalRequested
    """As it stands, after amendments and escalations."""
    version: int = 0
    """How many votes and amendments there were."""
    votes: tuple[ApprovalVoted, ...] = ()
    """On what stands now, the latest of each person, in their order."""
    amendments: tuple[ApprovalAmended, ...] = ()
    remarks: tuple[Remark, ...] = ()
    grants: tuple[GrantGiven, ...] = ()
    escalated: int = 0
    """How many of the request's escalations were made."""
    refused: int = 0
    """How many attempts to decide were refused."""
    decided: ApprovalDecided | None = None
    outcome: ToolReturned | ToolFailed | None = None
    revision: int = 1
    """Grows with everything that people are shown of it."""
    changed_at: datetime | None = None
    """When it last grew; None when it never has."""

    @property
    def unanswered(self) -> int:
        """The number of the first remark that waits for an answer; 0 when none does."""
        return next((number for number, each in enumerate(self.remarks, start=1) if each.answer is None), 0)


def opened(event: ApprovalRequested) -> ApprovalRecord:
    """The record of an approval that has just been asked for."""
    return ApprovalRecord(event, event)


def recorded(events: Iterable[Event]) -> ApprovalRecord | None:
    """The record that these events of one approval amount to; None when the first of them is missing."""
    record: ApprovalRecord | None = None
    for event in events:
        if isinstance(event, ApprovalRequested):
            record = opened(event)
        elif record is not None:
            record = told(record, event)
    return record


def told(record: ApprovalRecord, event: Event) -> ApprovalRecord:
    """The record after one more event of this approval. What does not concern it changes nothing."""
    if isinstance(event, DecisionRefused):
        return replace(record, refused=record.refused + 1)
    changed = _told(record, event)
    return record if changed is record else replace(changed, revision=record.revision + 1, changed_at=event.at)


def _told(record: ApprovalRecord, event: Event) -> ApprovalRecord:
    match event:
        case ApprovalVoted() | ApprovalAmended() | ApprovalEscalated():
            return _moved(record, event)
        case ApprovalRemarked() | RemarkAnswered():
            return replace(record, remarks=_remarks(record.remarks, event))
        case GrantGiven():
            return replace(record, grants=(*record.grants, event))
        case ApprovalDecided():
            return replace(record, decided=event)
        case ToolReturned() | ToolFailed():
            return replace(record, outcome=event)
        case _:
            return record


def _moved(record: ApprovalRecord, event: ApprovalVoted | ApprovalAmended | ApprovalEscalated) -> ApprovalRecord:
    """Nearer to a decision, or further from it."""
    match event:
        case ApprovalVoted():
            others = tuple(each for each in record.votes if each.by.person != event.by.person)
            return replace(record, version=event.version + 1, votes=(*others, event))
        case ApprovalAmended():
            return _amended(record, event)
        case ApprovalEscalated():
            request = record.request.model_copy(update={"approvers": event.approvers})
            return replace(record, request=request, escalated=event.step)


def _remarks(known: tuple[Remark, ...], event: ApprovalRemarked | RemarkAnswered) -> tuple[Remark, ...]:
    if isinstance(event, ApprovalRemarked):
        return (*known, Remark(event))
    return tuple(
        Remark(each.asked, event) if number == event.number else each for number, each in enumerate(known, start=1)
    )


def _amended(record: ApprovalRecord, event: ApprovalAmended) -> ApprovalRecord:
    names = ("arguments", "digest", "title", "why", "rule", "preview", "approvers", "escalations", "may_grant")
    now = {name: getattr(event, name) for name in names}
    return replace(
        record,
        request=record.request.model_copy(update=now),
        escalated=0,
        version=event.version + 1,
        votes=(),
        amendments=(*record.amendments, event),
    )
