"""The way to the bot by signed HTTP requests, as the Events API and interactivity make them."""

import hashlib
import hmac
import json
from collections.abc import Callable
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.post import Answer, Parcel, Retry

_FORM = "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's `v0` signature. https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def written(parcel: Parcel) -> tuple[str, bytes]:
    """Content type and body: events as JSON, interactions as a form with one `payload`, commands as a form."""
    if parcel.kind == "events_api":
        return "application/json", json.dumps(parcel.body, separators=(",", ":")).encode()
    fields = {"payload": json.dumps(parcel.body)} if parcel.kind == "interactive" else parcel.body
    return _FORM, urlencode(fields).encode()


class HttpOutlet:
    """Posts to one URL, which is what Bolt listens on for everything."""

    def __init__(self, url: str, secret: str, clock: Callable[[], float]) -> None:
        self.url = url
        self._secret = secret
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Post once, signed with the time of now."""
        kind, body = written(parcel)
        timestamp = str(int(self._clock()))
        headers = {
            "content-type": kind,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(self._secret, timestamp, body),
        }
        if retry is not None:
            headers |= {"x-slack-retry-num": str(retry.number), "x-slack-retry-reason": retry.reason}
        return await self.post(body, headers, patience)

    async def post(self, body: bytes, headers: dict[str, str], patience: float) -> Answer:
        """Post these bytes as they are; also for requests that are wrong on purpose."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=patience)
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as got:
                text = await got.text()
                return Answer(got.status, text, {key.lower(): value for key, value in got.headers.items()})
        except TimeoutError:
            return Answer(0, failure="http_timeout")
        except aiohttp.ClientError:
            return Answer(0, failure="connection_failed")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
