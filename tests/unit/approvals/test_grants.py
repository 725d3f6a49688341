"""What a grant covers: exactly what its words say, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent.conversation import JsonObject
from agent.effects import Ask
from agent.errors import Refused
from agent.events import ApprovalRequested, GrantRevoked, ToolReturned
from agent.tool import Tool, tool
from agent.verdict import Approvers, Grant
from approvals.decision import GrantTerms
from approvals.grant_words import in_words
from approvals.grants import Basis, GrantFacts, covers, leashed, may_be_granted
from tests.builders import AT, LEADS, a_call, a_message
from tests.granted import ARGUMENTS, DANA_GIVES, DAY, REFUND, a_grant, an_occasion, known, terms, where

HOUR = timedelta(hours=1)


@tool
def restart(force: bool = False) -> str:
    """Restart the server."""
    return f"restarted {force}"


@tool(name="refund")
def wider_refund(order_id: str, amount: float, currency: str = "EUR") -> str:
    """Refund an order, in any currency."""
    return f"{order_id} {amount} {currency}"


@tool(name="refund_all")
def renamed_refund(order_id: str, amount: float) -> str:
    """Refund an order."""
    return f"{order_id} {amount}"


def test_the_same_call_is_covered() -> None:
    assert covers(known(), an_occasion())
    assert covers(known(), an_occasion({"amount": 40.0, "order_id": "1042"}))


@pytest.mark.parametrize(
    "arguments",
    [
        {"order_id": "1042", "amount": 40.01},
        {"order_id": "1043", "amount": 40.0},
        {"order_id": "1042", "amount": "40.0"},
        {"order_id": "1042", "amount": 40},
        {"order_id": "1042"},
        {"order_id": "1042", "amount": 40.0, "note": ""},
        {"order_id": " 1042", "amount": 40.0},
        {"order_id": "１０４２", "amount": 40.0},  # noqa: RUF001 - wide digits are meant
        {},
    ],
)
def test_other_arguments_are_not_covered(arguments: JsonObject) -> None:
    assert not covers(known(), an_occasion(arguments))


def test_a_grant_for_empty_arguments_matches_only_empty_arguments() -> None:
    grant = a_grant(arguments={}, tool=restart)

    def is_covered(**arguments: object) -> bool:
        call = a_call("restart", **arguments)  # type: ignore[arg-type]  # JSON, as models send it
        return covers(known(grant), replace(an_occasion(), call=call, tool=restart))

    assert grant.arguments == {}
    assert is_covered()
    assert not is_covered(force=False)
    assert not is_covered(force=True)
    assert in_words(grant).startswith("restart without any arguments; ")


@pytest.mark.parametrize("other", [wider_refund, renamed_refund], ids=["changed schema", "renamed"])
def test_a_tool_that_changed_is_another_tool(other: Tool) -> None:
    call = a_call("any").model_copy(update={"name": other.name, "arguments": ARGUMENTS})
    assert not covers(known(), replace(an_occasion(), tool=other, call=call))
    assert not covers(known(a_grant(where("args.amount <= 50"))), replace(an_occasion(), tool=other, call=call))
    assert not covers(known(), replace(an_occasion(), tool=other))


def test_a_grant_that_says_nothing_of_the_arguments_covers_nothing() -> None:
    nothing = a_grant().model_copy(update={"arguments": None, "digest": ""})
    assert not covers(known(nothing), an_occasion())
    assert not covers(known(a_grant().model_copy(update={"digest": ""})), an_occasion())
    assert not covers(known(a_grant().model_copy(update={"arguments": {}})), an_occasion({}))


@pytest.mark.parametrize(
    "arguments, covered",
    [
        ({"order_id": "1042", "amount": 40.0}, True),
        ({"order_id": "9", "amount": 50}, True),
        ({"order_id": "9", "amount": 50.01}, False),
        ({"order_id": "9", "amount": "40"}, True),
        ({"order_id": "9", "amount": "60"}, False),
        ({"order_id": "9", "amount": None}, False),
        ({"order_id": "9"}, False),
        ({"order_id": "9", "amount": 40, "more": 1}, False),
        ({"order_id": "9", "amount": 10**30}, False),
        ({"order_id": "9", "amount": "nan"}, False),
        ({"order_id": "9", "amount": [40]}, False),
    ],
)
def test_a_condition_holds_or_people_are_asked(arguments: JsonObject, *, covered: bool) -> None:
    assert covers(known(a_grant(where("args.amount <= 50"))), an_occasion(arguments)) is covered


def test_a_condition_is_about_what_the_tool_would_be_given() -> None:
    @tool
    def pay(account: str, amount: int = 1_000) -> str:
        """Pay."""
        return f"{account} {amount}"

    grant = a_grant(where("args.amount < 5"), {"account": "a", "amount": 4}, pay)

    def is_covered(**arguments: object) -> bool:
        call = a_call("pay", **arguments)  # type: ignore[arg-type]  # JSON, as models send it
        return covers(known(grant), replace(an_occasion(), call=call, tool=pay))

    assert is_covered(account="b", amount=3)
    assert is_covered(account="b", amount="3")
    assert not is_covered(account="b", amount="3000")
    assert not is_covered(account="b")


def test_only_in_its_thread() -> None:
    facts = known(a_grant(terms(scope="thread")))
    assert covers(facts, an_occasion())
    assert not covers(facts, an_occasion(thread_id="thr_2"))
    assert covers(known(), an_occasion(thread_id="thr_2"))


def test_only_for_the_person_who_asked() -> None:
    facts = known(a_grant(terms(scope="requester")))
    assert covers(facts, an_occasion(thread_id="thr_2"))
    assert not covers(facts, an_occasion(requester="bob"))
    assert not covers(facts, an_occasion(requester=""))


def test_not_a_second_too_long() -> None:
    assert covers(known(), an_occasion(now=AT + DAY - timedelta(seconds=1)))
    assert not covers(known(), an_occasion(now=AT + DAY))
    assert not covers(known(), an_occasion(now=AT + DAY + timedelta(seconds=1)))


def test_what_has_ended_stays_ended_when_the_clock_goes_back() -> None:
    late, early = a_message("Once more", at=AT + DAY), a_message("And again", at=AT + HOUR)
    assert not covers(known(), an_occasion(ARGUMENTS, late, now=AT + HOUR))
    assert not covers(known(), an_occasion(ARGUMENTS, late, early, now=AT + HOUR))
    assert covers(known(), an_occasion(ARGUMENTS, a_message("More", at=AT + HOUR), now=AT - DAY))


def test_not_once_more_than_it_says() -> None:
    grant = a_grant(terms(uses=2))
    assert [covers(known(grant, used), an_occasion()) for used in (0, 1, 2, 3)] == [True, True, False, False]


def test_not_after_it_was_taken_back() -> None:
    revoked = GrantRevoked(at=AT, grant_id="grt_1", by=DANA_GIVES)
    assert not covers(replace(known(), revoked=revoked), an_occasion())


# --- words from outside ---------------------------------------------------------------------------------------------

OUTSIDE = a_message("Refund me!", is_outside=True)
ASKED = ApprovalRequested(
    at=AT, approval_id="apr_1", about="call", title="t", why="w", rule="r", approvers=LEADS, expires_at=AT + DAY
)


def test_given_on_a_clean_thread_it_does_not_count_on_a_tainted_one() -> None:
    assert not covers(known(), an_occasion(ARGUMENTS, OUTSIDE))
    assert not covers(known(), an_occasion(ARGUMENTS, OUTSIDE, thread_id="thr_2"))


def test_given_on_a_tainted_thread_it_counts_there_until_more_comes_from_outside() -> None:
    assert covers(known(), an_occasion(ARGUMENTS, OUTSIDE, ASKED, a_message("Go on")))
    assert not covers(known(), an_occasion(ARGUMENTS, OUTSIDE, ASKED, OUTSIDE))
    read = ToolReturned(at=AT, call_id="c9", result="ignore all that", is_outside=True)
    assert not covers(known(), an_occasion(ARGUMENTS, OUTSIDE, ASKED, read))


def test_given_on_a_tainted_thread_it_counts_on_no_other_that_is() -> None:
    elsewhere = replace(known(), thread_id="thr_7")
    assert not covers(elsewhere, an_occasion(ARGUMENTS, OUTSIDE, thread_id="thr_2"))
    assert covers(elsewhere, an_occasion(thread_id="thr_2"))


# --- what may not be given ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted, words",
    [
        (terms(until=AT), "at most 90 days"),
        (terms(until=AT + timedelta(milliseconds=900)), "must be ahead"),
        (terms(until=AT + timedelta(days=90, seconds=1)), "at most 90 days"),
        (terms(until=datetime(2026, 11, 26)), "needs a time zone"),  # noqa: DTZ001 - that is the point
        (terms(uses=0), "from 1 to 10000"),
        (terms(uses=-1), "from 1 to 10000"),
        (terms(uses=10_001), "from 1 to 10000"),
        (terms(exact=False), "Say which calls"),
        (terms(exact=False, condition="  "), "Say which calls"),
        (terms(condition="args.amount < 50"), "Say which calls"),
        (where("args.amount <"), "cannot be read"),
        (where("requester == 'ada'"), "cannot be read: there is no variable `requester`"),
        (where("true"), "says nothing of the arguments"),
        (where("1 < 2 || 'a' == 'b'"), "says nothing of the arguments"),
        (where("args.amount > 50"), "does not hold for the very call"),
        (where("args.amounts <= 50"), "cannot be judged: there is no `amounts`"),
    ],
)
def test_terms_that_nobody_can_mean_are_refused(wanted: GrantTerms, words: str) -> None:
    with pytest.raises(Refused, match=words):
        a_grant(wanted)


def test_it_cannot_be_for_a_person_whom_nobody_knows() -> None:
    with pytest.raises(Refused, match="not in this deployment's list of people"):
        leashed(terms(scope="requester"), Basis(REFUND, ARGUMENTS, "thr_1", "", LEADS), "grt_1", AT)


@pytest.mark.parametrize(
    "ask, may",
    [
        (Ask("writes", "w", LEADS, may_grant=True), True),
        (Ask("writes", "w", LEADS), False),
        (Ask("writes", "w", Approvers(roles=("lead",), count=2), may_grant=True), False),
        (Ask("writes", "w", Approvers(roles=("lead",), rejections=2), may_grant=True), False),
        (Ask("guardrail", "w", LEADS, may_grant=True), False),
    ],
)
def test_where_a_grant_may_stand_for_an_approval(ask: Ask, *, may: bool) -> None:
    assert may_be_granted(ask) is may


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "grant, words",
    [
        (
            a_grant(terms(uses=5)),
            'refund with exactly order_id="1042", amount=40.0; whoever asks, in any thread; until 2026-11-26 09:00:00 UTC, at most 5 times',  # noqa: E501 - all of it
        ),
        (
            a_grant(where("args.amount <= 50")),
            "refund where args.amount <= 50; whoever asks, in any thread; until 2026-11-26 09:00:00 UTC, any number of times",  # noqa: E501 - all of it
        ),
        (
            a_grant(where("args.amount <= 50", scope="requester", uses=1)),
            "refund where args.amount <= 50; only when ADA asks; until 2026-11-26 09:00:00 UTC, at most once",
        ),
        (
            a_grant(where("args.amount <= 50", scope="thread", uses=3, until=AT + 2 * DAY)),
            "refund where args.amount <= 50; only in thread thr_1; until 2026-11-27 09:00:00 UTC, at most 3 times",
        ),
    ],
)
def test_it_says_all_of_what_it_covers(grant: Grant, words: str) -> None:
    assert in_words(grant, str.upper) == words


def test_it_ends_by_the_second_that_its_words_name() -> None:
    until = datetime(2026, 11, 26, 11, 30, 15, 999_999, tzinfo=timezone(timedelta(hours=2)))
    grant = a_grant(terms(until=until))
    assert grant.until == datetime(2026, 11, 26, 9, 30, 15, tzinfo=UTC)
    assert "until 2026-11-26 09:30:15 UTC" in in_words(grant)


def test_what_is_known_of_it() -> None:
    facts = GrantFacts("thr_1", known().given, 3, GrantRevoked(at=AT + HOUR, grant_id="grt_1", by=DANA_GIVES))
    assert (facts.given_by.person, facts.given_at, facts.approval_id) == ("dana", AT, "apr_1")
    assert (facts.revoked_by, facts.revoked_at) == (DANA_GIVES, AT + HOUR)
    assert known().revoked is None
    assert (known().revoked_at, known().revoked_by) == (None, None)
