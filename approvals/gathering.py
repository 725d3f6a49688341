"""Which requests of one answer become one card: a plan. Pure.

Rules:
- Only calls of one answer, and only while nobody has had a say in any of them.
- Only calls that the same people may decide in the same way, that are shown in the same places, and that have the same
  time: whoever looks at the card can decide all of it, and none of it ends before the rest.
- Questions, calls in doubt and trouble have cards of their own.
"""

from collections.abc import Iterator

from agent.events import ApprovalRequested
from agent.state import ThreadState

SAME = ("approvers", "shown_on", "expires_at", "remind_at", "escalations", "on_timeout", "requester", "asked_by")


def plans(state: ThreadState) -> Iterator[ApprovalRequested]:
    """The first requests of plans, also of one call so far, that another call of the latest answer may join."""
    for approval_id, asked in state.approvals.items():
        request = asked.record.asked
        if request.about != "call" or request.plan or request.call_id not in state.calls:
            continue
        together = [call for call in state.calls.values() if call.plan == approval_id]
        records = [state.approvals[call.approval_id].record for call in together if call.status == "asked"]
        if len(records) == len(together) and not any(each.version for each in records):
            yield request


def joined(request: ApprovalRequested, first: ApprovalRequested) -> ApprovalRequested | None:
    """The request as part of that plan, given with the times that it would have had then; None when it is another's
    business. Its places are those of the plan's card."""
    if any(getattr(request, name) != getattr(first, name) for name in SAME):
        return None
    return request.model_copy(update={"plan": first.approval_id, "shown_on": ()})
