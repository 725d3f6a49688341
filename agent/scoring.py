"""What a round does about calls that a judge is to score before they run: asks it, of several at once, side by side.

A crash in between asks it again, which does no harm. Without a judgement the score is the highest.
"""

import asyncio

import structlog

from agent.effects import ScoreCalls
from agent.errors import ModelError
from agent.events import CallScored, ToolCall
from agent.guardrail import judgement, question, unjudged
from agent.ports import ModelAnswer, ModelRequest, UserTurn
from agent.rounds import Round

log = structlog.get_logger()

LIMIT = 60.0
"""Seconds for one judgement."""


async def perform(round_: Round, effect: ScoreCalls) -> None:
    """Have each scored, and take it down."""
    await round_.journal.write()
    scored = await round_.unless_cancelled(_all(round_, effect))
    round_.journal.note(*(scored or ()))


async def _all(round_: Round, effect: ScoreCalls) -> list[CallScored]:
    return await asyncio.gather(*(_one(round_, call) for call in effect.calls))


async def _one(round_: Round, call: ToolCall) -> CallScored:
    agent = round_.agent
    tool = agent.rules.tools[call.name]
    assert agent.guardrail is not None  # noqa: S101 - without one there is nothing to score
    text, stamp = agent.guardrail.render(agent.variables)
    asked = (UserTurn(question(round_.state, call, tool)),)
    request, answer = ModelRequest(agent.model, text, stamp, asked, (), may_call=False), ModelAnswer()
    try:
        async with asyncio.timeout(LIMIT):
            answer = await round_.loop.model.respond(request)
    except ModelError as error:
        score, reason = unjudged(str(error))
    except TimeoutError:
        score, reason = unjudged(f"it took longer than {LIMIT:g} s")
    else:
        score, reason = judgement(answer)
    log.info("call.scored", call_id=call.id, tool=call.name, score=score)
    return CallScored(
        at=round_.now,
        call_id=call.id,
        digest=tool.digest(call.arguments),
        score=score,
        reason=reason,
        prompt=stamp,
        model=answer.model,
        usage=answer.usage,
    )
