"""What Slack knows of people at this moment. Satisfies `approvals.standing.Standing`.

Guests, deactivated accounts, programs and people of other companies never decide, also if people.yaml lists them. Slack
is asked at each decision and nothing of its answer is kept; an answer that does not say, or none in time, means no.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import Identity
from agent.errors import ChannelDown, ChannelError, ChannelRefused
from bot.slack.clients import client
from bot.slack.failures import slack_failures

log = structlog.get_logger()

PATIENCE = 0.8
"""Seconds for each look-up, of the three in which Slack wants a click answered."""

UNCHECKED: Final = "I could not check with Slack who you are; nothing was decided; try again."
_REASONS: Final = (
    ("deleted", "Your Slack account is deactivated, so you cannot decide."),
    ("is_bot", "A program cannot decide; it takes a person."),
    ("is_ultra_restricted", "Guests of this Slack workspace cannot decide."),
    ("is_restricted", "Guests of this Slack workspace cannot decide."),
)
"""What must be known to be false, and what to say when it is true."""
STRANGER: Final = "You belong to another Slack workspace, and only people of this one decide."


class SlackStanding:
    """One workspace, looked up by the bot's token."""

    def __init__(self, token: str, api_url: str) -> None:
        self._client: AsyncWebClient = client(token, api_url)
        self._team = ""

    async def check(self, who: Identity) -> str:
        """Why this account may not decide now; empty when it may, and when it is not Slack's."""
        if who.channel != "slack":
            return ""
        try:
            team = await self._workspace()
            async with asyncio.timeout(PATIENCE):
                with slack_failures():
                    user = (await self._client.users_info(user=who.id)).get("user")
        except (ChannelError, TimeoutError) as error:
            log.warning("standing.unknown", user=who.id, team=who.team, error=str(error) or type(error).__name__)
            return UNCHECKED
        return objection(user if isinstance(user, Mapping) else {}, who, team)

    async def members(self, team: str, group: str) -> frozenset[str]:
        """The ids of the users in a user group. Raises ChannelError."""
        if team != await self._workspace():
            raise ChannelRefused(f"Twokey is not installed in the workspace {team}")
        try:
            async with asyncio.timeout(PATIENCE):
                with slack_failures():
                    users = (await self._client.usergroups_users_list(usergroup=group)).get("users")
        except TimeoutError:
            raise ChannelDown("Slack did not answer in time") from None
        if not isinstance(users, list):
            raise ChannelDown("Slack did not say who is in the group")
        return frozenset(each for each in users if isinstance(each, str))

    async def _workspace(self) -> str:
        """The workspace that the token is of, which never changes. Raises ChannelError."""
        if not self._team:
            try:
                async with asyncio.timeout(PATIENCE):
                    with slack_failures():
                        self._team = str((await self._client.auth_test()).get("team_id") or "")
            except TimeoutError:
                raise ChannelDown("Slack did not answer in time") from None
        return self._team


def objection(user: Mapping[str, object], who: Identity, team: str) -> str:
    """Why the account that Slack describes so may not decide in this workspace; empty when it may."""
    if not team or user.get("id") != who.id:
        return UNCHECKED
    if user.get("is_stranger") or who.team != team or not _belongs(user, team):
        return STRANGER
    for flag, reason in _REASONS:
        if user.get(flag) is not False:
            return reason if user.get(flag) is True else UNCHECKED
    return ""


def _belongs(user: Mapping[str, object], team: str) -> bool:
    """Whether they are of the workspace; in an organisation of several, an account may belong to more than one."""
    organisation = user.get("enterprise_user")
    teams = organisation.get("teams") if isinstance(organisation, Mapping) else None
    return user.get("team_id") == team or (isinstance(teams, list) and team in teams)
