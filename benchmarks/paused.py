"""What threads that wait for an approval cost: bytes stored, memory, and a start with all of them there. Prints JSON.

    python benchmarks/paused.py [THREADS]

Each is begun by a signed direct message in Slack to a real process on SQLite, whose model asks for a refund: it ends
with its card shown and its approval open. Memory is taken from the same process before and after, when a first few
hundred have warmed it up, and from another that starts when all of them are there.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.backlog import bodies, send
from benchmarks.running import deployment, memory_mib, twokey
from sandbox.app import Sandbox

WARM = 300
RATE = 60.0
"""Messages a second."""
ASKING = "Please refund order 1042, it arrived broken."


async def _settled(sandbox: Sandbox, cards: int) -> None:
    """Wait until so many threads show their card."""
    while sum("blocks" in call.arguments for call in sandbox.slack.calls("chat.postMessage")) < cards:  # noqa: ASYNC110 - the stand-in tells nobody
        await asyncio.sleep(0.5)
    await asyncio.sleep(3)


async def main(count: int) -> None:
    """Fill, measure, start again, measure."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = deployment(Path(temporary))
        async with Sandbox() as sandbox:
            file = folder / "twokey.db"
            told = {**sandbox.env(), "DATABASE_URL": f"sqlite+aiosqlite:///{file}"}
            events = await bodies(sandbox.slack, WARM + count, ASKING)
            url, secret = f"{sandbox.bot_url}/slack/events", told["SLACK_SIGNING_SECRET"]
            async with twokey(folder, told) as (pid, _):
                await send(url, secret, RATE, events[:WARM])
                await _settled(sandbox, WARM)
                warm, stored = memory_mib(pid), _bytes(file)
                await send(url, secret, RATE, events[WARM:])
                await _settled(sandbox, WARM + count)
                full, stored = memory_mib(pid), _bytes(file) - stored
            async with twokey(folder, told) as (pid, seconds):
                await asyncio.sleep(2)
                again = memory_mib(pid)
    print(
        json.dumps(
            {
                "threads": count,
                "stored_bytes_a_thread": round(stored / count),
                "memory_bytes_a_thread": round((full - warm) * 2**20 / count),
                "memory_mib": {"warm": round(warm, 1), "full": round(full, 1), "started_again": round(again, 1)},
                "ready_s": round(seconds, 2),
            },
            indent=1,
        )
    )


def _bytes(file: Path) -> int:
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
