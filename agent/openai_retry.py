"""When to ask a server again, and how long to wait before. Pure: the randomness is passed in.

The rules are those of OpenAI's own clients (408, 409, 429 and 5xx, `x-should-retry`, `retry-after-ms` before
`Retry-After`, RFC 9110 section 10.2.3), but for one: where the server asks for more patience than MAX_ASKED, we do not
come back sooner than it asked, but leave it to the thread's own, slower retry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite

from agent.openai_rejection import BROKEN, Rejection

FIRST, LONGEST = 0.5, 8.0
"""Seconds before the first try again, and at most, when the server names no time."""

MAX_ASKED = 30.0
"""Seconds of waiting that a server may ask for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to ask again, and how many seconds to wait in all."""

    retries: int
    seconds: float
    retried: int = 0

    def pause(self, rejection: Rejection, jitter: float) -> float | None:
        """Seconds to wait before asking again, or None when there is no use; `jitter` lies between 0 and 1."""
        if self.retried >= self.retries or not _worth_it(rejection):
            return None
        asked = _asked(rejection.headers)
        if asked is None:
            wait = min(FIRST * 2**self.retried, LONGEST) * (1 - jitter / 2)
        elif asked > MAX_ASKED:
            return None
        else:
            wait = asked * (1 + jitter / 10)
        return wait if wait <= self.seconds else None

    def after(self, pause: float) -> "Patience":
        """What is left of it."""
        return Patience(self.retries, self.seconds - pause, self.retried + 1)


def _worth_it(rejection: Rejection) -> bool:
    match rejection.headers.get("x-should-retry"):
        case "true":
            return True
        case "false":
            return False
        case _:
            return rejection.may_pass and rejection.status != BROKEN


def _asked(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait; None when it asks for nothing that can be understood."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if isfinite(seconds) and seconds > 0:
            return seconds
    return _until(headers)


def _until(headers: Mapping[str, str]) -> float | None:
    """A date is measured against the server's own clock, so that ours need not agree with it."""
    try:
        until, now = (parsedate_to_datetime(headers.get(name, "")) for name in ("retry-after", "date"))
        seconds = (until - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds > 0 else None
