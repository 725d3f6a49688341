"""How long Slack waits for its 200 while messages pour in. Prints JSON.

    python benchmarks/slack_ack.py [EVENTS_A_SECOND] [SECONDS] [ROLE]

Each event is a direct message that starts a thread, signed, over HTTP to a real process on SQLite, which commits it
before it answers and works on it as usual: the model is the sandbox's, replies go to the sandbox's Slack. Events are
sent by a process of its own, on a schedule that does not wait for answers: a slow answer does not hide the next. With
the role `web` the process only takes in, as where workers run beside it.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.backlog import bodies, send
from benchmarks.running import cpu_seconds, deployment, memory_mib, twokey
from sandbox.app import Sandbox


async def main(rate: float, seconds: float, role: str) -> None:
    """Pour them in, and print what the answers took."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = deployment(Path(temporary))
        async with Sandbox() as sandbox:
            told = {**sandbox.env(), "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/twokey.db"}
            events = await bodies(sandbox.slack, int(rate * seconds))
            async with twokey(folder, told, "--role", role) as (pid, _):
                before, begun = cpu_seconds(pid), time.perf_counter()
                results = await send(f"{sandbox.bot_url}/slack/events", told["SLACK_SIGNING_SECRET"], rate, events)
                used = (cpu_seconds(pid) - before) / (time.perf_counter() - begun)
                memory = memory_mib(pid)
    waits = sorted(ms for _, ms in results)
    print(
        json.dumps(
            {
                "role": role,
                "events": len(results),
                "events_a_second": rate,
                "not_200": sum(status != 200 for status, _ in results),
                "p50_ms": round(statistics.median(waits), 1),
                "p99_ms": round(waits[int(len(waits) * 0.99)], 1),
                "worst_ms": round(waits[-1], 1),
                "cpu_of_a_core": round(used, 2),
                "memory_mib": round(memory, 1),
            },
            indent=1,
        )
    )


given = [*sys.argv[1:], *("50", "20", "all")[len(sys.argv) - 1 :]]
asyncio.run(main(float(given[0]), float(given[1]), given[2]))
