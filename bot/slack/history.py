"""Reads what stands in Slack, a page at a time and without hurry: nobody waits for it.

Slack allows some fifty such calls a minute (docs.slack.dev/apis/web-api/rate-limits, tier 3), and to apps sold outside
its Marketplace one. So calls keep a distance, and one that is told to wait waits.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from agent.conversation import JsonObject
from bot.slack.failures import error_of, status_of

log = structlog.get_logger()

PACE = 1.5
"""Seconds between two calls."""
PAGE = 200
KINDS = ("public_channel", "private_channel", "mpim", "im")
"""Each needs a scope of its own: the kinds are asked for one by one, so that one that is missing hides no other."""
MOST_PAGES = 5
MOST_WAITS = 10
LONGEST_WAIT = 120.0
_TOO_MANY = 429

Call = Callable[..., Awaitable[AsyncSlackResponse]]


class History:
    """The conversations that we are in, and what was said there. Methods raise what the SDK raises."""

    def __init__(self, client: AsyncWebClient, pace: float = PACE) -> None:
        self.client = client
        self.pace = pace
        self._next = 0.0

    async def channels(self) -> list[JsonObject]:
        """The conversations that our bot user is in, DMs among them."""
        found: list[JsonObject] = []
        for kind in KINDS:
            try:
                found += await self._pages(
                    self.client.users_conversations, "channels", most=50, types=kind, exclude_archived=True
                )
            except SlackApiError as error:
                if error_of(error) != "missing_scope":
                    raise
                log.warning("slack.history_refused", kind=kind, error="missing_scope", hint="install the app again")
        return found

    async def roots(self, channel: str, oldest: str) -> list[JsonObject]:
        """What was said outside threads since then, the newest first; the bound takes away from the oldest."""
        return await self._pages(self.client.conversations_history, "messages", channel=channel, oldest=oldest)

    async def replies(self, channel: str, root: str, oldest: str) -> list[JsonObject]:
        """What was said in a thread since then, the oldest first, without its root."""
        found = await self._pages(
            self.client.conversations_replies, "messages", channel=channel, ts=root, oldest=oldest
        )
        return [each for each in found if each.get("ts") != root]

    async def _pages(self, call: Call, what: str, *, most: int = MOST_PAGES, **arguments: object) -> list[JsonObject]:
        found: list[JsonObject] = []
        cursor = ""
        for _ in range(most):
            page = {**arguments, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
            answer = await self._unhurried(call, page)
            found += answer.get(what) or []
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found
        log.warning("slack.history_cut", what=what, channel=arguments.get("channel"), read=len(found))
        return found

    async def _unhurried(self, call: Call, arguments: dict[str, object]) -> AsyncSlackResponse:
        for waits in range(MOST_WAITS):
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(self._next - now)
            self._next = max(self._next, now) + self.pace
            try:
                return await call(**arguments)
            except SlackApiError as error:
                if status_of(error) != _TOO_MANY or waits + 1 == MOST_WAITS:
                    raise
                await asyncio.sleep(_wait(error))
        raise AssertionError("the last round returns or raises")


def _wait(error: SlackApiError) -> float:
    """Seconds, as Slack asks."""
    headers = getattr(error.response, "headers", None) or {}
    asked = next((str(value) for name, value in headers.items() if str(name).lower() == "retry-after"), "")
    return min(float(asked), LONGEST_WAIT) if asked.isascii() and asked.isdigit() else LONGEST_WAIT / 4
