"""Hands a mail for the agent to its webhook: signed as Standard Webhooks say, and again when it was not taken."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from typing import Final

import aiohttp

from sandbox.clock import fresh, now

_PAUSES: Final = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_AGAIN: Final = frozenset({408, 425, 429})
_PREFIX: Final = "whsec_"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the handing over of one mail stands. `status` is that of the last attempt, 0 when nobody answered."""

    id: str
    sender: str
    to: tuple[str, ...]
    message_id: str
    attempts: int = 0
    status: int = 0
    done: bool = False

    @property
    def taken(self) -> bool:
        """Whether the agent has it."""
        return 200 <= self.status < 300


def signed(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: base64 of HMAC-SHA256 over id, timestamp and body, joined by dots."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    text = f"{webhook_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
        "content-type": "application/json",
    }


class Webhook:
    """The one door to the agent. Every attempt repeats the id and signs afresh; a 4xx ends them."""

    def __init__(self, url: str, secret: str, told: Callable[[Delivery], None]) -> None:
        self.url = url
        self._secret = secret
        self._told = told
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, sender: str, to: tuple[str, ...], raw: bytes, webhook_id: str = "") -> str:
        """Begin to deliver, in the background. Gives the id; a given one makes it a repetition."""
        message_id = str(message_from_bytes(raw, policy=policy.default)["Message-ID"] or "")
        delivery = Delivery(webhook_id or fresh("msg_"), sender, to, message_id)
        body = json.dumps({"from": sender, "to": list(to), "raw_b64": base64.b64encode(raw).decode()}).encode()
        task = asyncio.create_task(self._deliver(delivery, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery.id

    async def close(self) -> None:
        """Stop whatever is still being tried."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, delivery: Delivery, body: bytes) -> None:
        for attempt, pause in enumerate((0.0, *_PAUSES), start=1):
            await asyncio.sleep(pause)
            status = await self._attempt(delivery.id, body)
            final = attempt > len(_PAUSES) or (0 < status < 500 and status not in _AGAIN)
            delivery = replace(delivery, attempts=attempt, status=status, done=final)
            self._told(delivery)
            if final:
                return

    async def _attempt(self, webhook_id: str, body: bytes) -> int:
        headers = signed(self._secret, webhook_id, int(now()), body)
        limit = aiohttp.ClientTimeout(total=15)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
