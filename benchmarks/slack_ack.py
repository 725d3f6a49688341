"""How long Slack waits for its 200 while messages pour in. Prints JSON.

    python benchmarks/slack_ack.py [EVENTS_A_SECOND] [SECONDS]

Each event is a direct message that starts a thread, signed, over HTTP to a real process on SQLite. The process commits
it before it answers and works on it as usual: the model is the sandbox's, replies go to the sandbox's Slack. Events are
sent on a schedule that does not wait for answers, so that a slow answer does not hide the next.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from slack_sdk.signature import SignatureVerifier

from benchmarks.process import deployment, memory_mib, twokey
from sandbox import cast
from sandbox.app import Sandbox
from sandbox.slack.post import Answer, Parcel, Retry
from sandbox.slack.standin import SlackStandIn


class Deaf:
    """A way to the bot that takes everything and passes nothing on."""

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Nod."""
        return Answer(200)

    async def close(self) -> None:
        """Nothing is held."""


async def bodies(slack: SlackStandIn, count: int) -> list[bytes]:
    """Events of so many direct messages, which really stand in the workspace."""
    reached = slack.post.outlet
    slack.post.use(Deaf())
    for _ in range(count):
        await slack.dm(cast.ADA.slack, "hello")
    slack.post.outlet = reached
    return [json.dumps(attempt.parcel.body).encode() for attempt in slack.attempts("message")]


async def send(client: httpx.AsyncClient, url: str, signer: SignatureVerifier, body: bytes) -> tuple[int, float]:
    """One event: the status, and milliseconds until it came."""
    now = str(int(time.time()))
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": now,
        "x-slack-signature": signer.generate_signature(timestamp=now, body=body) or "",
    }
    begun = time.perf_counter()
    answer = await client.post(url, content=body, headers=headers)
    return answer.status_code, (time.perf_counter() - begun) * 1000


async def main(rate: float, seconds: float) -> None:
    """Pour them in, and print what the answers took."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = deployment(Path(temporary))
        async with Sandbox() as sandbox:
            told = {**sandbox.env(), "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/twokey.db"}
            signer = SignatureVerifier(told["SLACK_SIGNING_SECRET"])
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
            async with twokey(folder, told) as (pid, _), httpx.AsyncClient(timeout=30, limits=limits) as client:
                url = f"{sandbox.bot_url}/slack/events"
                events = await bodies(sandbox.slack, int(rate * seconds))
                begun = time.perf_counter()
                tasks = []
                for number, body in enumerate(events):
                    await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
                    tasks.append(asyncio.create_task(send(client, url, signer, body)))
                results = await asyncio.gather(*tasks)
                memory = memory_mib(pid)
    waits = sorted(ms for _, ms in results)
    refused = sum(status != 200 for status, _ in results)
    print(
        json.dumps(
            {
                "events": len(results),
                "events_a_second": rate,
                "not_200": refused,
                "p50_ms": round(statistics.median(waits), 1),
                "p99_ms": round(waits[int(len(waits) * 0.99)], 1),
                "worst_ms": round(waits[-1], 1),
                "memory_mib": round(memory, 1),
            },
            indent=1,
        )
    )


asyncio.run(main(*(float(each) for each in (sys.argv[1:] + ["50", "20"][len(sys.argv) - 1 :]))))
