"""A thread and an approval as callers are given them, folded from what the log says. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from agent.conversation import ApiThread, MailThread, SlackThread
from agent.entries import Entry
from agent.events import ReplyFailed, ReplySent
from agent.grant import GrantFacts
from agent.state import ThreadState
from agent.thread import evolve
from agent.verdict import Approved
from approvals.gate import Gate
from approvals.ports import Facts
from bot.api.answers import ApprovalOut, GrantOut, PlacedEvent, RemarkOut, ReplyOut, ThreadOut, ThreadStatus, VoteOut

_RUNNING = frozenset({"proposed", "approved", "started"})


def thread_out(
    thread_id: str,
    conversation: SlackThread | MailThread | ApiThread,
    entries: Sequence[Entry],
    approvals: Iterable[ApprovalOut],
) -> ThreadOut:
    """The thread as its log has it. Whether it stalled is no fact of the log: the caller adds that."""
    state = ThreadState(thread_id, conversation)
    replies: dict[str, ReplyOut] = {}
    for entry in entries:
        before, state = state.reply, evolve(state, entry)
        if state.reply is not None and state.reply != before:
            said = ReplyOut(id=state.reply.reply_id, at=entry.event.at, text=state.reply.text, status="pending")
            replies[said.id] = said
        if isinstance(entry.event, ReplySent | ReplyFailed) and entry.event.reply_id in replies:
            status = "sent" if isinstance(entry.event, ReplySent) else "failed"
            said = replies[entry.event.reply_id]
            replies[said.id] = said.model_copy(update={"status": status})
    return ThreadOut(
        id=thread_id,
        status=status_of(state),
        conversation=conversation,
        events=tuple(PlacedEvent(seq=entry.seq, event=entry.event) for entry in entries),
        replies=tuple(replies.values()),
        approvals=tuple(approvals),
    )


def status_of(state: ThreadState) -> ThreadStatus:
    """Who is to move next: the agent, a person, or nobody."""
    if state.reply is not None or any(call.status in _RUNNING for call in state.calls.values()):
        return "working"
    if state.approvals:
        return "waiting"
    if state.unseen or state.news or state.retry_at is not None:
        return "working"
    if state.cancelled:
        return "cancelled"
    return "closed" if state.closed else "idle"


def approval_out(facts: Facts, gate: Gate, now: datetime) -> ApprovalOut:
    """The approval as it stands at that moment."""
    card, request = gate.card(facts), facts.request
    decision = facts.decided.decision if facts.decided else None
    return ApprovalOut(
        id=card.approval_id,
        thread_id=facts.thread_id,
        about=card.about,
        status=card.status_at(now),
        title=card.title,
        tool=card.tool,
        arguments=request.arguments,
        proposed_arguments=facts.record.asked.arguments,
        changed_by=card.changed_by,
        digest=card.digest,
        parameters=gate.parameters(request),
        preview=card.preview,
        why=card.why,
        rule=card.rule,
        choices=card.choices,
        requester=card.requester,
        asked_at=card.asked_at,
        expires_at=card.expires_at,
        decided_by=card.decided_by,
        decided_via=card.decided_via,
        decided_at=card.decided_at,
        approved_arguments=decision.arguments if isinstance(decision, Approved) else None,
        reason=card.reason,
        outcome=card.outcome,
        outcome_text=card.outcome_text,
        needs=card.needs,
        votes=tuple(VoteOut(name=each.name, vote=each.vote, via=each.via, at=each.at) for each in card.votes),
        remarks=tuple(RemarkOut(name=each.name, question=each.question, answer=each.answer) for each in card.remarks),
        is_escalated=card.is_escalated,
        may_grant=card.may_grant,
        granted=card.granted,
        plan=request.plan or (facts.approval_id if facts.mates else ""),
        mates=tuple(approval_out(each, gate, now) for each in facts.mates),
    )


def grant_out(facts: GrantFacts, gate: Gate, now: datetime) -> GrantOut:
    """The grant as it stands at that moment."""
    grant = facts.grant
    return GrantOut(
        id=grant.id,
        words=gate.granting.words(grant),
        status=facts.status(now),
        tool=grant.tool,
        arguments=grant.arguments,
        condition=grant.condition,
        thread_id=grant.thread_id,
        requester=grant.requester,
        until=grant.until,
        uses=grant.uses,
        used=facts.used,
        approval_id=facts.approval_id,
        given_in=facts.thread_id,
        given_by=facts.given_by.person,
        given_at=facts.given_at,
        revoked_by=facts.revoked_by.person if facts.revoked_by else "",
        revoked_at=facts.revoked_at,
        reason=facts.revoked.reason if facts.revoked else "",
    )
