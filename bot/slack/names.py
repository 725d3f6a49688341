"""What people are called. Slack's events give ids only; a card should say who asked.

Decoration: a look-up that fails or is slow gives no name, and never keeps a message from being taken in.
"""

import asyncio

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

log = structlog.get_logger()

PATIENCE = 0.5
"""Of the three seconds in which Slack wants an answer."""
MOST = 5_000


class Names:
    """Names by team and user, kept for as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    async def of(self, client: AsyncWebClient, team: str, user: str) -> str:
        """The name this person goes by; empty when it cannot be had."""
        if (team, user) in self._known:
            return self._known[team, user]
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await client.users_info(user=user)
        except (SlackApiError, aiohttp.ClientError, OSError) as error:
            log.debug("slack.name_unknown", user=user, error=type(error).__name__)
            return ""
        person = answer.get("user") or {}
        profile = person.get("profile") or {}
        name = str(profile.get("real_name") or profile.get("display_name") or person.get("name") or "")
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[team, user] = name
        return name
