"""A thread: its events in order, and the state they fold into.

`evolve(state, entry)` is one half of the reducer (factor 12): it says what is the case after an event, and nothing
about what to do. It never fails on a history that was written: an event that no longer matters changes nothing.

The state holds the log itself and, beside it, what would be slow to look for in it at every step. All of it is
derived: `fold` over the same entries gives the same state, on any machine.
"""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from agent.approval import opened, told
from agent.conversation import Identity
from agent.entries import Entry
from agent.events import (
    ApprovalAmended,
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRemarked,
    ApprovalRequested,
    ApprovalVoted,
    CallScored,
    DecisionRefused,
    Event,
    GrantGiven,
    GrantRevoked,
    GrantUsed,
    LimitReached,
    MessageReceived,
    ModelFailed,
    ModelResponded,
    RemarkAnswered,
    ReplyFailed,
    ReplySent,
    TextRedacted,
    ThreadCancelled,
    ThreadClosed,
    TimerFired,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.state import NO_APPROVALS, CallState, OpenApproval, PendingReply, ThreadState
from agent.verdict import Answered, Approved, Cancelled, Expired, Rejected

RUN_AGAIN, IT_HAPPENED, STOP, TRY_AGAIN = "Run it again", "It happened", "Stop", "Try again"
"""The answers to a call in doubt (the first three) and to trouble (the last two)."""

MODEL_LOST = "I could not reach my language model. Your message is kept; write anything here and I will try again."
REFUSED = "The model declined to answer this."


def fold(state: ThreadState, entries: Iterable[Entry]) -> ThreadState:
    """The state after all of these."""
    for entry in entries:
        state = evolve(state, entry)
    return state


def evolve(state: ThreadState, entry: Entry) -> ThreadState:  # noqa: C901 - one line an event, and all of them
    """The state after one more event."""
    state = replace(state, entries=state.entries.plus(entry), tokens=state.tokens + _taken(entry.event))
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
            return _returned(replace(state, errors=0, last_error=""), event)
        case ToolFailed() as event:
            return _settle(_brought(_error(state, event.error), event), event.call_id)
        case ApprovalRequested() as event:
            return _asked(state, entry, event)
        case ApprovalDecided() as event:
            return _decided(state, event)
        case ApprovalVoted() | ApprovalAmended() | ApprovalEscalated() | ApprovalRemarked() | RemarkAnswered() as event:
            return _told(state, event)
        case GrantUsed() as event:
            changes = {"approved_digest": event.digest, "approved_by": event.given_by, "grant_id": event.grant_id}
            return _call(state, event.call_id, status="approved", **changes)
        case CallScored() as event:
            return _call(state, event.call_id, scored=event)
        case TimerFired() as event:
            return _fired(state, event)
        case ReplySent(reply_id=said) | ReplyFailed(reply_id=said):
            return replace(state, reply=None) if state.reply and state.reply.reply_id == said else state
        case LimitReached() | TextRedacted() | DecisionRefused() | GrantGiven() | GrantRevoked():
            return state
        case ThreadCancelled():
            return _cancelled(state, entry)
        case ThreadClosed() as event:
            return replace(state, closed=True, news=False, reply=_pending(entry, event.summary))


def _taken(event: Event) -> int:
    """Tokens that an answer of the model's took."""
    if not isinstance(event, ModelResponded | RemarkAnswered | CallScored):
        return 0
    return event.usage.input + event.usage.output


def _pending(entry: Entry, text: str) -> PendingReply | None:
    """A reply is named for the event it answers, so that saying it twice can be noticed."""
    return PendingReply(f"r{entry.seq}", text) if text.strip() else None


def _message(state: ThreadState, entry: Entry, event: MessageReceived) -> ThreadState:
    return replace(
        _tainted(state, f"{event.sender.channel} from {event.sender.id}") if event.is_outside else state,
        unseen=(*state.unseen, entry),
        requester=event.sender,
        asked_by=_with_asker(() if state.closed else state.asked_by, event.sender),
        steps=0,
        errors=0,
        last_error="",
        model_failures=0,
        retry_at=None,
        cancelled=False,
        closed=False,
    )


def _with_asker(known: tuple[Identity, ...], sender: Identity) -> tuple[Identity, ...]:
    return (*(each for each in known if each.key != sender.key), sender)


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


def _tainted(state: ThreadState, source: str) -> ThreadState:
    return state if source in state.taint else replace(state, taint=(*state.taint, source))


def _returned(state: ThreadState, event: ToolReturned) -> ThreadState:
    return _settle(_brought(state, event), event.call_id)


def _brought(state: ThreadState, event: ToolReturned | ToolFailed) -> ThreadState:
    """Outsiders' words come in with what a tool brings, also where it fails."""
    if not event.is_outside:
        return state
    call = state.calls.get(event.call_id)
    return _tainted(state, f"output of {call.call.name if call else 'a tool'}")


def _settle(state: ThreadState, call_id: str) -> ThreadState:
    return replace(_call(state, call_id, status="settled"), news=not state.cancelled)


def _error(state: ThreadState, text: str) -> ThreadState:
    return replace(state, errors=state.errors + 1, last_error=text)


def _asked(state: ThreadState, entry: Entry, event: ApprovalRequested) -> ThreadState:
    now_open = {**state.approvals, event.approval_id: OpenApproval(entry.seq, opened(event))}
    state = replace(state, approvals=MappingProxyType(now_open))
    if not event.call_id:
        return state
    plan = event.plan or event.approval_id
    return _call(state, event.call_id, status="asked", approval_id=event.approval_id, plan=plan, grant_id="")


def _told(
    state: ThreadState,
    event: ApprovalVoted | ApprovalAmended | ApprovalEscalated | ApprovalRemarked | RemarkAnswered,
) -> ThreadState:
    if event.approval_id not in state.approvals:
        return state
    asked = state.approvals[event.approval_id]
    overdue = 0 if isinstance(event, ApprovalAmended) else asked.overdue  # it has escalations of its own
    return _with(state, event.approval_id, replace(asked, record=told(asked.record, event), overdue=overdue))


def _with(state: ThreadState, approval_id: str, asked: OpenApproval) -> ThreadState:
    return replace(state, approvals=MappingProxyType({**state.approvals, approval_id: asked}))


def _decided(state: ThreadState, event: ApprovalDecided) -> ThreadState:
    asked = state.approvals.get(event.approval_id)
    if asked is None:
        return state
    left = {key: value for key, value in state.approvals.items() if key != event.approval_id}
    steps = state.steps if event.by is None else 0  # that time has run out is nobody's say
    state = replace(state, approvals=MappingProxyType(left), steps=steps)
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
            by = event.by.person if event.by else ""
            changes = {"approved_digest": approved.digest, "approved_by": by}
            if approved.arguments is not None:  # else those that were asked about, which may have been changed before
                return _call(
                    state, request.call_id, status="approved", approved_arguments=approved.arguments, **changes
                )
            return _call(state, request.call_id, status="approved", **changes)
        case Answered() as answer if request.about == "in_doubt" and answer.text == RUN_AGAIN:
            return _call(state, request.call_id, status="approved", approved_digest=request.digest)
        case Rejected() | Expired() | Cancelled() | Answered():
            return _settle(state, request.call_id)


def _fired(state: ThreadState, event: TimerFired) -> ThreadState:
    what, _, rest = event.timer.partition(":")
    if what == "retry":
        return replace(state, retry_at=None)
    approval_id = rest.partition(":")[0]
    if approval_id not in state.approvals:
        return state
    asked = state.approvals[approval_id]
    if what == "remind":
        told = {
            key: replace(each, reminded=each.reminded + 1) if each.plan == asked.plan else each
            for key, each in state.approvals.items()
        }
        return replace(state, approvals=MappingProxyType(told))
    return _with(state, approval_id, replace(asked, overdue=asked.overdue + 1)) if what == "escalate" else state


def _cancelled(state: ThreadState, entry: Entry) -> ThreadState:
    """Stop all that has not started; what has started still comes back, or is asked about."""
    calls = {
        key: replace(call, stopped=True) if call.status == "started" else replace(call, status="settled")
        for key, call in state.calls.items()
    }
    quiet = replace(state, reply=None, unseen=(), news=False, retry_at=None, approvals=NO_APPROVALS)
    return replace(quiet, calls=MappingProxyType(calls), cancelled=True, stopped_seq=entry.seq)
