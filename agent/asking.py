"""What a round does about people: asks them, asks more of them, and has the model answer what they want to know."""

from functools import partial

import structlog

from agent.context import turns_for_remark
from agent.effects import AnswerRemark, Escalate, RequestApproval, TakeAnswer
from agent.errors import ModelError
from agent.events import ApprovalDecided, GrantUsed, LimitReached, MessageReceived, RemarkAnswered, Usage
from agent.rounds import Round
from agent.verdict import Answered, Decider

log = structlog.get_logger()


NO_ANSWER = "I could not reach my language model to answer this. Ask again, or decide on what the card shows."


async def perform(round_: Round, effect: RequestApproval | Escalate | AnswerRemark | TakeAnswer) -> None:
    """Do it."""
    match effect:
        case RequestApproval():
            await _request(round_, effect)
        case Escalate(approval_id):
            await _escalate(round_, approval_id)
        case AnswerRemark(approval_id, number):
            await _answer_remark(round_, approval_id, number)
        case TakeAnswer():
            await _take_answer(round_, effect)


async def _request(round_: Round, effect: RequestApproval) -> None:
    """Ask people, or go ahead under a grant that covers the call.

    A use of a grant is counted as it is written. When it was the last one and somebody else had it, nothing is
    written, and the reducer decides anew.
    """
    asked = await round_.loop.approvals.request(effect, round_.state)
    if isinstance(asked, GrantUsed):
        if await round_.journal.write(asked):
            log.info("grant.used", grant_id=asked.grant_id, tool=asked.tool, call_id=asked.call_id)
        return
    if effect.limit:
        round_.journal.note(LimitReached(at=round_.now, limit=effect.limit, detail=effect.question))
    told = partial(log.info, "approval.requested", approval_id=asked.approval_id, about=asked.about, tool=asked.tool)
    round_.journal.propose(asked, told)


async def _escalate(round_: Round, approval_id: str) -> None:
    """Ask more people."""
    event = await round_.loop.approvals.escalate(approval_id, round_.state)
    if await round_.journal.write(event):
        log.info("approval.escalated", approval_id=approval_id, step=event.step)


async def _answer_remark(round_: Round, approval_id: str, number: int) -> None:
    """Let the model answer an approver, in words alone. An answer that does not come is said to be missing; one that
    somebody decided without is not waited for."""
    await round_.journal.write()
    asked = round_.state.approvals.get(approval_id)
    if asked is None or asked.record.unanswered != number:
        return
    remark = asked.record.remarks[number - 1].asked
    what = round_.shown(turns_for_remark(round_.state, asked.request, remark), may_call=False)
    text, usage = NO_ANSWER, Usage()
    try:
        is_settled = lambda: approval_id not in round_.state.approvals  # noqa: E731 - two lines
        answer = await round_.unless_cancelled(round_.loop.model.respond(what), is_settled)
    except ModelError as error:
        log.warning("remark.failed", approval_id=approval_id, error=str(error))
    else:
        if answer is None:
            return
        text, usage = answer.text.strip() or NO_ANSWER, answer.usage
    event = RemarkAnswered(at=round_.now, approval_id=approval_id, number=number, text=text, usage=usage)
    await round_.journal.write(event)


async def _take_answer(round_: Round, effect: TakeAnswer) -> None:
    """A message in the thread settles what was asked there."""
    message = next(each.event for each in round_.state.unseen if each.seq == effect.message_seq)
    assert isinstance(message, MessageReceived)  # noqa: S101 - unseen holds nothing else
    by = Decider(person="", identity=message.sender, via="thread")
    answer = Answered(text=effect.text, delivery_id=message.delivery_id)
    event = ApprovalDecided(at=round_.now, approval_id=effect.approval_id, decision=answer, by=by)
    await round_.journal.write(event)
