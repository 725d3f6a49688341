"""What another place knows of people at this moment: may this account decide there, who is in that group.

Asked anew for every decision and not remembered beyond it: whoever lost a right a minute ago has lost it. What cannot
be looked up counts against whoever wants to decide.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from agent.conversation import Identity
from agent.errors import ChannelError, ChannelRefused
from agent.ports import Clock
from approvals.people import Directory
from approvals.roster import Roster

log = structlog.get_logger()

REMEMBERED = timedelta(minutes=1)
"""How long a group is remembered for who is shown something."""


class Standing(Protocol):
    """Looks people up where they come from."""

    async def check(self, who: Identity) -> str:
        """Why this account may not decide now, in words for them; empty when it may. Never raises: what cannot be
        looked up is a reason. An identity of another place than this one knows is none of its business."""
        ...

    async def members(self, team: str, group: str) -> frozenset[str]:
        """The ids of the users in a group of a workspace. Raises ChannelError."""
        ...


class NoPlace:
    """Where no such place is set up: roles by group are nobody's. Satisfies `Standing`."""

    async def check(self, who: Identity) -> str:  # noqa: ARG002 - the port
        """Nothing is known against anybody."""
        return ""

    async def members(self, team: str, group: str) -> frozenset[str]:
        """Raises ChannelRefused."""
        raise ChannelRefused(f"no Slack is set up to ask who is in {group} of {team}")


NO_PLACE = NoPlace()


class ForOneSay:
    """Another place, asked once about each account and group: for one say on several approvals, which is one decision
    whatever number of calls it is about. Not to be kept. Satisfies `Standing`."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._reasons: dict[str, str] = {}
        self._members: dict[tuple[str, str], frozenset[str] | ChannelError] = {}

    async def check(self, who: Identity) -> str:
        """Why this account may not decide now; empty when it may."""
        if who.key not in self._reasons:
            self._reasons[who.key] = await self._standing.check(who)
        return self._reasons[who.key]

    async def members(self, team: str, group: str) -> frozenset[str]:
        """The ids of the users in a group of a workspace. Raises ChannelError."""
        if (team, group) not in self._members:
            try:
                self._members[team, group] = await self._standing.members(team, group)
            except ChannelError as error:
                self._members[team, group] = error
        found = self._members[team, group]
        if isinstance(found, ChannelError):
            raise found
        return found


class RememberedGroups:
    """Another place, asked once a minute who is in a group. Only for who is shown something: whoever decides is looked
    up at that moment, and what Slack answers a minute must be left for that. Satisfies `Standing`."""

    def __init__(self, standing: Standing, clock: Clock) -> None:
        self.standing = standing
        self.clock = clock
        self._known: dict[tuple[str, str], tuple[datetime, frozenset[str]]] = {}

    async def check(self, who: Identity) -> str:
        """Asked anew."""
        return await self.standing.check(who)

    async def members(self, team: str, group: str) -> frozenset[str]:
        """As they were known to be within the last minute. Raises ChannelError; failures are not remembered."""
        now = self.clock.now()
        asked_at, found = self._known.get((team, group), (now - REMEMBERED, frozenset()))
        if now - asked_at < REMEMBERED:
            return found
        found = await self.standing.members(team, group)
        self._known[team, group] = (now, found)
        return found


async def roster(directory: Directory, roles: Iterable[str], standing: Standing, now: datetime) -> Roster:
    """The directory at this moment; of the roles by group, these are looked up. Groups that cannot be are `unknown`."""
    wanted = sorted(set(roles) & set(directory.groups))
    found = await asyncio.gather(*(_members(directory, role, standing) for role in wanted))
    known = {role: ids for role, ids in zip(wanted, found, strict=True) if ids is not None}
    return Roster(directory, now, known, frozenset(wanted) - frozenset(known))


async def _members(directory: Directory, role: str, standing: Standing) -> frozenset[str] | None:
    """Ids of the persons in the groups of a role, those whom people.yaml lists; None when one cannot be looked up."""
    ids: set[str] = set()
    for team, group in directory.groups[role].items():
        try:
            users = await standing.members(team, group)
        except ChannelError as error:
            log.warning("group.unknown", role=role, team=team, group=group, error=str(error))
            return None
        persons = (directory.find(Identity(channel="slack", team=team, id=user)) for user in users)
        ids |= {person.id for person in persons if person is not None}
    return frozenset(ids)
