"""The file of AUDIT_LOG_PATH: a JSON object a line, only ever added to, and its own memory of how far it was written.

- The number in its last line is where it goes on. So no line is lost however a process ends: what was committed and is
  not in the file is written at the next start. Half a line, left by a crash, is taken off first.
- Several processes of a machine may be given one file: whoever has its lock writes, and when that process ends the next
  one does. Processes on several machines each have a file, and each file has everything.
- A file that was moved away (logrotate) is followed by a new one within a second, whose first line says from where on.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

from agent.errors import ConfigError
from store.facts import CONTINUED, Fact, json_line

BLOCK = 64 * 1024
BEGINNING = b'{"n":'
"""Of each line."""


class AuditFile:
    """Writes where it can have the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        """Number of the last event that is in it."""
        self._file: BinaryIO | None = None

    def check(self) -> None:
        """Raises ConfigError when it can never be written."""
        try:
            with self.path.open("a+b", buffering=0) as file:
                _end(file, self.path)
        except OSError as error:
            raise ConfigError(f"AUDIT_LOG_PATH: {self.path} cannot be written: {error.strerror}") from None

    def hold(self) -> bool:
        """Have the file, open and locked, and know where it goes on. False when another process has it. OSError."""
        if self._file is not None and not self._is_moved(self._file):
            return True
        before = self.written if self._file is not None else 0
        self.close()
        file = open(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0)  # noqa: PTH123, SIM115 - kept open
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.written, half = _end(file, self.path)
            if half:
                file.truncate(file.seek(0, SEEK_END) - half)
        except BlockingIOError:
            file.close()
            return False
        except BaseException:
            file.close()
            raise
        self._file = file
        if before and not self.written:
            self._put(json_line({"n": before, "kind": CONTINUED}))
            self.written = before
        return True

    def write(self, facts: Iterable[Fact], last: int) -> None:
        """Add these, and have them on disk. OSError."""
        self._put("".join(map(json_line, facts)))
        self.written = last

    def _put(self, text: str) -> None:
        assert self._file is not None  # noqa: S101 - only written while it is held
        left = memoryview(text.encode("utf-8", "replace"))
        while left:
            left = left[self._file.write(left) :]
        os.fsync(self._file.fileno())

    def _is_moved(self, file: BinaryIO) -> bool:
        try:
            return not os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _end(file: BinaryIO, path: Path) -> tuple[int, int]:
    """The number in the last whole line, 0 when there is none; and how many bytes stand behind it.

    Raises ConfigError for a file that is something else: nothing of it is touched.
    """
    size = start = file.seek(0, SEEK_END)
    tail = b""
    while start > 0:
        start -= min(BLOCK, start)
        file.seek(start)
        tail = file.read(min(BLOCK, size - start - len(tail))) + tail
        whole, _, half = tail.rpartition(b"\n")
        if b"\n" in whole or start == 0:
            return _number(whole.rpartition(b"\n")[2], half, path), len(half)
    return 0, 0


def _number(line: bytes, half: bytes, path: Path) -> int:
    try:
        is_ours = half.startswith(BEGINNING) or BEGINNING.startswith(half)
        number = int(json.loads(line)["n"]) if line else 0
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise ConfigError(f"AUDIT_LOG_PATH: {path} is there, and is no audit log; name another file")
    return number
