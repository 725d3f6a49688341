"""The outside world's clock and ids. The sandbox plays Slack, mail and a model, which do not ask us for the time."""

import time
from datetime import UTC, datetime
from secrets import token_hex


def now() -> float:
    """Seconds since the epoch."""
    return time.time()  # noqa: TID251 - the outside world's own clock, see above


def today() -> datetime:
    """The same, with its time zone."""
    return datetime.fromtimestamp(now(), UTC)


def fresh(prefix: str) -> str:
    """An id nobody has had before."""
    return f"{prefix}{token_hex(9)}"
