"""When a request expires, reminds and asks others: on the clock, or by business hours where the policy says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.conversation import ApiThread
from agent.effects import Ask, RequestApproval, Step
from agent.events import ApprovalRequested
from agent.state import ThreadState
from agent.verdict import Approvers
from approvals.hours import BusinessHours
from approvals.opening import Opening
from approvals.people import Directory, Person
from tests.builders import Ledger, a_call
from tests.fakes import CountingIds, FakeClock

FRIDAY = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
HOURS = BusinessHours()
ASK = Ask("r", "why", Approvers(people=("dana",)), show_on=("direct",))
HOUR = timedelta(hours=1)


async def request(ask: Ask, *, now: datetime = FRIDAY, hours: BusinessHours | None = HOURS) -> ApprovalRequested:
    people = Directory([Person(id="dana", name="Dana", slack={"T1": "U1"})])
    rest = (people, Ledger().tools(), FakeClock(now), CountingIds())
    opening = Opening(*rest, timeout=4 * 3600, channels=("slack",), reminders=3, hours=hours)
    call = a_call("refund", order_id="1", amount=1.0)
    return await opening.request(RequestApproval("call", ask, call), ThreadState("thr_1", ApiThread(ref="1")))


async def test_on_the_clock_a_request_of_friday_evening_expires_that_night() -> None:
    asked = await request(ASK)

    assert asked.expires_at == FRIDAY + 4 * HOUR
    assert asked.remind_at == (FRIDAY + HOUR, FRIDAY + 2 * HOUR, FRIDAY + 3 * HOUR)


async def test_in_business_hours_it_waits_over_the_weekend() -> None:
    asked = await request(replace(ASK, in_business_hours=True))

    assert asked.expires_at == MONDAY + 3 * HOUR
    assert asked.remind_at == (FRIDAY + HOUR, MONDAY + HOUR, MONDAY + 2 * HOUR)


async def test_escalations_count_business_hours_too_and_come_in_order() -> None:
    steps = (Step(3 * 3600, roles=("cfo",)), Step(2 * 3600, people=("dana",)), Step(4 * 3600, roles=("late",)))

    clocked = await request(replace(ASK, escalation=steps))
    counted = await request(replace(ASK, escalation=steps, in_business_hours=True))

    assert [(each.at, each.roles, each.people) for each in clocked.escalations] == [
        (FRIDAY + 2 * HOUR, (), ("dana",)),
        (FRIDAY + 3 * HOUR, ("cfo",), ()),
    ]
    assert [each.at for each in counted.escalations] == [MONDAY + HOUR, MONDAY + 2 * HOUR]


async def test_a_rule_says_its_own_time_reminders_and_what_its_end_means() -> None:
    asked = await request(replace(ASK, timeout=7200.0, reminders=1, on_timeout="reject", may_grant=True))

    assert asked.expires_at == FRIDAY + 2 * HOUR
    assert asked.remind_at == (FRIDAY + HOUR,)
    assert (asked.on_timeout, asked.may_grant) == ("reject", True)


@pytest.mark.parametrize("lasts, reminders, expected", [(60.0, 5, 0), (120.0, 5, 1), (3600.0, 0, 0), (240.0, 50, 3)])
async def test_reminders_are_a_minute_apart_at_least(lasts: float, reminders: int, expected: int) -> None:
    for in_business_hours in (False, True):
        ask = replace(ASK, timeout=lasts, reminders=reminders, in_business_hours=in_business_hours)
        assert len((await request(ask)).remind_at) == expected


@settings(deadline=None)
@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis adds it
    lasts=st.floats(1, 30 * 86400),
    reminders=st.integers(0, 50),
    steps=st.lists(st.floats(1, 40 * 86400), max_size=5),
    counted=st.booleans(),
)
async def test_all_that_happens_to_a_request_happens_before_it_expires_and_in_order(
    now: datetime, lasts: float, reminders: int, steps: list[float], counted: bool
) -> None:
    ask = replace(
        ASK,
        timeout=lasts,
        reminders=reminders,
        escalation=tuple(Step(after, people=("dana",)) for after in steps),
        in_business_hours=counted,
    )

    asked = await request(ask, now=now)

    escalated = tuple(each.at for each in asked.escalations)
    assert now < asked.expires_at
    assert list(asked.remind_at) == sorted(asked.remind_at)
    assert list(escalated) == sorted(escalated)
    assert all(now < each < asked.expires_at for each in (*asked.remind_at, *escalated))
