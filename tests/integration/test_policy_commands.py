"""`twokey policy`: why a call is asked about, and what another policy would have done with the calls of the past."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.conversation import ApiThread, JsonObject
from agent.errors import ConfigError, Refused
from agent.events import (
    ApprovalRequested,
    Event,
    GrantGiven,
    GrantUsed,
    MessageReceived,
    ModelResponded,
    ThreadCancelled,
    ToolCall,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.verdict import Approvers, Decider, Grant
from bot.cli import app
from store.connect import connect
from store.threads import Threads
from tests.builders import ADA, AT, DANA
from tests.fakes import FakeClock
from tests.fixtures import ROOT
from tests.migrated import sqlite_at

SAME = """
default:
  approvers: {roles: [support-lead]}
rules:
  - {name: looking up is free, effect: read, outcome: allow}
  - name: refunds need a lead or finance
    tools: [refund_order]
    outcome: ask
    approvers: {roles: [support-lead, finance]}
"""
GONE = "old\x1b[2J"
"""A name that the model made up, to clear the screen of whoever reads it."""
THEN = "(then by 'refunds need a lead or finance')"
WHY = "A refund sends money out and cannot be taken back."
TAINTED = """
rules:
  - {name: tainted, when: size(taint) > 0, outcome: deny}
  - {name: all, tools: ['*'], outcome: allow}
"""
STRICT = """
default:
  approvers: {roles: [finance]}
rules:
  - {name: nobody looks up 1044, tools: [lookup_order], when: 'args.order_id == "1044"', outcome: deny}
  - {name: reads, effect: read, outcome: allow}
  - name: big refunds need two
    tools: [refund_order]
    when: args.amount > 100
    outcome: ask
    approvers: {each: [{roles: [finance]}, {roles: [support-lead]}]}
  - {name: small ones are free, tools: [refund_order], when: args.amount < 10, outcome: allow}
"""


def call(name: str, number: int, **arguments: object) -> ToolCall:
    return ToolCall.model_validate({"id": f"c{number}", "provider_id": "p", "name": name, "arguments": arguments})


def refund(number: int, amount: float) -> ToolCall:
    return call("refund_order", number, order_id="1042", amount=amount, reason="torn")


def asked(of: ToolCall, rule: str = "refunds need a lead or finance") -> ApprovalRequested:
    return ApprovalRequested(
        at=AT,
        approval_id=f"apr_{of.id}",
        about="call",
        call_id=of.id,
        tool=of.name,
        arguments=of.arguments,
        title="Refund",
        why="why",
        rule=rule,
        approvers=Approvers(roles=("support-lead", "finance")),
        expires_at=AT + timedelta(days=1),
    )


def answered(*calls: ToolCall, at: datetime = AT, seen: int = 1) -> ModelResponded:
    return ModelResponded(at=at, seen=seen, calls=calls, stop="calls")


async def _write(url: str, logs: Sequence[Sequence[Event]]) -> None:
    database = connect(url)
    threads = Threads(database, FakeClock())
    for number, events in enumerate(logs, start=1):
        hello = MessageReceived(at=AT, delivery_id=f"d{number}", sender=ADA, text="Hi")
        place = ApiThread(ref=str(number))
        await threads.take_in(place, hello, keys=[f"k{number}"], new_id=f"thr_{number}", agent="support")
        await threads.inform(f"thr_{number}", events)
    await database.aclose()


def under_a_grant(of: ToolCall) -> list[Event]:
    leads, by = Approvers(roles=("support-lead",)), Decider(person="dana", identity=DANA, via="slack")
    grant = Grant(id="g", tool=of.name, schema_digest="", arguments={}, until=AT + timedelta(days=1), approvers=leads)
    rule = "refunds need a lead or finance"
    return [
        GrantGiven(at=AT, approval_id="apr_0", grant=grant, by=by),
        GrantUsed(at=AT, grant_id="g", call_id=of.id, tool=of.name, digest="", rule=rule, given_by="dana"),
    ]


def history() -> list[list[Event]]:
    """Threads on which something of each kind was proposed and decided."""
    look, small, big = call("lookup_order", 1, order_id="1044"), refund(2, 5.0), refund(3, 200.0)
    granted, guarded, stopped = refund(4, 50.0), call("lookup_order", 5, order_id="1042"), refund(6, 1.0)
    gone, invalid, finish = (
        call(GONE, 7),
        call("refund_order", 8, order_id="1042"),
        call("finish", 9, summary="done"),
    )
    return [
        [answered(look), ToolReturned(at=AT, call_id="c1", result={})],
        [answered(small, big), asked(small), asked(big)],
        [answered(granted), *under_a_grant(granted)],
        [answered(guarded), asked(guarded, "guardrail 0.9")],
        [answered(stopped), ThreadCancelled(at=AT, by=ADA)],
        [
            answered(gone, invalid, finish),
            ToolFailed(at=AT, call_id="c8", why="invalid", error="reason: missing"),
            ToolStarted(at=AT, call_id="c7", tool=GONE, digest="", rule="x"),
        ],
    ]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with that history, and the settings that lead to it."""
    made = sqlite_at(tmp_path / "twokey.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", made)
    monkeypatch.setenv("CONFIG_DIR", str(ROOT))
    asyncio.run(_write(made, history()))
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["policy", *words], catch_exceptions=False)


def held(folder: Path, text: str, *words: str) -> Result:
    (folder / "new.yaml").write_text(text)
    return run("test", str(folder / "new.yaml"), *words)


@pytest.mark.usefixtures("url")
def test_a_policy_that_says_what_was_said_changes_nothing(tmp_path: Path) -> None:
    done = held(tmp_path, SAME)

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "6 calls on 6 threads, 5 as before; 1 more were stopped before, or are still going on",
        "nothing would change",
    ]


