"""A disk so small that a test can fill it: needs the right to mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = 16 * 1024 * 1024


@contextmanager
def a_small_disk(folder: Path) -> Iterator[bool]:
    """Mount one there for as long as the context lasts; gives False where that may not be done."""
    folder.mkdir(exist_ok=True)
    mount, umount = shutil.which("mount"), shutil.which("umount")
    words = ["-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    is_mounted = bool(mount and umount) and _done(str(mount), *words)
    try:
        yield is_mounted
    finally:
        if is_mounted:
            _done(str(umount), "-l", str(folder))


def fill(folder: Path) -> Path:
    """Take all the room that is left; the file that takes it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return filler


def _done(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed words
