"""Makes the async web client that everything here speaks to Slack through."""

import logging
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

PATIENCE = 5
"""Seconds of Retry-After that are waited for in place; longer ones are the outbox's to wait for."""
TIMEOUT = 10
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

quiet = logging.getLogger("bot.slack.sdk")
"""Bolt and the SDK log whole requests below WARNING: bodies, and at DEBUG every call. None of that gets out."""
quiet.setLevel(logging.WARNING)


class ShortWaits(AsyncRateLimitErrorRetryHandler):
    """Waits out a 429, unless it asks for more than `PATIENCE`."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        limited = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return limited and response is not None and _wait(response) <= PATIENCE


def _wait(response: HttpResponse) -> int:
    """Seconds, as the response asks. A header that is no whole number is not waited for."""
    for name, values in response.headers.items():
        if name.lower() == "retry-after":
            text = values[0] if isinstance(values, list) else values
            return int(text) if text.isascii() and text.isdigit() else PATIENCE + 1
    return 0


def retry_handlers() -> list[AsyncRetryHandler]:
    """Tries again only what surely was not done: a call that Slack turned away, or that never reached it.

    A connection lost after the request, or a 5xx, may have posted the message; the outbox looks before it repeats.
    """
    unreached = AsyncConnectionErrorRetryHandler(max_retry_count=2, error_types=[aiohttp.ClientConnectorError])
    return [ShortWaits(max_retry_count=2), unreached]


def client(token: str, api_url: str) -> AsyncWebClient:
    """A client for one token. Loopback is reached without the proxy that the environment may name."""
    made = AsyncWebClient(token=token, base_url=api_url, timeout=TIMEOUT, logger=quiet, retry_handlers=retry_handlers())
    if urlsplit(api_url).hostname in _LOOPBACK:
        made.proxy = None
    return made
