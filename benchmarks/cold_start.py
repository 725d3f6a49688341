"""How long `twokey run` takes from spawn to the first 200 on /readyz, and the memory it then has. Prints JSON.

    python benchmarks/cold_start.py [ROUNDS]

`plain` has no channel set up; `full` has Slack (HTTP) and mail, against the sandbox.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running import deployment, memory_mib, twokey
from sandbox.app import Sandbox
from sandbox.serving import free_port


async def once(kind: str) -> tuple[float, float]:
    """One start on a new, empty database: seconds, and MiB a second later."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = deployment(Path(temporary))
        store = {"DATABASE_URL": f"sqlite+aiosqlite:///{folder}/twokey.db"}
        if kind == "plain":
            told = {**store, "PORT": str(free_port()), "OPENAI_API_KEY": "sk-none"}
            async with twokey(folder, told) as (pid, seconds):
                await asyncio.sleep(1)
                return seconds, memory_mib(pid)
        async with Sandbox() as sandbox, twokey(folder, {**sandbox.env(), **store}) as (pid, seconds):
            await asyncio.sleep(1)
            return seconds, memory_mib(pid)


async def main(rounds: int) -> None:
    """Measure both, in turn, and print medians."""
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "full": []}
    for _ in range(rounds):
        for kind, results in found.items():
            results.append(await once(kind))
    print(
        json.dumps(
            {
                kind: {
                    "ready_s": round(statistics.median(each[0] for each in results), 3),
                    "ready_s_worst": round(max(each[0] for each in results), 3),
                    "memory_mib": round(statistics.median(each[1] for each in results), 1),
                }
                for kind, results in found.items()
            },
            indent=1,
        )
    )


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
