"""The other half of the reducer: `decide` names the next effect. The only place that decides (factor 8).

Its rules, in order:

1. Words that are ready are said first.
2. A call runs only if the policy allows it, or somebody entitled has approved exactly what would run: its digest, which
   covers tool, arguments and schema, is computed again here. Anything else asks, refuses or waits. Where there is a
   judge, what the policy allows or a grant covers is scored first, and asked about if the judge finds it dangerous.
3. A call that was started and never came back is run again by itself only if that does no harm and what let it start
   would let it start again; else a person is asked.
4. The model is called when all calls of its last answer are settled and there is something it has not seen. Its errors
   are shown to it, and after some in a row a person is asked (factor 9).

`decide` must not know the time, the store or the channel: moments come in as events, made by `agent.timing`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.effects import (
    Allow,
    AnswerRemark,
    Ask,
    CallModel,
    Deny,
    Effect,
    Escalate,
    Place,
    RefuseCall,
    RequestApproval,
    RunTool,
    ScoreCalls,
    SendReply,
    Stop,
    TakeAnswer,
    Verdict,
    Wait,
)
from agent.errors import BadArguments
from agent.events import ApprovalRequested, MessageReceived, ToolCall
from agent.guardrail import Guardrail
from agent.state import CallState, ThreadState
from agent.thread import IT_HAPPENED, RUN_AGAIN, STOP, TRY_AGAIN
from agent.timing import next_moment
from agent.tool import Tool
from agent.verdict import Approvers


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment decides by."""

    tools: Mapping[str, Tool]
    judge: Callable[[ToolCall, Tool, ThreadState], Verdict]
    max_steps: int = 40
    """Model calls without a person's say."""
    max_errors: int = 3
    """Failures in a row."""
    guardrail: Guardrail | None = None
    """A judge of the calls that the policy allows; without one, what the policy says stands."""
    roles: frozenset[str] | None = None
    """Roles that somebody holds, where that is known: a question to any other would wait for nobody."""


def decide(state: ThreadState, rules: Rules) -> Effect:
    """The next effect on this thread. The same state and rules always give the same effect."""
    if state.reply is not None:
        return SendReply(state.reply.reply_id, state.reply.text)
    if (answer := _answer_in_thread(state)) is not None:
        return answer
    if (more := _next_for_approvals(state)) is not None:
        return more
    if (effect := _next_for_calls(state, rules)) is not None:
        return effect
    if state.approvals or state.retry_at is not None:
        return Wait(next_moment(state))
    return _next_for_model(state, rules) if state.unseen or state.news else Wait()


def _next_for_model(state: ThreadState, rules: Rules) -> CallModel | RequestApproval:
    """There is something to show it, unless a bound is reached."""
    if state.errors >= rules.max_errors:
        question = f"I ran into {state.errors} errors in a row. The last one: {state.last_error}"
        return _trouble("errors", question)
    if state.steps >= rules.max_steps:
        return _trouble("steps", f"I have taken {state.steps} steps without finishing.")
    return CallModel()


def _trouble(limit: str, question: str) -> RequestApproval:
    ask = Ask(limit, question, Approvers(anyone_in_thread=True), show_on=("thread",))
    return RequestApproval("trouble", ask, question=question, choices=(TRY_AGAIN, STOP), limit=limit)


def _answer_in_thread(state: ThreadState) -> TakeAnswer | None:
    """A question to whoever is in the thread is answered by the first message after it that can be an answer."""
    for approval_id, asked in state.approvals.items():
        if not asked.request.approvers.anyone_in_thread:
            continue
        for entry in state.unseen:
            if entry.seq <= asked.seq or not isinstance(entry.event, MessageReceived):
                continue
            if (answer := _as_answer(entry.event.text, asked.request)) is not None:
                return TakeAnswer(approval_id, entry.seq, answer)
    return None


def _as_answer(text: str, request: ApprovalRequested) -> str | None:
    """The choice that the words name, however they are written; else the words themselves, where words will do."""
    said = text.strip(" \t\r\n\"'*_.,;:!").casefold()
    for choice in request.choices:
        if choice.casefold() == said:
            return choice
    return None if request.about == "in_doubt" else text


def _next_for_approvals(state: ThreadState) -> Escalate | AnswerRemark | None:
    """What open approvals want of us, beside waiting."""
    for approval_id, asked in state.approvals.items():
        if asked.overdue > asked.record.escalated:
            return Escalate(approval_id)
        if number := asked.record.unanswered:
            return AnswerRemark(approval_id, number)
    return None


def _next_for_calls(state: ThreadState, rules: Rules) -> Effect | None:
    """Refusals and questions first, then what a judge is to score, then what may run, each of them side by side;
    `finish` when all else is settled."""
    found = []
    for call in state.calls.values():
        match _next_for_call(call, state, rules):
            case RefuseCall() | RequestApproval() as effect:
                return effect
            case effect:
                found.append((call, effect))
    if unscored := [call for _, effect in found if isinstance(effect, ScoreCalls) for call in effect.calls]:
        return ScoreCalls(tuple(unscored))
    return _running(state, found)


def _running(state: ThreadState, found: Sequence[tuple[CallState, object]]) -> RunTool | Wait | Stop | None:
    """What may run; `finish` when all else is settled. A plan goes on as one, when all of it is decided."""
    asked = [call for call in state.calls.values() if call.status == "asked"]
    waiting_plans = {call.plan for call in asked if call.plan}
    runnable: list[tuple[ToolCall, str]] = []
    closing: Stop | None = None
    for call, effect in found:
        match effect:
            case Allow(rule) if call.plan not in waiting_plans:
                runnable.append((call.to_run, rule))
            case Stop() as stop:
                closing = stop
            case _:
                pass
    if runnable:
        return RunTool(tuple(call for call, _ in runnable), tuple(rule for _, rule in runnable))
    return Wait(next_moment(state)) if asked else closing


