"""A Twokey process to be measured: its own folder, its own database, told everything by its environment."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
FILES = ("agents.yaml", "policy.yaml", "people.yaml", "tools", "prompts")


def deployment(folder: Path) -> Path:
    """A copy of the example deployment."""
    for each in FILES:
        source = ROOT / each
        if source.is_dir():
            shutil.copytree(source, folder / each, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        else:
            shutil.copy(source, folder / each)
    return folder


def plain_environment(told: Mapping[str, str]) -> dict[str, str]:
    """No setting of the caller's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "warning", **told}


@asynccontextmanager
async def twokey(folder: Path, told: Mapping[str, str], *words: str) -> AsyncIterator[tuple[int, float]]:
    """A running `twokey run`: its process id, and seconds from spawn to the first 200 on /readyz."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", *words, cwd=folder, env=plain_environment(told), stdout=sys.stderr
    )
    try:
        yield process.pid, await _ready(f"http://127.0.0.1:{told['PORT']}", process) - begun
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _ready(url: str, process: asyncio.subprocess.Process) -> float:
    async with httpx.AsyncClient() as client:
        while process.returncode is None:
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return time.perf_counter()
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.005)
    raise RuntimeError("the process ended before it was ready")


def memory_mib(pid: int) -> float:
    """Resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds(pid: int) -> float:
    """Processor time used so far, in user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
