"""What `twokey policy` does: explain a call, and hold a policy against the calls of the past; and how it reads."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from agent.effects import Ask, Verdict
from agent.errors import ConfigError, Refused
from agent.events import ApprovalRequested
from agent.state import ThreadState
from agent.tool import Tool
from approvals import policy_check
from approvals.hindsight import Judged, Proposal, judged, outcome, proposals
from approvals.people import Directory, Person
from approvals.policy import Explanation, Policy, able_to_decide
from approvals.policy_words import verdict_lines
from bot import yaml_files
from bot.approval_texts import spelt_out
from bot.deployment import policy_of
from bot.shell import Desk
from store import past
from store.past import PastThread

MOST_LISTED = 1_000
"""Calls that a report lists; it counts all."""

# --- explain --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policy says of one call."""

    thread_id: str
    proposal: Proposal
    explanation: Explanation
    directory: Directory


async def explain(desk: Desk, thread_id: str, call: str) -> Answer:
    """By the policy as it is, on the thread as it was when the call was proposed. `call` is its id, or that of its
    approval. Raises Refused when there is no such, or when no policy is asked about it."""
    found = await past.thread(desk.service.database, thread_id)
    if found is None:
        raise Refused(f"there is no thread {thread_id}; see: twokey threads list")
    asked = {
        entry.event.approval_id: entry.event.call_id
        for entry in found.entries
        if isinstance(entry.event, ApprovalRequested)
    }
    made = {each.call.id: each for each in proposals(_empty(found), found.entries)}
    proposal = made.get(asked.get(call, call))
    if proposal is None:
        known = ", ".join(f"{each.call.id} ({spelt_out(each.call.name)})" for each in made.values()) or "none"
        raise Refused(f"there is no call {call} on {thread_id}; there are: {known}")
    tool = _tools(desk, found).get(proposal.call.name)
    if tool is None or tool.is_control:
        what = "is no action: the policy is not asked about it" if tool else "is no tool of this agent any more"
        raise Refused(f"{spelt_out(proposal.call.name)} {what}")
    deployment = desk.service.deployment
    explained = deployment.policy.explain(proposal.call, tool, proposal.state)
    return Answer(thread_id, proposal, explained, deployment.directory)


def _empty(thread: PastThread) -> ThreadState:
    return ThreadState(thread.id, thread.conversation, thread.agent)


def _tools(desk: Desk, thread: PastThread) -> Mapping[str, Tool]:
    """Those of the thread's agent; where that is gone, all."""
    deployment = desk.service.deployment
    agent = deployment.agents.get(thread.agent)
    return agent.tools if agent else deployment.tools


def answer_text(answer: Answer) -> str:
    """Rule by rule, then what comes of it."""
    call, at = answer.proposal.call, answer.proposal.at
    lines = [f"{call.name} ({call.id}) on {answer.thread_id}, proposed {at:%Y-%m-%d %H:%M} UTC"]
    for place, each in enumerate(answer.explanation.looked, start=1):
        lines.append(f"{place:>4}. {each.rule}: {each.outcome}; {each.because}")
    return "\n".join([*lines, *verdict_lines(answer.explanation.verdict, answer.directory)])


def answer_json(answer: Answer) -> str:
    """The same as a JSON object."""
    call = answer.proposal.call
    return json.dumps(
        {
            "thread": answer.thread_id,
            "call": call.id,
            "tool": call.name,
            "proposed_at": answer.proposal.at.isoformat(),
            "rules": [asdict(each) for each in answer.explanation.looked],
            "verdict": _verdict(answer.explanation.verdict),
            "words": verdict_lines(answer.explanation.verdict, answer.directory),
            "may_decide": [each.id for each in _able(answer)],
        },
        indent=1,
    )


def _able(answer: Answer) -> list[Person]:
    verdict = answer.explanation.verdict
    return list(able_to_decide(verdict.approvers, answer.directory)) if isinstance(verdict, Ask) else []


def _verdict(verdict: Verdict) -> dict[str, object]:
    said = asdict(verdict)
    if isinstance(verdict, Ask):
        said["approvers"] = verdict.approvers.model_dump(mode="json")
    return {"outcome": outcome(verdict), **said}


# --- test -----------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What a policy would have said of the calls of the past."""

    threads: int = 0
    calls: int = 0
    """That were judged."""
    unknown: int = 0
    """Of them, those of which the log does not say what the policy of that day said."""
    same: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    """How many calls, by what would change."""
    changed: list[Judged] = field(default_factory=list)


async def hold_against_past(desk: Desk, path: Path, since: datetime | None) -> tuple[Report, tuple[str, ...]]:
    """Hold the policy of that file against every call since then, a thread at a time; and what is probably not meant
    in it. Raises ConfigError for a file that is no policy of this deployment."""
    policy, doubts = _policy(desk, path)
    report = Report()
    async for thread in past.threads(desk.service.database, since):
        report.threads += 1
        for each in judged(_empty(thread), thread.entries, policy, _tools(desk, thread), since):
            _count(report, each)
    return report, doubts


def _policy(desk: Desk, path: Path) -> tuple[Policy, tuple[str, ...]]:
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file")
    deployment, file = desk.service.deployment, yaml_files.read(path.parent, path.name)
    content = policy_of(file, deployment.tools, deployment.directory)
    timeout = desk.service.settings.human_approval_timeout
    doubts = policy_check.problems(content, deployment.directory, timeout)
    return Policy(content, deployment.directory), tuple(file.complaint(where, what) for where, what in doubts)


def _count(report: Report, each: Judged) -> None:
    report.calls += 1
    if each.then is None:
        report.unknown += 1
    elif not each.change:
        report.same += 1
    else:
        report.changes[each.change] += 1
        if len(report.changed) < MOST_LISTED:
            report.changed.append(each)


def report_text(report: Report) -> str:
    """Each call that would be treated otherwise, then how many of what."""
    lines = [f"{each.thread_id}  {each.call.id}  {each.at:%Y-%m-%d %H:%M}  {each.call.name}: {_said(each)}"
             for each in report.changed]  # fmt: skip
    if (more := report.changes.total() - len(report.changed)) > 0:
        lines.append(f"and {more} more")
    lines += [f"{_calls(number)}: {change}" for change, number in sorted(report.changes.items())]
    unknown = f"; {report.unknown} more were stopped before, or are still going on" if report.unknown else ""
    where = "1 thread" if report.threads == 1 else f"{report.threads} threads"
    lines.append(f"{_calls(report.calls)} on {where}, {report.same} as before{unknown}")
    return "\n".join(lines if report.changes else [*lines, "nothing would change"])


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"


def _said(each: Judged) -> str:
    then = f" (then by {each.then.rule!r})" if each.then and each.then.rule else ""
    return f"{each.change}, by {each.now.rule!r}{then}"


def report_json(report: Report) -> str:
    """The same as a JSON object."""
    calls = [
        {
            "thread": each.thread_id,
            "call": each.call.id,
            "tool": each.call.name,
            "at": each.at.isoformat(),
            "change": each.change,
            "then": {"outcome": each.then.outcome, "rule": each.then.rule} if each.then else None,
            "now": _verdict(each.now),
        }
        for each in report.changed
    ]
    counts = {"threads": report.threads, "calls": report.calls, "same": report.same, "unknown": report.unknown}
    return json.dumps({**counts, "changes": dict(sorted(report.changes.items())), "changed": calls}, indent=1)
