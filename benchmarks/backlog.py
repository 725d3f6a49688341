"""Slack events of real messages, and a process that sends them."""

import asyncio
import json
import sys
from pathlib import Path

from sandbox import cast
from sandbox.slack.post import Answer, Parcel, Retry
from sandbox.slack.standin import SlackStandIn


class Deaf:
    """A way to the bot that takes everything and passes nothing on."""

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Nod."""
        return Answer(200)

    async def close(self) -> None:
        """Nothing is held."""


async def bodies(slack: SlackStandIn, count: int, said: str = "hello") -> list[str]:
    """Events of so many direct messages, which really stand in the workspace."""
    reached = slack.post.outlet
    slack.post.use(Deaf())
    for _ in range(count):
        await slack.dm(cast.ADA.slack, said)
    slack.post.outlet = reached
    return [json.dumps(attempt.parcel.body) for attempt in slack.attempts("message")]


async def send(url: str, secret: str, rate: float, events: list[str]) -> list[tuple[int, float]]:
    """Have `sender.py` send them: a status and milliseconds for each."""
    sender = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("sender.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    job = json.dumps({"url": url, "secret": secret, "rate": rate, "bodies": events})
    out, _ = await sender.communicate(job.encode())
    return [(status, ms) for status, ms in json.loads(out)]
