"""How long one call takes to be judged against a policy of many rules, each with a condition; and how long it takes to
read such a policy.

    python benchmarks/policy.py            # 1,000 rules
    python benchmarks/policy.py 5000

Every rule is about the tool and none but the last holds, so that each call is held against every condition. The others
are about a tool of another name, as most rules of a large deployment are about other tools.
"""

import json
import statistics
import sys
import time
from datetime import UTC, datetime

from agent.conversation import Identity, SlackThread
from agent.entries import Entry
from agent.events import MessageReceived, ModelResponded, ToolCall
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import tool
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
PEOPLE = Directory([Person(id="ada", name="Ada", slack={"T1": "U1"}, roles=("support",))])
CONDITIONS = (
    "args.amount > {n}.0 + 100000.0",
    'args.to.endsWith("@customer{n}.example")',
    '"role-{n}" in requester.roles && size(taint) > 0',
    'channel.kind == "mail" && args.lines.exists(line, line.sku == "sku-{n}")',
    'hints.destructive && agent == "agent-{n}"',
)
CALLS = 500


@tool(effect="write")
def pay(amount: float, to: str, lines: list[dict[str, str]]) -> str:
    """Pay."""
    return ""


def policy(count: int, about: str) -> PolicyFile:
    rules = [
        {"name": f"rule {n}", "tools": [about], "when": CONDITIONS[n % len(CONDITIONS)].format(n=n), "outcome": "deny"}
        for n in range(count - 1)
    ]
    last = {"name": "last", "tools": ["pay"], "when": "args.amount > 500", "outcome": "ask"}
    return PolicyFile.model_validate({"default": {"approvers": {"roles": ["support"]}}, "rules": [*rules, last]})


def thread(call: ToolCall) -> ThreadState:
    said = MessageReceived(
        at=AT, delivery_id="d", sender=Identity(channel="slack", id="U1", team="T1"), text="Please pay"
    )
    empty = ThreadState("thr_1", SlackThread(team="T1", channel="C1", thread_ts="1.0"), "support")
    return fold(empty, [Entry(1, said), Entry(2, ModelResponded(at=AT, seen=1, calls=(call,), stop="calls"))])


def measured(subject: Policy, rule: str) -> tuple[list[float], list[float]]:
    """Milliseconds of each call, on the wall and of this process alone: a busy machine makes the first longer."""
    wall, own = [], []
    for number in range(CALLS):
        lines = [{"sku": f"article-{number}-{place}"} for place in range(10)]
        arguments = {"amount": 600.0 + number, "to": f"customer{number}@out.example", "lines": lines}
        call = ToolCall.model_validate({"id": "c1", "provider_id": "p", "name": "pay", "arguments": arguments})
        state = thread(call)
        began, own_began = time.perf_counter_ns(), time.process_time_ns()
        verdict = subject.judge(call, pay, state)
        own.append((time.process_time_ns() - own_began) / 1e6)
        wall.append((time.perf_counter_ns() - began) / 1e6)
        assert verdict.rule == rule, verdict
    return sorted(wall), sorted(own)


def main(count: int) -> None:
    """Print a JSON object."""
    found = {}
    for about, what in (("pay", "all about the tool"), ("other", "all but one about other tools")):
        began = time.perf_counter()
        subject = Policy(policy(count, about), PEOPLE)
        read = time.perf_counter() - began
        wall, own = measured(subject, "last")
        found[what] = {
            "median_ms": round(statistics.median(wall), 3),
            "p99_ms": round(wall[int(len(wall) * 0.99)], 3),
            "cpu_median_ms": round(statistics.median(own), 3),
            "read_s": round(read, 2),
        }
    print(json.dumps({"rules": count, **found}, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
