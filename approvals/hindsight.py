"""A policy held against calls that an agent proposed before: what it says of each, and what became of them then. Pure.

Each call is judged on its thread as it was when the call was proposed. What the policy of that day said is read from
what followed: a call that ran at once was allowed; one that people were asked about, or that ran under a grant, was to
be asked about. What a guardrail asked about, the policy had allowed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agent.effects import Allow, Ask, Deny, Verdict
from agent.entries import Entry
from agent.errors import BadArguments
from agent.events import (
    ApprovalRequested,
    Event,
    GrantUsed,
    ModelResponded,
    ToolCall,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.state import ThreadState
from agent.thread import evolve
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.grants import GUARDRAIL
from approvals.policy import Policy

Outcome = Literal["allow", "ask", "deny"]


@dataclass(frozen=True, slots=True)
class Then:
    """What the policy of that day said, as far as the log tells."""

    outcome: Outcome
    rule: str = ""
    """Empty where the log does not say."""
    approvers: Approvers | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A call as it was proposed, and the thread at that moment."""

    call: ToolCall
    at: datetime
    state: ThreadState


@dataclass(frozen=True, slots=True)
class Judged:
    """A call of the past, what was said of it then, and what a policy says of it now."""

    thread_id: str
    call: ToolCall
    at: datetime
    now: Verdict
    then: Then | None = None
    """None when the work was stopped before it was judged, or still goes on."""

    @property
    def change(self) -> str:
        """`allow → ask`, or `ask → ask of others`; empty when the same would be done."""
        if self.then is None:
            return ""
        now = outcome(self.now)
        if now != self.then.outcome:
            return f"{self.then.outcome} → {now}"
        others = isinstance(self.now, Ask) and self.then.approvers not in {None, self.now.approvers}
        return "ask → ask of others" if others else ""


def outcome(verdict: Verdict) -> Outcome:
    """In a word."""
    match verdict:
        case Allow():
            return "allow"
        case Ask():
            return "ask"
        case Deny():
            return "deny"


def proposals(empty: ThreadState, entries: Iterable[Entry]) -> Iterator[Proposal]:
    """Every call that the model proposed on this thread and that counted, in order. Each state is made as it is asked
    for, so that a long thread is not held many times over."""
    state = empty
    for entry in entries:
        state = evolve(state, entry)
        if isinstance(entry.event, ModelResponded):
            for call in entry.event.calls:
                if call.id in state.calls:  # an answer to what was cancelled is void
                    yield Proposal(call, entry.event.at, state)


def judged(
    empty: ThreadState, entries: Iterable[Entry], policy: Policy, tools: Mapping[str, Tool], since: datetime | None
) -> list[Judged]:
    """What the policy says of each call proposed since then. Calls of tools that there are no more, that no tool would
    take, and that are no actions (`finish`, `ask_human`) are left out: no policy is asked about those."""
    kept = tuple(entries)
    found: dict[str, Judged] = {}
    for each in proposals(empty, kept):
        tool = tools.get(each.call.name)
        if tool is not None and not tool.is_control and (since is None or each.at >= since) and _fits(each.call, tool):
            verdict = policy.judge(each.call, tool, each.state)
            found[each.call.id] = Judged(empty.thread_id, each.call, each.at, verdict)
    for entry in kept:
        told = _told(entry.event)
        if told is not None and (call := found.get(told[0])) is not None and call.then is None:
            found[told[0]] = replace(call, then=told[1])
    return list(found.values())


def _fits(call: ToolCall, tool: Tool) -> bool:
    try:
        tool.check(call.arguments)
    except BadArguments:
        return False
    return not call.malformed


def _told(event: Event) -> tuple[str, Then] | None:
    """Which call an event tells of, and what was said of it. The first that does counts."""
    match event:
        case GrantUsed():
            return event.call_id, Then("ask", event.rule)
        case ApprovalRequested(about="call") if event.rule.startswith(GUARDRAIL):
            return event.call_id, Then("allow")
        case ApprovalRequested(about="call"):
            return event.call_id, Then("ask", event.rule, event.approvers)
        case ToolFailed(why="denied"):
            return event.call_id, Then("deny")
        case ToolStarted():
            return event.call_id, Then("allow", event.rule)
        case ToolReturned() | ToolFailed(why="raised" | "timed_out"):
            return event.call_id, Then("allow")
        case _:
            return None
