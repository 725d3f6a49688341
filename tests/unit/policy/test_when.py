"""`when`: what a condition may speak of, what it is told, and that what cannot be judged is asked about."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.conversation import ApiThread, Identity, JsonObject, MailThread
from agent.effects import Allow, Ask, Deny, Verdict
from agent.entries import Entry
from agent.events import MessageReceived, ToolReturned
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.unit.policy.payments import CHANNEL, DIRECTORY, FRIDAY, SLACK_ADA, call, pay, thread

BERLIN = {"timezone": "Europe/Berlin", "from": "09:00", "to": "17:00"}
DENIED, ALLOWED = Deny("first", "not allowed here"), Allow("rest")


def judge(
    when: str,
    arguments: JsonObject | None = None,
    state: ThreadState | None = None,
    of: Tool = pay,
    **default: object,
) -> Verdict:
    made = call(arguments if arguments is not None else {"amount": 600}, of.name)
    file = {
        "default": {"approvers": {"roles": ["boss"]}, **default},
        "rules": [
            {"name": "first", "when": when, "outcome": "deny"},
            {"name": "rest", "when": "true", "outcome": "allow"},
        ],
    }
    policy = Policy(PolicyFile.model_validate(file), DIRECTORY)
    return policy.judge(made, of, state if state is not None else thread(made))


@pytest.mark.parametrize(
    "when, holds",
    [
        ("args.amount > 500", True),
        ("args.amount > 500 && args.price < 10.0", True),
        ("args.amount > 600", False),
        ('tool == "pay"', True),
        ('args.to == ""', True),
        ("args.note == null", True),
        ('args.speed == "slow"', True),
        ("args.lines == []", True),
        ('timestamp(args.on) < timestamp("2026-12-01T00:00:00Z")', True),
        ('requester.id == "ada" && requester.name == "Ada" && requester.email == "ada@ours.example"', True),
        ('"support" in requester.roles', True),
        ('channel.kind == "slack" && channel.id == "C1" && channel.team == "T1"', True),
        ('agent == "support"', True),
        ("taint == []", True),
        ("cost.tokens == 1020", True),
        ('effect == "write" && hints.destructive && !hints.read_only && !hints.idempotent && hints.open_world', True),
        ('time.date == "2026-11-27" && time.weekday == "fri" && time.hour == 15', True),
        ('time.at == timestamp("2026-11-27T15:30:00Z")', True),
    ],
)
def test_a_condition_may_speak_of_the_call_and_of_all_around_it(when: str, *, holds: bool) -> None:
    assert judge(when) == (DENIED if holds else ALLOWED)


@pytest.mark.parametrize(
    "arguments, when, holds",
    [
        ({"amount": "600"}, "args.amount == 600", True),
        ({"amount": 600.0}, "args.amount == 600", True),
        ({"amount": 1, "price": "20.5"}, "args.price > 20", True),
        ({"amount": 1, "lines": [{"sku": "a"}]}, "args.lines.exists(line, line.count == 1)", True),
    ],
)
def test_arguments_are_those_that_the_tool_would_be_given(arguments: JsonObject, when: str, *, holds: bool) -> None:
    assert judge(when, arguments) == (DENIED if holds else ALLOWED)


@pytest.mark.parametrize(
    "when, arguments, reason",
    [
        ("args.amount > 500", {"amount": 10**30}, "a number in what it is about is too large"),
        ("args.amount > 500", {"amount": -(10**30)}, "a number in what it is about is too large"),
        ('args.to > "a"', {"amount": 1, "to": "\ud800"}, "malformed"),
        ("args.to > 1", {"amount": 1, "to": "s3cret"}, "it compares or computes what does not go together"),
        ("args.note.size() > 1", {"amount": 1}, "a function in it does not take what it was given"),
        ("args.amount > 500", {"amount": "much"}, "the tool would not take these arguments"),
        ("args.amount", {"amount": 1}, "it comes to something other than true or false"),
        ("args.other == 1", {"amount": 1}, "there is no `other`"),
        ("time.in_business_hours", {"amount": 1}, "there is no `in_business_hours`"),
    ],
)
def test_what_cannot_be_judged_is_asked_about_as_the_default_says_and_the_card_says_why(
    when: str, arguments: JsonObject, reason: str
) -> None:
    verdict = judge(when, arguments)

    assert isinstance(verdict, Ask)
    assert verdict.rule == "error"
    assert verdict.why.startswith("Rule 'first' of the policy could not be judged, so a person is asked: ")
    assert reason in verdict.why
    assert "s3cret" not in verdict.why
    assert verdict.approvers == Approvers(roles=("boss",))


def test_a_call_that_the_log_does_not_know_has_no_time() -> None:
    verdict = judge("time.hour > 1", state=ThreadState("thr_1", CHANNEL))

    assert isinstance(verdict, Ask)
    assert "could not be judged" in verdict.why


@pytest.mark.parametrize(
    "sender, when",
    [
        (Identity(channel="mail", id="eve@out.example", name="Ada"), 'requester.id == "" && requester.name == ""'),
        (Identity(channel="mail", id="eve@out.example"), 'requester.email == "eve@out.example"'),
        (Identity(channel="mail", id="eve@out.example"), "requester.roles == []"),
        (Identity(channel="mail", id="ada@ours.example", verified=False), 'requester.email == ""'),
        (Identity(channel="mail", id="ada@ours.example", verified=False), "requester.roles == []"),
        (Identity(channel="mail", id="ada@ours.example"), 'requester.id == "ada"'),
        (Identity(channel="api", id="ada"), 'requester.id == "ada"'),
    ],
)
def test_nobody_is_taken_for_whom_they_only_claim_to_be(sender: Identity, when: str) -> None:
    made = call({"amount": 1})
    assert judge(when, {"amount": 1}, thread(made, sender=sender)) == DENIED


def test_a_thread_that_outsiders_wrote_in_is_tainted() -> None:
    made = call({"amount": 1})
    outside = thread(made, sender=Identity(channel="mail", id="eve@out.example"), is_outside=True)
    web = fold(thread(made), [Entry(3, ToolReturned(at=FRIDAY, call_id="c1", result="words", is_outside=True))])

    assert judge("size(taint) > 0", state=outside) == DENIED
    assert judge('taint.exists(each, each == "output of pay")', state=web) == DENIED
    assert judge("size(taint) > 0") == ALLOWED


@pytest.mark.parametrize(
    "place, when",
    [
        (
            MailThread(mailbox="agent@ours.example", root="m1"),
            'channel.kind == "mail" && channel.id == "agent@ours.example"',
        ),
        (ApiThread(ref="job-7"), 'channel.kind == "api" && channel.id == "job-7" && channel.team == ""'),
    ],
)
def test_a_condition_may_speak_of_every_channel(place: MailThread | ApiThread, when: str) -> None:
    made = call({"amount": 600})
    assert judge(when, state=thread(made, place=place)) == DENIED


@pytest.mark.parametrize(
    "utc, is_open",
    [
        (datetime(2026, 11, 27, 8, 0, tzinfo=UTC), True),  # nine o'clock in Berlin
        (datetime(2026, 11, 27, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 27, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 28, 12, 0, tzinfo=UTC), False),
    ],
)
def test_a_condition_may_speak_of_business_hours_by_the_clock_of_the_business(utc: datetime, *, is_open: bool) -> None:
    made = call({"amount": 600})
    state = thread(made, at=utc)

    assert judge("time.in_business_hours", state=state, business_hours=BERLIN) == (DENIED if is_open else ALLOWED)


def test_the_time_is_that_of_the_proposal_however_late_it_is_judged() -> None:
    made = call({"amount": 600})
    later = fold(thread(made), [Entry(3, ToolReturned(at=FRIDAY.replace(hour=23), call_id="other", result=""))])

    assert judge("time.hour == 15", state=later) == DENIED


@pytest.mark.parametrize(
    "of, when",
    [
        (replace(pay, effect="read"), "hints.read_only && !hints.destructive && hints.idempotent"),
        (replace(pay, idempotent=True), "hints.destructive && hints.idempotent && !hints.read_only"),
    ],
)
def test_hints_say_what_the_tool_declares_and_the_risky_thing_where_it_does_not(of: Tool, when: str) -> None:
    assert judge(when, of=of) == DENIED


def test_a_condition_is_not_looked_at_where_the_rule_is_about_other_tools() -> None:
    file = {
        "rules": [
            {"name": "others", "tools": ["other"], "when": "args.never == 1", "outcome": "deny"},
            {"name": "reads", "effect": "read", "when": "args.never == 1", "outcome": "deny"},
            {"name": "rest", "tools": ["pay"], "outcome": "allow"},
        ]
    }
    made = call({"amount": 1})

    assert Policy(PolicyFile.model_validate(file)).judge(made, pay, thread(made)) == Allow("rest")


def test_a_condition_that_breaks_hides_what_an_allowing_rule_below_would_say() -> None:
    def policy(*rules: Mapping[str, object]) -> Policy:
        return Policy(PolicyFile.model_validate({"rules": rules}))

    broken = {"name": "broken", "tools": ["*"], "when": "args.x == 1", "outcome": "allow"}
    every = {"name": "all", "tools": ["*"], "outcome": "allow"}
    made, above, below = call({"amount": 1}), policy(broken, every), policy(every, broken)

    assert isinstance(above.judge(made, pay, thread(made)), Ask)
    assert below.judge(made, pay, thread(made)) == Allow("all")


def test_the_card_says_the_condition_where_the_rule_has_no_words_of_its_own() -> None:
    file = {"rules": [{"name": "big", "tools": ["pay"], "when": "args.amount > 500", "outcome": "ask"}]}
    made = call({"amount": 600})

    verdict = Policy(PolicyFile.model_validate(file)).judge(made, pay, thread(made))

    assert isinstance(verdict, Ask)
    assert verdict.why == "The policy wants a person's approval of pay where args.amount > 500."


def test_what_cannot_be_judged_is_never_left_to_a_grant() -> None:
    """It might have been the rule that forbids, and the one who proposes the arguments may be whoever broke it."""
    verdict = judge("int(args.to) > 5", {"amount": 1, "to": "x"}, may_grant=True)

    assert isinstance(verdict, Ask)
    assert (verdict.rule, verdict.may_grant) == ("error", False)


@pytest.mark.parametrize("before_the_answer", [True, False], ids=["while it was made", "after it"])
def test_a_word_that_the_model_had_not_seen_makes_no_call_its_writer_s(*, before_the_answer: bool) -> None:
    made = call({"amount": 1})
    asked, answer = thread(made, sender=Identity(channel="mail", id="eve@out.example")).entries
    thanks = MessageReceived(at=FRIDAY, delivery_id="d2", sender=SLACK_ADA, text="thanks")
    events = [asked.event, *((thanks, answer.event) if before_the_answer else (answer.event, thanks))]
    state = fold(ThreadState("thr_1", CHANNEL), [Entry(place, event) for place, event in enumerate(events, start=1)])

    assert judge('"support" in requester.roles', {"amount": 1}, state) == ALLOWED
    assert judge('requester.email == "eve@out.example"', {"amount": 1}, state) == DENIED