@pytest.mark.usefixtures("url")
def test_a_stricter_policy_tells_each_call_that_it_would_have_treated_otherwise(tmp_path: Path) -> None:
    done = held(tmp_path, STRICT)

    assert done.exit_code == 3
    assert done.stdout.splitlines() == [
        "thr_1  c1  2026-11-25 09:00  lookup_order: allow → deny, by 'nobody looks up 1044'",
        f"thr_2  c2  2026-11-25 09:00  refund_order: ask → allow, by 'small ones are free' {THEN}",
        f"thr_2  c3  2026-11-25 09:00  refund_order: ask → ask of others, by 'big refunds need two' {THEN}",
        "1 call: allow → deny",
        "1 call: ask → allow",
        "1 call: ask → ask of others",
        "6 calls on 6 threads, 2 as before; 1 more were stopped before, or are still going on",
    ]


@pytest.mark.usefixtures("url")
def test_a_machine_is_told_the_same(tmp_path: Path) -> None:
    found = json.loads(held(tmp_path, STRICT, "--json").stdout)

    assert found["changes"] == {"allow → deny": 1, "ask → allow": 1, "ask → ask of others": 1}
    assert (found["threads"], found["calls"], found["same"], found["unknown"]) == (6, 6, 2, 1)
    first, second, third = found["changed"]
    assert (first["thread"], first["call"], first["now"]["outcome"]) == ("thr_1", "c1", "deny")
    assert second["then"] == {"outcome": "ask", "rule": "refunds need a lead or finance"}
    assert third["now"]["approvers"]["each"][0]["roles"] == ["finance"]


@pytest.mark.usefixtures("url")
def test_only_calls_since_a_moment_count_where_one_is_given(tmp_path: Path) -> None:
    assert held(tmp_path, STRICT, "--since", "2026-11-26").stdout.splitlines()[0] == "0 calls on 0 threads, 0 as before"
    assert held(tmp_path, STRICT, "--since", "2026-11-25T09:00Z").exit_code == 3
    with pytest.raises(ConfigError, match="--since: must be a day"):
        held(tmp_path, STRICT, "--since", "yesterday")


@pytest.mark.usefixtures("url")
def test_a_file_that_is_no_policy_of_this_deployment_is_refused_with_its_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"new.yaml:9: rules.2.when: there is no variable `arg`") as caught:
        held(tmp_path, STRICT.replace("args.amount > 100", "arg.amount > 100"))
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ConfigError, match=r"new.yaml:3: default.approvers.roles.0: there is no role"):
        held(tmp_path, STRICT.replace("roles: [finance]}\nrules", "roles: [boss]}\nrules"))
    with pytest.raises(ConfigError, match=r"nowhere.yaml: there is no such file"):
        run("test", "nowhere.yaml")


@pytest.mark.usefixtures("url")
def test_what_is_probably_not_meant_is_told_beside_the_report(tmp_path: Path) -> None:
    done = held(tmp_path, SAME.replace("[support-lead, finance]}", "[finance], requester: false}"))

    assert "new.yaml:9: rules.1.approvers: nobody may approve what lee asks for: another" in done.stderr


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("name", ["c3", "apr_c3"])
def test_an_explanation_goes_through_the_rules_and_says_whom_it_takes(name: str) -> None:
    done = run("explain", "thr_2", name)

    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "refund_order (c3) on thr_2, proposed 2026-11-25 09:00 UTC",
        "   1. looking up is free: does not match; it is about tools whose effect is read",
        "   2. refunds need a lead or finance: decided; it is about refund_order",
        f"People are asked, by the rule 'refunds need a lead or finance': {WHY}",
        "It takes one of role support-lead or role finance.",
        "These may decide: Dana Reyes, Lee Chen.",
        "After 1d it expires.",
    ]


@pytest.mark.usefixtures("url")
def test_a_machine_is_told_the_explanation_too() -> None:
    found = json.loads(run("explain", "thr_1", "c1", "--json").stdout)

    assert found["rules"][0] == {
        "rule": "looking up is free",
        "outcome": "decided",
        "because": "the tool's effect is read",
    }
    assert found["verdict"] == {"outcome": "allow", "rule": "looking up is free"}
    assert (found["thread"], found["call"], found["tool"], found["may_decide"]) == ("thr_1", "c1", "lookup_order", [])


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    "words, complaint",
    [
        (("thr_9", "c1"), "there is no thread thr_9; see: twokey threads list"),
        (("thr_2", "c9"), r"there is no call c9 on thr_2; there are: c2 \(refund_order\), c3 \(refund_order\)"),
        (("thr_6", "c9"), "finish is no action: the policy is not asked about it"),
        (("thr_6", "c7"), r"old.*1B.* is no tool of this agent any more"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_what_there_is(words: tuple[str, str], complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        run("explain", *words)


def test_calls_are_judged_on_the_thread_as_it_was_then(url: str, tmp_path: Path) -> None:
    before, behind = call("lookup_order", 1, order_id="1"), call("lookup_order", 2, order_id="1")
    arguments: JsonObject = {}
    later: list[list[Event]] = [
        [
            answered(before),
            ToolReturned(at=AT, call_id="c1", result=arguments, is_outside=True),
            answered(behind, seen=3),
            ToolReturned(at=AT, call_id="c2", result=arguments),
        ]
    ]
    other = sqlite_at(tmp_path / "other.db")
    asyncio.run(_write(other, later))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", other)
        done = held(tmp_path, TAINTED)

    assert done.stdout.splitlines()[:2] == [
        "thr_1  c2  2026-11-25 09:00  lookup_order: allow → deny, by 'tainted'",
        "1 call: allow → deny",
    ]
