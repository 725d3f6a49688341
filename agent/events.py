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

from agent.conversation import Address, AttachmentNote, Identity, JsonObject, MailHeaders, Value
from agent.verdict import ApprovalKind, Approvers, Decider, Decision


class ToolCall(Value):
    """The model's wish to have a tool called. A wish: nothing has happened yet."""

    id: str
    """Ours, unique in the thread."""
    provider_id: str
    """The model's own name for the call; some servers repeat it."""
    name: str
    arguments: JsonObject = Field(default_factory=dict)
    malformed: str = ""
    """Why the arguments could not be read, if they could not; then `arguments` is empty."""


class Usage(Value):
    """Tokens of one model call, as its server counted them."""

    input: int = 0
    output: int = 0
    cached: int = 0


class PromptStamp(Value):
    """Which prompt was used, and the first 128 bits of the SHA-256 of the text it was rendered to."""

    name: str
    version: str
    digest: str


class Fact(Value):
    """What all events share."""

    v: int = 1
    at: datetime


class MessageReceived(Fact):
    """Somebody wrote to us."""

    kind: Literal["message_received"] = "message_received"
    delivery_id: str
    sender: Identity
    text: str
    mail: MailHeaders | None = None
    attachments: tuple[AttachmentNote, ...] = ()


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


class ToolFailed(Fact):
    """A call failed, or was refused before it started."""

    kind: Literal["tool_failed"] = "tool_failed"
    call_id: str
    approval_id: str = ""
    """The approval that let it run, if one had to."""
    why: Literal["raised", "timed_out", "invalid", "denied"]
    error: str


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
    approvers: Approvers
    expires_at: datetime
    remind_at: tuple[datetime, ...] = ()
    shown_on: tuple[Address, ...] = ()


class ApprovalDecided(Fact):
    """The one outcome of an approval."""

    kind: Literal["approval_decided"] = "approval_decided"
    approval_id: str
    decision: Decision
    by: Decider | None = None
    """None when time or a cancellation decided."""


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
    | ApprovalDecided
    | TimerFired
    | ReplySent
    | ReplyFailed
    | LimitReached
    | ThreadCancelled
    | ThreadClosed
    | TextRedacted,
    Field(discriminator="kind"),
]
