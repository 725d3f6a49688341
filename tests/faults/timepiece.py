"""The clock of the agent's machine, put forward and back while it runs.

Debian's libfaketime stands before the C library in every process of the agent, so that Python, SQLite and all else see
the same wrong time; what counts seconds (the monotonic clock) goes on as ever, as on a real machine whose clock is set.
PostgreSQL's server is another machine and keeps its time.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

LIBRARIES = ("/usr/lib/*-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


@dataclass(frozen=True)
class Timepiece:
    """A file that says how far the clock is off."""

    MOST: ClassVar[float] = 120.0
    """Seconds that it is wrong at most: with the last putting forward, less than the five minutes by which the
    signatures of Slack and of a mail provider may differ from it."""

    file: Path
    library: Path

    @property
    def env(self) -> dict[str, str]:
        """What a process is told, so that it goes by this clock. It is inherited by those it forks."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds between two looks at the file; looking each time costs too much
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, seconds: float) -> None:
        """Put the clock so far from the right time, everywhere within a second."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+.3f}\n")
        new.rename(self.file)

    def set_late(self) -> None:
        """Put it forward by so much that whatever waits for a moment a little ahead has waited for it."""
        self.set(2 * self.MOST)


def a_timepiece(folder: Path) -> Timepiece | None:
    """One that is right; None where libfaketime is not installed."""
    found = [path for pattern in LIBRARIES for path in Path("/").glob(pattern[1:])]
    if not found or not hasattr(os, "fork"):
        return None
    timepiece = Timepiece(folder / "clock", found[0])
    timepiece.set(0)
    return timepiece