def _next_for_call(
    current: CallState, state: ThreadState, rules: Rules
) -> RefuseCall | RequestApproval | ScoreCalls | Allow | Stop | None:
    if current.status in {"asked", "settled"}:
        return None
    call = current.to_run
    tool = rules.tools.get(call.name)
    if tool is None:
        if current.status == "started":
            return RefuseCall(call, "invalid", f"{call.name} was started, and it may or may not have happened")
        known = ", ".join(sorted(rules.tools))
        return RefuseCall(call, "invalid", f"there is no tool named {call.name}; there are: {known}")
    if current.status == "started":
        return _in_doubt(current, tool, state, rules)
    if problem := _problem(call, tool):
        return RefuseCall(call, "invalid", problem)
    if tool.is_control:
        return _control(call, tool, rules.roles)
    if current.status == "approved" and current.approved_digest == tool.digest(call.arguments):
        return _released(current, tool, state, rules)
    return _judged(current, tool, state, rules)


def _problem(call: ToolCall, tool: Tool) -> str:
    if call.malformed:
        return f"the arguments are not a JSON object: {call.malformed}"
    try:
        tool.check(call.arguments)
    except BadArguments as error:
        return str(error)
    return ""


def _judged(
    current: CallState, tool: Tool, state: ThreadState, rules: Rules
) -> RefuseCall | RequestApproval | ScoreCalls | Allow:
    call = current.to_run
    verdict = rules.judge(call, tool, state)
    match verdict:
        case Allow():
            return _guarded(verdict, current, tool, rules.guardrail)
        case Deny():
            return _denied(call, verdict)
        case Ask():
            return RequestApproval("call", verdict, call)


def _denied(call: ToolCall, verdict: Deny) -> RefuseCall:
    return RefuseCall(call, "denied", f"the policy does not allow this ({verdict.rule}): {verdict.why}")


def _released(
    current: CallState, tool: Tool, state: ThreadState, rules: Rules
) -> RefuseCall | RequestApproval | ScoreCalls | Allow:
    """What somebody has approved runs, unless the policy has come to forbid it since they were asked; what a grant
    covers nobody has looked at."""
    verdict = rules.judge(current.to_run, tool, state)
    if isinstance(verdict, Deny):
        return _denied(current.to_run, verdict)
    if current.grant_id:
        return _guarded(Allow(f"grant {current.grant_id}"), current, tool, rules.guardrail)
    return Allow(f"approval {current.approval_id}")


def _guarded(
    allowed: Allow, current: CallState, tool: Tool, guardrail: Guardrail | None
) -> RequestApproval | ScoreCalls | Allow:
    """What nobody would look at, unless a judge has doubts; it is asked first, about exactly what would run."""
    if guardrail is None or tool.effect == "read":
        return allowed
    call, scored = current.to_run, current.scored
    if scored is None or scored.digest != tool.digest(call.arguments):
        return ScoreCalls((call,))
    doubt = guardrail.doubt(scored)
    return allowed if doubt is None else RequestApproval("call", doubt, call)


def _control(call: ToolCall, tool: Tool, roles: frozenset[str] | None) -> RequestApproval | RefuseCall | Stop:
    arguments = tool.check(call.arguments)
    if call.name == "finish":
        return Stop(str(arguments["summary"]))
    role = str(arguments.get("role") or "")
    if role and roles is not None and role not in roles:
        known = ", ".join(sorted(roles)) or "none"
        return RefuseCall(call, "invalid", f"nobody holds the role {role}; there are: {known}")
    approvers = Approvers(roles=(role,)) if role else Approvers(anyone_in_thread=True)
    show_on: tuple[Place, ...] = ("direct", "mail") if role else ("thread",)
    ask = Ask("ask_human", "The agent has a question.", approvers, show_on=show_on)
    choices = arguments.get("choices")
    return RequestApproval(
        "question",
        ask,
        call,
        question=str(arguments["question"]),
        choices=tuple(str(each) for each in choices) if isinstance(choices, list) else (),
    )


def _may_still_run(current: CallState, tool: Tool, verdict: Verdict) -> bool:
    """Whether what let a call start lets it start again: somebody's approval of exactly this, unless the policy has
    come to forbid it; else the policy as it is now."""
    if not current.approved_digest:
        return isinstance(verdict, Allow)
    return current.approved_digest == tool.digest(current.to_run.arguments) and not isinstance(verdict, Deny)


def _in_doubt(current: CallState, tool: Tool, state: ThreadState, rules: Rules) -> RequestApproval | Allow:
    """Started and never came back: the process died in between. Whoever might have approved it is asked."""
    call = current.to_run
    verdict = rules.judge(call, tool, state)
    is_harmless = (tool.idempotent or tool.effect == "read") and not current.stopped
    if is_harmless and _may_still_run(current, tool, verdict):
        return Allow("run again under the same key")
    doubt = rules.guardrail.doubt(current.scored) if rules.guardrail and current.scored else None
    asked = verdict if isinstance(verdict, Ask) else doubt  # whoever had to let it run says whether it runs again
    approvers = asked.approvers if asked is not None else Approvers(anyone_in_thread=True)
    why = "The process stopped while this was running. It may or may not have happened."
    ask = Ask("in doubt", why, approvers)
    may_run = not (isinstance(verdict, Deny) or current.stopped)  # what was cancelled never starts
    choices = (IT_HAPPENED, RUN_AGAIN, STOP) if may_run else (IT_HAPPENED, STOP)
    return RequestApproval("in_doubt", ask, call, choices=choices)
