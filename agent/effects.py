"""What the reducer asks of the world: imperative, frozen, and nothing that does anything by itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.events import ToolCall
from agent.verdict import ApprovalKind, Approvers, OnTimeout

Place = Literal["thread", "direct", "mail"]
"""Where a card is shown: where the agent was asked, in a message to each approver, in a mail to each."""


@dataclass(frozen=True, slots=True)
class Allow:
    """The policy lets the call run."""

    rule: str


@dataclass(frozen=True, slots=True)
class Deny:
    """The policy never lets the call run."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """Whom else to ask when nobody has decided after so long."""

    after: float
    """Seconds since it was asked."""
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """The call waits until those entitled have decided."""

    rule: str
    why: str
    approvers: Approvers
    timeout: float | None = None
    """Seconds until it expires; None for the deployment's HUMAN_APPROVAL_TIMEOUT."""
    show_on: tuple[Place, ...] = ("thread", "mail")
    reminders: int | None = None
    """How often people are reminded; None for the deployment's HUMAN_APPROVAL_RETRIES."""
    escalation: tuple[Step, ...] = ()
    on_timeout: OnTimeout = "expire"
    in_business_hours: bool = False
    """Whether timeout, reminders and escalation count business hours only."""
    may_grant: bool = False
    """Whether an approver may let like calls run without being asked again."""


Verdict = Allow | Deny | Ask


@dataclass(frozen=True, slots=True)
class CallModel:
    """Show the thread to the model."""


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run these calls, side by side. `rules` names, by call id, what lets each of them run."""

    calls: tuple[ToolCall, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoreCalls:
    """Have a judge say of each of these how dangerous it is, before it runs."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class RefuseCall:
    """Do not run the call; tell the model why, so that it can mend it."""

    call: ToolCall
    why: Literal["invalid", "denied"]
    error: str


@dataclass(frozen=True, slots=True)
class RequestApproval:
    """Ask people, and go on when they have decided."""

    about: ApprovalKind
    ask: Ask
    call: ToolCall | None = None
    question: str = ""
    choices: tuple[str, ...] = ()
    limit: str = ""
    """Which bound was reached, when that is what the question is about."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """Nobody has decided for a while: ask those whom the policy names for that, too."""

    approval_id: str


@dataclass(frozen=True, slots=True)
class AnswerRemark:
    """An approver asked something on the card: have the model answer. The call keeps waiting."""

    approval_id: str
    number: int
    """Which remark, from 1."""


@dataclass(frozen=True, slots=True)
class TakeAnswer:
    """A message in the thread answers the question that is open there."""

    approval_id: str
    message_seq: int
    text: str
    """The words, or the choice that they name."""


@dataclass(frozen=True, slots=True)
class SendReply:
    """Say this in the conversation."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until something is appended, or until the moment named."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """The work was finished with these words."""

    summary: str


Effect = (
    CallModel
    | ScoreCalls
    | RunTool
    | RefuseCall
    | RequestApproval
    | Escalate
    | AnswerRemark
    | TakeAnswer
    | SendReply
    | Wait
    | Stop
)
