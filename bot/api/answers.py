"""What callers are given. Frozen; fields are added, never renamed."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from agent.conversation import ApiThread, JsonObject, MailThread, SlackThread, Value
from agent.events import Event
from agent.grant import GrantStatus
from agent.verdict import ApprovalKind
from approvals.card import CardStatus

ThreadStatus = Literal["working", "waiting", "idle", "closed", "cancelled", "stalled"]


class ThreadId(Value):
    """The thread that a request went to."""

    id: str


class PlacedEvent(Value):
    """An event of the log, at its place."""

    seq: int
    event: Event


class ReplyOut(Value):
    """Something that the agent said."""

    id: str
    at: datetime
    text: str = Field(description="Markdown.")
    status: Literal["pending", "sent", "failed"] = Field(
        description="Where it is on its way to the channel; a thread launched here is its own channel."
    )


class VoteOut(Value):
    """What one of several people has said."""

    name: str
    vote: Literal["approve", "reject"]
    via: str = Field(description="Where: slack, mail, web, api or cli.")
    at: datetime


class RemarkOut(Value):
    """What an approver asked the agent."""

    name: str
    question: str
    answer: str = Field(description="The agent's; empty until it has answered.")


class ApprovalOut(Value):
    """An approval: what would happen, who is asked, and what was decided."""

    id: str
    thread_id: str
    about: ApprovalKind
    status: CardStatus
    title: str
    tool: str
    arguments: JsonObject = Field(description="As they stand: what the digest is of.")
    proposed_arguments: JsonObject = Field(
        description="As the agent proposed them; others than `arguments` once somebody changed them."
    )
    changed_by: str = Field(description="Who changed the arguments so that others must approve them, while it is open.")
    digest: str = Field(description="To be sent back with a decision to approve.")
    parameters: JsonObject = Field(description="JSON schema of the arguments; empty when it is not about a call.")
    preview: str
    why: str
    rule: str
    choices: tuple[str, ...]
    requester: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str
    decided_via: str
    decided_at: datetime | None
    approved_arguments: JsonObject | None = Field(description="What was approved, when the approver changed it.")
    reason: str = Field(description="Of a rejection; or the words of an answer.")
    outcome: Literal["", "done", "failed"] = Field(description="What became of the approved call.")
    outcome_text: str
    needs: str = Field(description="Whose approval it takes, in words; empty where one person's is enough.")
    votes: tuple[VoteOut, ...] = Field(description="Who has said what so far, where it takes several people.")
    remarks: tuple[RemarkOut, ...] = Field(description="What approvers asked the agent, and its answers.")
    is_escalated: bool = Field(description="Whether more people were asked since nobody had decided.")
    may_grant: bool = Field(description="Whether like calls may be let run without being asked about again.")
    plan: str = Field(description="Of several calls of one answer: the id of the approval whose card shows them all.")
    granted: tuple[str, ...] = Field(
        description="What was let run with it, in words, without being asked about again. `GET /api/grants` has more."
    )
    mates: tuple["ApprovalOut", ...] = Field(
        description="The other calls of the plan, where this approval's card shows them; decide them together."
    )


class GrantWords(Value):
    """What a grant would let run."""

    words: str


class GrantOut(Value):
    """A grant: what runs under it without being asked about, and what became of it."""

    id: str
    words: str = Field(description="All that it lets run.")
    status: GrantStatus
    tool: str
    arguments: JsonObject | None = Field(description="Exactly these; `{}` for none at all; null: the condition says.")
    condition: str
    thread_id: str = Field(description="Only in this thread; empty for any.")
    requester: str = Field(description="Only when this person (id in people.yaml) asks; empty for anyone.")
    until: datetime
    uses: int | None = Field(description="How often at most; null for as often as the time allows.")
    used: int
    approval_id: str = Field(description="The approval with which it was given.")
    given_in: str = Field(description="The thread of that approval.")
    given_by: str = Field(description="Person id.")
    given_at: datetime
    revoked_by: str
    revoked_at: datetime | None
    reason: str = Field(description="Why it was taken back.")


class GrantList(Value):
    """Grants, the soonest to end first; at most 200."""

    grants: tuple[GrantOut, ...]


class ThreadOut(Value):
    """A thread: where it stands, and all that happened on it."""

    id: str
    status: ThreadStatus = Field(
        description="working: the agent has something to do. waiting: a person has. idle: everything is answered. "
        "closed, cancelled: until somebody writes again. stalled: it failed too often, and waits for an operator."
    )
    conversation: SlackThread | MailThread | ApiThread
    events: tuple[PlacedEvent, ...]
    replies: tuple[ReplyOut, ...]
    approvals: tuple[ApprovalOut, ...] = Field(description="The open ones.")


class ApprovalList(Value):
    """Approvals, the soonest to expire first; at most 100."""

    approvals: tuple[ApprovalOut, ...]
