"""The facts a thread consists of: past tense, frozen, typed, and never changed once written.

A thread is nothing but a list of these (factor 5: one state, factor 12: a stateless reducer). Rules:

- An event says what happened, not what to do about it; `agent.reducer` decides that.
- An event carries everything that a reader far away in time needs: no references to configuration.
- A new field has a default; a change of meaning is a new `v`, and `store.codec` upcasts the old one.
- Text from people and tools is data. Nothing in here is ever executed or trusted.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from agent.approval_events import (
    ApprovalAmended as ApprovalAmended,
)
from agent.approval_events import (
    ApprovalDecided as ApprovalDecided,
)
from agent.approval_events import (
    ApprovalEscalated as ApprovalEscalated,
)
from agent.approval_events import (
    ApprovalRemarked as ApprovalRemarked,
)
from agent.approval_events import (
    ApprovalRequested as ApprovalRequested,
)
from agent.approval_events import (
    ApprovalVoted as ApprovalVoted,
)
from agent.approval_events import (
    CallScored as CallScored,
)
from agent.approval_events import (
    DecisionRefused as DecisionRefused,
)
from agent.approval_events import (
    GrantGiven as GrantGiven,
)
from agent.approval_events import (
    GrantRevoked as GrantRevoked,
)
from agent.approval_events import (
    GrantUsed as GrantUsed,
)
from agent.approval_events import (
    RemarkAnswered as RemarkAnswered,
)
from agent.conversation import AttachmentNote, Identity, JsonObject, MailHeaders, Value
from agent.fact import Fact as Fact
from agent.fact import PromptStamp as PromptStamp
from agent.fact import ToolCall as ToolCall
from agent.fact import Usage as Usage


class MessageReceived(Fact):
    """Somebody wrote to us."""

    kind: Literal["message_received"] = "message_received"
    delivery_id: str
    sender: Identity
    text: str
    mail: MailHeaders | None = None
    attachments: tuple[AttachmentNote, ...] = ()
    is_outside: bool = False
    """Whether it holds words of nobody that this deployment knows: it taints the thread."""


class ModelResponded(Fact):
    """The model answered. With calls: the text is for itself; without: it is the reply."""

    kind: Literal["model_responded"] = "model_responded"
    seen: int
    """The last event that the model was shown."""
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Literal["end", "calls", "length", "refusal"] = "end"
    model: str = ""
    api: Literal["responses", "chat"] = "responses"
    items: tuple[JsonObject, ...] = ()
    """The provider's own items (reasoning among them), to be given back to it unchanged."""
    usage: Usage = Usage()
    prompt: PromptStamp | None = None


class ModelFailed(Fact):
    """No answer, after the adapter's own retries."""

    kind: Literal["model_failed"] = "model_failed"
    error: str
    retry_at: datetime | None = None
    """When to try again; None when that is given up until somebody writes."""


class ToolStarted(Fact):
    """A call with side effects is about to run. Written before, so that a crash in between is visible."""

    kind: Literal["tool_started"] = "tool_started"
    call_id: str
    tool: str
    digest: str
    rule: str
    """Which policy rule, or which approval, let it run."""


class ToolReturned(Fact):
    """A call came back."""

    kind: Literal["tool_returned"] = "tool_returned"
    call_id: str
    approval_id: str = ""
    """The approval that let it run, if one had to."""
    result: JsonValue
    is_outside: bool = False
    """Whether the tool marks what it brings as outsiders' words (web pages, mail): it taints the thread."""


class ToolFailed(Fact):
    """A call failed, or was refused before it started."""

    kind: Literal["tool_failed"] = "tool_failed"
    call_id: str
    approval_id: str = ""
    """The approval that let it run, if one had to."""
    why: Literal["raised", "timed_out", "invalid", "denied"]
    error: str
    is_outside: bool = False
    """Whether the error may hold outsiders' words, as the result of the tool would have: it taints the thread."""


class TimerFired(Fact):
    """A moment that an earlier event named has come."""

    kind: Literal["timer_fired"] = "timer_fired"
    timer: str


class ReplySent(Fact):
    """A reply is with its channel; `receipts` are the channel's ids of it (Slack ts, Message-ID)."""

    kind: Literal["reply_sent"] = "reply_sent"
    reply_id: str
    receipts: tuple[str, ...] = ()


class ReplyFailed(Fact):
    """A channel refused a reply for good."""

    kind: Literal["reply_failed"] = "reply_failed"
    reply_id: str
    error: str


class LimitReached(Fact):
    """A bound of the agent's was reached, and the work paused."""

    kind: Literal["limit_reached"] = "limit_reached"
    limit: str
    detail: str = ""


class ThreadCancelled(Fact):
    """Somebody stopped the work. A later message takes it up again."""

    kind: Literal["thread_cancelled"] = "thread_cancelled"
    by: Identity
    reason: str = ""


class ThreadClosed(Fact):
    """The agent called `finish`. A later message opens the thread again."""

    kind: Literal["thread_closed"] = "thread_closed"
    summary: str = ""


class RedactedBody(Value):
    """Which event, and the SHA-256 of what is left of its body: whatever stands there else was never redacted."""

    seq: int
    digest: str


class TextRedacted(Fact):
    """Personal text was taken out of earlier events of the thread; see `agent.redaction` for what stays."""

    kind: Literal["text_redacted"] = "text_redacted"
    redacted: tuple[RedactedBody, ...]
    by: Identity
    reason: str = ""


Event = Annotated[
    MessageReceived
    | ModelResponded
    | ModelFailed
    | ToolStarted
    | ToolReturned
    | ToolFailed
    | ApprovalRequested
    | ApprovalVoted
    | ApprovalAmended
    | ApprovalEscalated
    | ApprovalRemarked
    | RemarkAnswered
    | DecisionRefused
    | ApprovalDecided
    | GrantGiven
    | GrantUsed
    | GrantRevoked
    | CallScored
    | TimerFired
    | ReplySent
    | ReplyFailed
    | LimitReached
    | ThreadCancelled
    | ThreadClosed
    | TextRedacted,
    Field(discriminator="kind"),
]
