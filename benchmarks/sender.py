"""Sends signed Slack requests on a schedule; a process of its own, so that it measures nothing but the answers.

Reads {"url", "secret", "rate", "bodies"} from standard input, prints [[status, milliseconds], …].
"""

import asyncio
import json
import sys
import time

import aiohttp
from slack_sdk.signature import SignatureVerifier


async def one(session: aiohttp.ClientSession, url: str, signer: SignatureVerifier, body: str) -> tuple[int, float]:
    """One request, and how long its answer took."""
    now = str(int(time.time()))
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": now,
        "x-slack-signature": signer.generate_signature(timestamp=now, body=body) or "",
    }
    begun = time.perf_counter()
    async with session.post(url, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status, (time.perf_counter() - begun) * 1000


async def main() -> None:
    """All of them, each when its time has come, whatever became of the ones before."""
    job = json.load(sys.stdin)
    signer = SignatureVerifier(job["secret"])
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        begun, tasks = time.perf_counter(), []
        for number, body in enumerate(job["bodies"]):
            await asyncio.sleep(max(0.0, begun + number / job["rate"] - time.perf_counter()))
            tasks.append(asyncio.create_task(one(session, job["url"], signer, body)))
        print(json.dumps(await asyncio.gather(*tasks)))


asyncio.run(main())
