"""A thread: its events in order, and the state they fold into.

`evolve(state, entry)` is one half of the reducer (factor 12): it says what is the case after an event, and nothing
about what to do. It never fails on a history that was written: an event that no longer matters changes nothing.

The state holds the log itself and, beside it, what would be slow to look for in it at every step. All of it is
derived: `fold` over the same entries gives the same state, on any machine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    LimitReached,
    MessageReceived,
    ModelFailed,
    ModelResponded,
    ReplyFailed,
    ReplySent,
    TextRedacted,
    ThreadCancelled,
    ThreadClosed,
    TimerFired,
    ToolCall,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.verdict import Answered, Approved, Cancelled, Expired, Rejected

RUN_AGAIN, IT_HAPPENED, STOP, TRY_AGAIN = "Run it again", "It happened", "Stop", "Try again"
"""The answers to a call in doubt (the first three) and to trouble (the last two)."""

MODEL_LOST = "I could not reach my language model. Your message is kept; write anything here and I will try again."
REFUSED = "The model declined to answer this."


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in the thread; `seq` counts from 1."""

    seq: int
    event: Event


@dataclass(frozen=True, slots=True)
class CallState:
    """Where one tool call of the current answer stands."""

    call: ToolCall
    status: Literal["proposed", "asked", "approved", "started", "settled"] = "proposed"
    approval_id: str = ""
    approved_digest: str = ""
    approved_arguments: JsonObject | None = None
    approved_by: str = ""
    stopped: bool = False
    """Somebody stopped the work after it had started."""

    @property
    def to_run(self) -> ToolCall:
        """The call with the arguments that were approved, when they differ from those proposed."""
        if self.approved_arguments is None:
            return self.call
        return self.call.model_copy(update={"arguments": self.approved_arguments})


@dataclass(frozen=True, slots=True)
class PendingReply:
    """Words that are to be said and have not been."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenApproval:
    """An approval that nobody has decided yet."""

    seq: int
    request: ApprovalRequested
    reminded: int = 0


NO_CALLS: Mapping[str, CallState] = MappingProxyType({})
NO_APPROVALS: Mapping[str, OpenApproval] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ThreadState:
    """What is the case on a thread."""

    thread_id: str
    conversation: SlackThread | MailThread | ApiThread
    agent: str = ""
    entries: tuple[Entry, ...] = ()
    calls: Mapping[str, CallState] = field(default_factory=lambda: NO_CALLS)
    """Of the latest answer that had calls, by call id, in the model's order."""
    approvals: Mapping[str, OpenApproval] = field(default_factory=lambda: NO_APPROVALS)
    """Open ones, by approval id."""
    reply: PendingReply | None = None
    unseen: tuple[Entry, ...] = ()
    """Messages that the model has not been shown."""
    news: bool = False
    """Something else happened that the model has not been shown."""
    requester: Identity | None = None
    steps: int = 0
    """Model calls since a person last had a say."""
    errors: int = 0
    """Failures in a row that the model was left to mend."""
    last_error: str = ""
    model_failures: int = 0
    retry_at: datetime | None = None
    cancelled: bool = False
    stopped_seq: int = 0
    """Place of the latest cancellation: an answer of the model's to what was before is void."""
    closed: bool = False

    @property
    def seq(self) -> int:
        """Place of the latest event; 0 for an empty thread."""
        return self.entries[-1].seq if self.entries else 0


def fold(state: ThreadState, entries: Iterable[Entry]) -> ThreadState:
    """The state after all of these."""
    for entry in entries:
        state = evolve(state, entry)
    return state


def evolve(state: ThreadState, entry: Entry) -> ThreadState:  # noqa: C901 - one line an event, and all of them
    """The state after one more event."""
    state = replace(state, entries=(*state.entries, entry))
    match entry.event:
        case MessageReceived() as event:
            return _message(state, entry, event)
        case ModelResponded() as event:
            return _answer(state, entry, event)
        case ModelFailed() as event:
            return _no_answer(state, entry, event)
        case ToolStarted() as event:
            return _call(state, event.call_id, status="started")
        case ToolReturned() as event:
            return _settle(replace(state, errors=0, last_error=""), event.call_id)
        case ToolFailed() as event:
            return _settle(_error(state, event.error), event.call_id)
        case ApprovalRequested() as event:
            return _asked(state, entry, event)
        case ApprovalDecided() as event:
            return _decided(state, event)
        case TimerFired() as event:
            return _fired(state, event)
        case ReplySent(reply_id=said) | ReplyFailed(reply_id=said):
            return replace(state, reply=None) if state.reply and state.reply.reply_id == said else state
        case LimitReached() | TextRedacted():
            return state
        case ThreadCancelled():
            return _cancelled(state, entry)
        case ThreadClosed() as event:
            return replace(state, closed=True, news=False, reply=_pending(entry, event.summary))


def _pending(entry: Entry, text: str) -> PendingReply | None:
    """A reply is named for the event it answers, so that saying it twice can be noticed."""
    return PendingReply(f"r{entry.seq}", text) if text.strip() else None


