"""Hours of people: when somebody wants quiet, and when a business is open. Pure.

Rules:
- Hours are on the wall clock of a time zone; moments are aware datetimes, and come back in UTC.
- A wall clock that is put forward skips hours: whatever begins or ends in them does so when it is put forward.
  One that is put back shows an hour twice: the first showing counts.
- Business time is real time during which the business is open: a day on which the clock is changed is an hour shorter
  or longer only if the change falls into business hours.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from agent.conversation import Value

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_LEAST_OPEN = 15
"""Minutes. Open for less a day, a business would take centuries over a long wait."""


def _time_of_day(value: object) -> object:
    if not isinstance(value, str):  # YAML reads 22:00 without quotes as the number 1320
        raise ValueError('must be a time of day in quotes, such as "09:00"')  # noqa: TRY004 - Pydantic wants it
    if not _TIME_OF_DAY.fullmatch(value):
        raise ValueError(f'must be a time of day from "00:00" to "24:00", not {value!r}')
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones, such as "Europe"
        raise ValueError(f"there is no time zone {value!r}; write it as Europe/Berlin or UTC") from None
    return value


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day)]
"""`HH:MM` of 24 hours; `24:00` is the end of a day."""
Zone = Annotated[str, AfterValidator(_zone)]
"""A name of the IANA time zone database."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class QuietHours(Value):
    """Hours of each day; they may go on over midnight."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay

    @model_validator(mode="after")
    def _has_an_end(self) -> "QuietHours":
        if _minutes(self.from_) % 1440 == _minutes(self.to) % 1440:
            raise ValueError("begins and ends at the same time: nobody is never to be disturbed; leave `quiet` out")
        return self


class BusinessHours(Value):
    """When a business is open."""

    model_config = ConfigDict(serialize_by_alias=True)

    timezone: Zone = "UTC"
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = WEEK[:5]
    from_: TimeOfDay = Field(alias="from", default="09:00")
    to: TimeOfDay = "17:00"
    holidays: tuple[date, ...] = ()
    """Days on which it is closed."""

    @model_validator(mode="after")
    def _is_open(self) -> "BusinessHours":
        if _minutes(self.to) - _minutes(self.from_) < _LEAST_OPEN:
            raise ValueError(f"`to` must be {_LEAST_OPEN} minutes or more after `from`, on the same day")
        return self


def next_waking(quiet: QuietHours | None, timezone: str, now: datetime) -> datetime:
    """The first moment from `now` on that is outside these quiet hours; `now` itself when it is."""
    if quiet is None:
        return now
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        begin, end = _window(day, quiet.from_, quiet.to, zone)
        if begin <= now < end:
            return end
    return now


def after(start: datetime, span: float, hours: BusinessHours) -> datetime:
    """The moment when the business has been open for `span` seconds since `start`; `start` itself when `span` is 0.

    A span that is used up just as the business closes ends then, not when it opens next.
    """
    if span < 0:
        raise ValueError("time does not run backwards")
    left = timedelta(seconds=span)
    if not left:
        return start
    for opens, closes in _openings(start, hours):
        begin = max(opens, start)
        if closes - begin >= left:
            return begin + left
        left -= max(closes - begin, timedelta(0))
    raise AssertionError("a business opens again and again")  # pragma: no cover - the openings have no end


def is_open(moment: datetime, hours: BusinessHours) -> bool:
    """Whether the business is open at that moment; the moment at which it closes is none."""
    for opens, closes in _openings(moment, hours):
        if moment < closes:
            return opens <= moment
    raise AssertionError("a business opens again and again")  # pragma: no cover - the openings have no end


def _openings(start: datetime, hours: BusinessHours) -> Iterator[tuple[datetime, datetime]]:
    """When it opens and closes, in order, from the day before `start` on."""
    zone = ZoneInfo(hours.timezone)
    day = start.astimezone(zone).date() - timedelta(days=1)
    while True:
        if WEEK[day.weekday()] in hours.days and day not in hours.holidays:
            yield _window(day, hours.from_, hours.to, zone)
        day += timedelta(days=1)


def _window(day: date, begin: str, end: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From one time of that day to another, which is the next day's when it is not later."""
    midnight = datetime.combine(day, time())
    first, last = _minutes(begin), _minutes(end)
    last += 1440 if last <= first else 0
    return _moment(midnight + timedelta(minutes=first), zone), _moment(midnight + timedelta(minutes=last), zone)


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the wall clock shows this or later."""
    late = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None) == wall:
        return late
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # it is never shown: the clock is put forward in between
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        shows = middle.astimezone(zone).replace(tzinfo=None)
        early, late = (early, middle) if shows >= wall else (middle, late)
    return late


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)
