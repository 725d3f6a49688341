"""How throughput grows with worker processes on PostgreSQL, with a model that takes 200 ms. Prints JSON.

    python benchmarks/workers.py DATABASE_URL [SECONDS]

DATABASE_URL is of a server on which databases `twokey_bench_…` may be made and dropped. For each number of workers, one
web process takes in a backlog of messages; then the workers start, two threads at once each, and what is counted is
replies a second between the first and the last fifth of the backlog.
"""

import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.backlog import bodies, send
from benchmarks.running import deployment, plain_environment, twokey
from sandbox.app import Sandbox

AT_ONCE = 2
THINKING = 0.2


async def one(server: str, workers: int, seconds: float) -> float:
    """Replies a second with so many workers."""
    name = f"twokey_bench_{workers}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = deployment(Path(temporary))
        async with Sandbox() as sandbox:
            sandbox.model._pause = THINKING
            told = {
                **sandbox.env(),
                "DATABASE_URL": urlsplit(server)._replace(path=f"/{name}").geturl(),
                "WORKERS": str(AT_ONCE),
                "WORKERS_PER_PERSON": str(AT_ONCE),
            }
            migrate = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "admin", "migrate", cwd=folder, env=plain_environment(told)
            )
            await migrate.wait()
            count = int(workers * AT_ONCE / THINKING * seconds)
            async with twokey(folder, told, "--role", "web"):
                secret = told["SLACK_SIGNING_SECRET"]
                await send(f"{sandbox.bot_url}/slack/events", secret, 100, await bodies(sandbox.slack, count))
                async with AsyncExitStack() as stack:
                    for _ in range(workers):
                        worker = await asyncio.create_subprocess_exec(
                            *(sys.executable, "-m", "bot", "run", "--role", "worker"),
                            cwd=folder,
                            env=plain_environment(told),
                        )
                        stack.callback(worker.kill)
                    return await _rate(sandbox, count)


async def _rate(sandbox: Sandbox, count: int) -> float:
    """Between the first and the last fifth, so that starting and running dry do not count."""
    marks: dict[float, tuple[int, float]] = {}
    async with asyncio.timeout(120):
        while len(marks) < 2:
            sent = len(sandbox.slack.calls("chat.postMessage"))
            for share in (0.2, 0.8):
                if sent >= count * share and share not in marks:
                    marks[share] = (sent, time.perf_counter())
            await asyncio.sleep(0.02)
    (first, begun), (last, ended) = marks[0.2], marks[0.8]
    return (last - first) / (ended - begun)


async def main(server: str, seconds: float) -> None:
    """One, two and four."""
    rates = {workers: await one(server, workers, seconds) for workers in (1, 2, 4)}
    print(
        json.dumps(
            {
                "model_ms": THINKING * 1000,
                "threads_at_once_a_worker": AT_ONCE,
                "threads_a_second": {str(workers): round(rate, 2) for workers, rate in rates.items()},
                "growth_1_to_4": round(rates[4] / rates[1], 2),
            },
            indent=1,
        )
    )


asyncio.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 10))
