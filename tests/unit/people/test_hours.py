"""Quiet hours and business hours, over weekends, holidays and the days on which clocks are changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from approvals.hours import BusinessHours, QuietHours, after, is_open, next_waking

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"]
)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)
MOMENTS = st.datetimes(datetime(2017, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds it


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def hours(**said: object) -> BusinessHours:
    return BusinessHours.model_validate(said)


@st.composite
def business(draw: st.DrawFn, earliest: int = 0, latest: int = 1440) -> BusinessHours:
    begin = draw(st.integers(earliest, latest - 15))
    end = draw(st.integers(begin + 15, latest))
    days = draw(st.sets(st.sampled_from(WEEK), min_size=1))
    holidays = draw(st.lists(st.dates(date(2017, 1, 1), date(2027, 1, 1)), max_size=3))
    return hours(timezone=draw(ZONES), days=tuple(days), to=clock(end), holidays=holidays, **{"from": clock(begin)})


def moment(zone: str, *when: int) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]  # year, month, day, hour, minute


def test_friday_evening_goes_on_on_monday_morning() -> None:
    berlin = hours(timezone="Europe/Berlin")
    done = after(moment("Europe/Berlin", 2026, 11, 27, 16, 30), 3600, berlin)
    assert done == moment("Europe/Berlin", 2026, 11, 30, 9, 30)


def test_what_is_asked_at_night_begins_in_the_morning() -> None:
    berlin = hours(timezone="Europe/Berlin")
    assert after(moment("Europe/Berlin", 2026, 11, 25, 3, 0), 60, berlin) == moment("Europe/Berlin", 2026, 11, 25, 9, 1)


def test_a_span_that_is_used_up_at_closing_time_ends_then() -> None:
    assert after(datetime(2026, 11, 27, 16, tzinfo=UTC), 3600, hours()) == datetime(2026, 11, 27, 17, tzinfo=UTC)


def test_holidays_are_skipped() -> None:
    closed = hours(holidays=["2026-12-24", "2026-12-25"])
    assert after(datetime(2026, 12, 23, 17, tzinfo=UTC), 60, closed) == datetime(2026, 12, 28, 9, 1, tzinfo=UTC)


def test_a_day_on_which_the_clock_is_put_forward_is_an_hour_shorter() -> None:
    always = hours(timezone="Europe/Berlin", days=WEEK, to="24:00", **{"from": "00:00"})
    begin = moment("Europe/Berlin", 2026, 3, 29, 0, 0)
    assert after(begin, 23 * 3600, always) == moment("Europe/Berlin", 2026, 3, 30, 0, 0)
    assert after(moment("Europe/Berlin", 2026, 10, 25, 0, 0), 25 * 3600, always) == moment(
        "Europe/Berlin", 2026, 10, 26, 0, 0
    )


def test_hours_that_the_wall_clock_skips_begin_when_it_is_put_forward() -> None:
    early = hours(timezone="Europe/Berlin", days=["sun"], to="03:30", **{"from": "02:15"})
    begin = moment("Europe/Berlin", 2026, 3, 28, 12, 0)
    assert after(begin, 1800, early) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_day_that_a_country_left_out_is_no_business_day() -> None:
    apia = hours(timezone="Pacific/Apia", days=WEEK)
    begin = moment("Pacific/Apia", 2011, 12, 29, 17, 0)
    assert after(begin, 3600, apia) == moment("Pacific/Apia", 2011, 12, 31, 10, 0)


def test_no_time_is_no_time() -> None:
    night = datetime(2026, 11, 25, 3, tzinfo=UTC)
    assert after(night, 0, hours()) == night
    with pytest.raises(ValueError, match="backwards"):
        after(night, -1, hours())


@settings(deadline=None)
@given(business(), MOMENTS, st.integers(0, 200_000), st.integers(0, 200_000))
def test_two_spans_one_after_another_are_one(open_: BusinessHours, start: datetime, first: int, second: int) -> None:
    assert after(after(start, first, open_), second, open_) == after(start, first + second, open_)


@settings(deadline=None)
@given(business(), MOMENTS, st.integers(0, 3_000_000), st.integers(0, 3_000_000))
def test_whoever_waits_longer_or_begins_later_is_not_done_sooner(
    open_: BusinessHours, start: datetime, span: int, later: int
) -> None:
    done = after(start, span, open_)
    assert done - start >= timedelta(seconds=span)
    assert after(start + timedelta(seconds=later), span, open_) >= done
    assert after(start, span + later, open_) >= done


@settings(max_examples=60, deadline=None)
@given(business(earliest=4 * 60, latest=22 * 60), MOMENTS, st.integers(1, 900))
def test_it_is_what_counting_minutes_on_the_wall_clock_gives(
    open_: BusinessHours, start: datetime, minutes: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    zone, at, counted = ZoneInfo(open_.timezone), start, 0
    while counted < minutes:
        wall = at.astimezone(zone)
        is_day = WEEK[wall.weekday()] in open_.days and wall.date() not in open_.holidays
        counted += is_day and open_.from_ <= wall.strftime("%H:%M") < open_.to
        at += MINUTE
    assert after(start, minutes * 60, open_) == at


@pytest.mark.parametrize(
    "when, opened",
    [
        ((2026, 11, 27, 9, 0), True),
        ((2026, 11, 27, 16, 59), True),
        ((2026, 11, 27, 17, 0), False),
        ((2026, 11, 27, 8, 59), False),
        ((2026, 11, 28, 12, 0), False),
        ((2026, 12, 24, 12, 0), False),
    ],
)
def test_a_business_is_open_in_its_hours_only(when: tuple[int, ...], *, opened: bool) -> None:
    berlin = hours(timezone="Europe/Berlin", holidays=["2026-12-24"])

    assert is_open(moment("Europe/Berlin", *when), berlin) is opened


@settings(deadline=None)
@given(business(earliest=4 * 60, latest=22 * 60), MOMENTS)
def test_it_is_open_when_the_wall_clock_says_so(open_: BusinessHours, at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    wall = at.astimezone(ZoneInfo(open_.timezone))
    is_day = WEEK[wall.weekday()] in open_.days and wall.date() not in open_.holidays

    assert is_open(at, open_) is (is_day and open_.from_ <= wall.strftime("%H:%M") < open_.to)


def test_quiet_hours_go_on_over_midnight() -> None:
    quiet = QuietHours.model_validate({"from": "22:00", "to": "07:00"})
    morning = moment("Europe/Berlin", 2026, 11, 26, 7, 0)
    for asleep in (moment("Europe/Berlin", 2026, 11, 25, 22, 0), moment("Europe/Berlin", 2026, 11, 26, 6, 59)):
        assert next_waking(quiet, "Europe/Berlin", asleep) == morning
    for awake in (morning, moment("Europe/Berlin", 2026, 11, 25, 21, 59)):
        assert next_waking(quiet, "Europe/Berlin", awake) == awake


def test_quiet_hours_end_by_the_wall_clock_also_when_it_is_changed() -> None:
    quiet = QuietHours.model_validate({"from": "22:00", "to": "07:00"})
    for night in ((2026, 3, 28), (2026, 10, 24)):
        asleep = moment("Europe/Berlin", *night, 23, 0)
        assert next_waking(quiet, "Europe/Berlin", asleep).astimezone(ZoneInfo("Europe/Berlin")).hour == 7


def test_whoever_has_no_quiet_hours_is_always_awake() -> None:
    now = datetime(2026, 11, 25, 3, tzinfo=UTC)
    assert next_waking(None, "UTC", now) == now


@settings(deadline=None)
@given(st.integers(0, 1439), st.integers(0, 1439), ZONES, MOMENTS)
def test_whoever_is_woken_is_awake_then_and_within_a_day(begin: int, end: int, zone: str, now: datetime) -> None:
    quiet = QuietHours.model_validate({"from": clock(begin), "to": clock(end if end != begin else (end + 1) % 1440)})
    woken = next_waking(quiet, zone, now)
    assert now <= woken <= now + timedelta(hours=25)
    assert next_waking(quiet, zone, woken) == woken


@pytest.mark.parametrize(
    "said, complaint",
    [
        ({"timezone": "Europe/Berln"}, "there is no time zone 'Europe/Berln'"),
        ({"timezone": "Europe"}, "there is no time zone 'Europe'"),
        ({"timezone": "../../etc/passwd"}, "there is no time zone"),
        ({"from": 1320}, 'in quotes, such as "09:00"'),
        ({"from": "9:00"}, "not '9:00'"),
        ({"from": "17:00"}, "15 minutes or more after"),
        ({"from": "18:00", "to": "02:00"}, "on the same day"),
        ({"days": []}, "at least 1 item"),
        ({"holidays": ["2026-02-30"]}, "date"),
    ],
)
def test_business_hours_that_cannot_be_are_refused(said: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        hours(**said)


def test_quiet_hours_that_never_end_are_refused() -> None:
    with pytest.raises(ValidationError, match="leave `quiet` out"):
        QuietHours.model_validate({"from": "00:00", "to": "24:00"})


def test_hours_are_written_as_they_are_read() -> None:
    for value in (hours(), QuietHours.model_validate({"from": "22:00", "to": "07:00"})):
        assert type(value).model_validate_json(value.model_dump_json()) == value
