"""When a thread must be looked at though nothing came in, and what time brings about: as events, made of a moment
that is given. Pure."""

from datetime import datetime, timedelta

from agent.events import ApprovalDecided, ApprovalRequested, Event, TimerFired
from agent.state import ThreadState
from agent.verdict import Expired, Rejected

BACKOFF = (5.0, 30.0, 120.0)
"""Seconds to wait after each failure to reach the model; then it is given up until somebody writes."""

TIMED_OUT = "nobody decided in time, and the policy takes that for a no"


def retry_at(state: ThreadState, now: datetime) -> datetime | None:
    """When to call the model again after one more failure; None when that was the last try."""
    if state.model_failures >= len(BACKOFF):
        return None
    return now + timedelta(seconds=BACKOFF[state.model_failures])


def _moments(state: ThreadState) -> list[tuple[datetime, str]]:
    found = [(state.retry_at, f"retry:{state.seq}")] if state.retry_at is not None else []
    reminded: set[str] = set()
    for approval_id, asked in state.approvals.items():
        found.append((asked.request.expires_at, f"expire:{approval_id}"))
        left = () if asked.plan in reminded else asked.request.remind_at[asked.reminded :]
        reminded.add(asked.plan)  # people are reminded of a card, not of each call that it shows
        found += [(left[0], f"remind:{approval_id}:{asked.reminded + 1}")] if left else []
        more = asked.request.escalations[asked.overdue :]
        found += [(more[0].at, f"escalate:{approval_id}:{asked.overdue + 1}")] if more else []
    return found


def timed_out(request: ApprovalRequested) -> Expired | Rejected:
    """What it means that nobody has decided this in time."""
    return Rejected(reason=TIMED_OUT) if request.on_timeout == "reject" else Expired()


def next_moment(state: ThreadState) -> datetime | None:
    """When this thread must be looked at again though nothing came in."""
    return min((at for at, _ in _moments(state)), default=None)


def due(state: ThreadState, now: datetime) -> tuple[Event, ...]:
    """What time itself has brought about by `now`, as events."""
    events: list[Event] = []
    for at, timer in sorted(_moments(state)):
        what, _, approval_id = timer.partition(":")
        if at > now:
            continue
        if what == "expire":
            decision = timed_out(state.approvals[approval_id].request)
            events.append(ApprovalDecided(at=now, approval_id=approval_id, decision=decision))
        else:
            events.append(TimerFired(at=now, timer=timer))
    return tuple(events)