def _message(state: ThreadState, entry: Entry, event: MessageReceived) -> ThreadState:
    return replace(
        state,
        unseen=(*state.unseen, entry),
        requester=event.sender,
        steps=0,
        errors=0,
        last_error="",
        model_failures=0,
        retry_at=None,
        cancelled=False,
        closed=False,
    )


def _answer(state: ThreadState, entry: Entry, event: ModelResponded) -> ThreadState:
    state = replace(
        state,
        steps=state.steps + 1,
        model_failures=0,
        retry_at=None,
        news=False,
        unseen=tuple(each for each in state.unseen if each.seq > event.seen),
    )
    if event.seen < state.stopped_seq:
        return state
    if event.calls:
        return replace(state, calls=MappingProxyType({call.id: CallState(call) for call in event.calls}))
    if event.stop == "refusal":
        return replace(state, reply=_pending(entry, event.text or REFUSED))
    if event.stop == "length" or not event.text.strip():
        return replace(_error(state, f"the model's answer was {'cut' if event.text else 'empty'}"), news=True)
    return replace(state, reply=_pending(entry, event.text))


def _no_answer(state: ThreadState, entry: Entry, event: ModelFailed) -> ThreadState:
    if state.cancelled:
        return state
    state = replace(state, model_failures=state.model_failures + 1, retry_at=event.retry_at)
    if event.retry_at is not None:
        return state
    return replace(state, reply=_pending(entry, MODEL_LOST), news=False, unseen=(), model_failures=0)


def _call(state: ThreadState, call_id: str, **changes: object) -> ThreadState:
    if call_id not in state.calls:
        return state
    changed = replace(state.calls[call_id], **changes)  # type: ignore[arg-type]  # names are those of CallState
    return replace(state, calls=MappingProxyType({**state.calls, call_id: changed}))


def _settle(state: ThreadState, call_id: str) -> ThreadState:
    return replace(_call(state, call_id, status="settled"), news=not state.cancelled)


def _error(state: ThreadState, text: str) -> ThreadState:
    return replace(state, errors=state.errors + 1, last_error=text)


def _asked(state: ThreadState, entry: Entry, event: ApprovalRequested) -> ThreadState:
    opened = {**state.approvals, event.approval_id: OpenApproval(entry.seq, event)}
    state = replace(state, approvals=MappingProxyType(opened))
    return _call(state, event.call_id, status="asked", approval_id=event.approval_id) if event.call_id else state


def _decided(state: ThreadState, event: ApprovalDecided) -> ThreadState:
    asked = state.approvals.get(event.approval_id)
    if asked is None:
        return state
    left = {key: value for key, value in state.approvals.items() if key != event.approval_id}
    state = replace(state, approvals=MappingProxyType(left), steps=0)
    if isinstance(event.decision, Answered) and event.decision.delivery_id:
        state = _without_message(state, event.decision.delivery_id)
    if asked.request.about == "trouble":
        return _trouble_decided(state, event)
    return _call_decided(state, asked.request, event)


def _without_message(state: ThreadState, delivery_id: str) -> ThreadState:
    """The message that was taken as an answer is shown to the model as that answer, not a second time."""
    rest = tuple(e for e in state.unseen if getattr(e.event, "delivery_id", "") != delivery_id)
    return replace(state, unseen=rest)


def _trouble_decided(state: ThreadState, event: ApprovalDecided) -> ThreadState:
    goes_on = isinstance(event.decision, Answered) and event.decision.text != STOP
    return replace(state, errors=0, last_error="", news=goes_on, unseen=state.unseen if goes_on else ())


def _call_decided(state: ThreadState, request: ApprovalRequested, event: ApprovalDecided) -> ThreadState:
    match event.decision:
        case Approved() as approved:
            return _call(
                state,
                request.call_id,
                status="approved",
                approved_digest=approved.digest,
                approved_arguments=approved.arguments,
                approved_by=event.by.person if event.by else "",
            )
        case Answered() as answer if request.about == "in_doubt" and answer.text == RUN_AGAIN:
            return _call(state, request.call_id, status="approved", approved_digest=request.digest)
        case Rejected() | Expired() | Cancelled() | Answered():
            return _settle(state, request.call_id)


def _fired(state: ThreadState, event: TimerFired) -> ThreadState:
    what, _, rest = event.timer.partition(":")
    if what == "retry":
        return replace(state, retry_at=None)
    approval_id = rest.partition(":")[0]
    if what == "remind" and approval_id in state.approvals:
        asked = state.approvals[approval_id]
        reminded = {**state.approvals, approval_id: replace(asked, reminded=asked.reminded + 1)}
        return replace(state, approvals=MappingProxyType(reminded))
    return state


def _cancelled(state: ThreadState, entry: Entry) -> ThreadState:
    """Stop all that has not started; what has started still comes back, or is asked about."""
    calls = {
        key: replace(call, stopped=True) if call.status == "started" else replace(call, status="settled")
        for key, call in state.calls.items()
    }
    quiet = replace(state, reply=None, unseen=(), news=False, retry_at=None, approvals=NO_APPROVALS)
    return replace(quiet, calls=MappingProxyType(calls), cancelled=True, stopped_seq=entry.seq)
