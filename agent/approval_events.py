"""The facts of asking people: requests, votes, changes, decisions, and the grants that came of them.

The rules of `agent.events` hold here, too; it lists these among its own.
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from agent.conversation import Address, Identity, JsonObject
from agent.fact import Fact, PromptStamp, Usage
from agent.verdict import ApprovalKind, Approvers, Decider, Decision, Escalation, Grant, OnTimeout


class ApprovalRequested(Fact):
    """People were asked: about a call, a question of the agent's, a call in doubt, or trouble."""

    kind: Literal["approval_requested"] = "approval_requested"
    approval_id: str
    about: ApprovalKind
    call_id: str = ""
    tool: str = ""
    arguments: JsonObject = Field(default_factory=dict)
    digest: str = ""
    title: str
    why: str
    rule: str
    preview: str = ""
    choices: tuple[str, ...] = ()
    requester: Identity | None = None
    """Whoever wrote last of what the model had been shown."""
    asked_by: tuple[Identity, ...] = ()
    """Everybody who wrote since the work began; none of them is the second person that a policy may want."""
    approvers: Approvers
    expires_at: datetime
    remind_at: tuple[datetime, ...] = ()
    shown_on: tuple[Address, ...] = ()
    plan: str = ""
    """The approval whose card shows this one, too: several calls of one answer are one plan."""
    escalations: tuple[Escalation, ...] = ()
    on_timeout: OnTimeout = "expire"
    may_grant: bool = False


class ApprovalVoted(Fact):
    """One of several people whose say it takes has had it."""

    kind: Literal["approval_voted"] = "approval_voted"
    approval_id: str
    version: int
    """How many votes and amendments there had been: it counts only if there are no more by now."""
    vote: Literal["approve", "reject"]
    digest: str
    """Of what was approved."""
    reason: str = ""
    by: Decider


class ApprovalAmended(Fact):
    """An approver changed the arguments to some that others must approve. Votes on what was there before are void."""

    kind: Literal["approval_amended"] = "approval_amended"
    approval_id: str
    version: int
    arguments: JsonObject
    digest: str
    title: str
    why: str
    rule: str
    preview: str = ""
    approvers: Approvers
    shown_on: tuple[Address, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    """Of the rule that asks now, in place of those from before; counted anew."""
    may_grant: bool = False
    by: Decider


class ApprovalEscalated(Fact):
    """Nobody decided for a while, and more people were asked."""

    kind: Literal["approval_escalated"] = "approval_escalated"
    approval_id: str
    step: int
    """Which escalation, from 1."""
    approvers: Approvers
    """Who may decide from now on."""
    shown_on: tuple[Address, ...] = ()


class ApprovalRemarked(Fact):
    """An approver asked the agent something, without deciding."""

    kind: Literal["approval_remarked"] = "approval_remarked"
    approval_id: str
    text: str
    by: Decider


class RemarkAnswered(Fact):
    """The agent's answer to an approver's question."""

    kind: Literal["remark_answered"] = "remark_answered"
    approval_id: str
    number: int
    """Which remark, from 1."""
    text: str
    usage: Usage = Usage()


class DecisionRefused(Fact):
    """Somebody tried to decide who may not, or what can no longer be decided."""

    kind: Literal["decision_refused"] = "decision_refused"
    approval_id: str
    attempt: Literal["approve", "reject", "answer", "remark", "grant", "revoke"]
    reason: str
    by: Decider


class GrantGiven(Fact):
    """An approver lets like calls run without being asked again."""

    kind: Literal["grant_given"] = "grant_given"
    approval_id: str
    """The approval on whose card it was given."""
    grant: Grant
    by: Decider


class GrantUsed(Fact):
    """A call that would have been asked about runs under a grant."""

    kind: Literal["grant_used"] = "grant_used"
    grant_id: str
    call_id: str
    tool: str
    digest: str
    rule: str
    """The policy's rule that would have had somebody asked."""
    given_by: str
    """Person id of the giver."""


class GrantRevoked(Fact):
    """A grant was taken back."""

    kind: Literal["grant_revoked"] = "grant_revoked"
    grant_id: str
    reason: str = ""
    by: Decider


class CallScored(Fact):
    """How dangerous a judge found a call that the policy lets run."""

    kind: Literal["call_scored"] = "call_scored"
    call_id: str
    digest: str
    score: float
    """0 harmless to 1 dangerous; 1 when there was no judgement."""
    reason: str
    """In the judge's own words, which others' words may have put into its mouth."""
    prompt: PromptStamp | None = None
    model: str = ""
    usage: Usage = Usage()


class ApprovalDecided(Fact):
    """The one outcome of an approval."""

    kind: Literal["approval_decided"] = "approval_decided"
    approval_id: str
    version: int = 0
    """As of a vote. Counts only where a person decided."""
    decision: Decision
    by: Decider | None = None
    """None when time or a cancellation decided. Of several, whoever was the last that it took."""
