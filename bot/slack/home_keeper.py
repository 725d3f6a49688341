"""Keeps Home tabs true: whatever happens to an approval or a grant is seen there within two seconds.

Who opened theirs is a row, so that any process can go on (`store.homes`). A tab is made anew when the log has grown, a
second's events together, and published only when that changed what it shows: Slack takes about a hundred a minute.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import Identity, JsonObject
from agent.errors import ChannelDown, ChannelRefused
from approvals.people import Person
from bot.personal import Personal
from bot.slack.at_a_glance import OnePass
from bot.slack.failures import slack_failures
from bot.slack.home import DECIDED_MOST, Lists, Standing, home_view
from store.homes import Home, Homes
from store.trail import Trail

log = structlog.get_logger()

SWEEP = 1.0
BACKOFF = 10.0
"""Seconds before a tab is tried again that Slack did not take."""
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class HomeKeeper:
    """Publishes tabs when they are opened, and when they lag behind."""

    homes: Homes
    trail: Trail
    personal: Personal
    client_for: Callable[[str], Awaitable[AsyncWebClient]]
    has_inbox: bool
    """Whether there are pages to sign in to."""

    async def opened(self, team: str, user: str) -> None:
        """Somebody opened their tab. Whoever is not in people.yaml is shown how Twokey is used, and that is all."""
        home = Home(team, user)
        if self._person(home) is None:
            await self._publish(home, home_view())
            return
        await self.homes.opened(home)
        await self._bring_up_to_date(home, await self.trail.settled(), self.personal)

    async def run(self) -> None:
        """Look every second until cancelled; less often where a look takes long, so that work comes first."""
        now, pause = asyncio.get_running_loop().time, SWEEP
        while True:
            await asyncio.sleep(pause)
            began = now()
            try:
                await self.round()
            except Exception:  # whatever one round meets, the next is due
                log.exception("homes.failed")
            pause = max(SWEEP, 2 * (now() - began))

    async def round(self) -> None:
        """Bring up to date what lags behind. Costs next to nothing where nobody opened theirs."""
        if not await self.homes.any():
            return
        settled = await self.trail.settled()
        due = await self.homes.due(settled)
        personal = replace(self.personal, index=OnePass(self.personal.index))
        for start in range(0, len(due), AT_ONCE):
            each = (self._bring_up_to_date(home, settled, personal) for home in due[start : start + AT_ONCE])
            await asyncio.gather(*each)

    async def _bring_up_to_date(self, home: Home, settled: int, personal: Personal) -> None:
        before = await self.homes.claim(home)
        if before is None:
            return
        person = self._person(home)
        view = home_view(await _lists(person, personal), has_inbox=self.has_inbox) if person else home_view()
        digest = hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
        try:
            if digest != before:
                await self._publish(home, view)
        except (ChannelDown, ChannelRefused) as error:
            log.warning("home.delayed", user=home.user, error=str(error), retry_in=BACKOFF)
            await self.homes.later(home, BACKOFF)
        else:
            await self.homes.looked(home, settled, digest)

    def _person(self, home: Home) -> Person | None:
        return self.personal.gate.directory.find(Identity(channel="slack", id=home.user, team=home.team))

    async def _publish(self, home: Home, view: JsonObject) -> None:
        with slack_failures():
            client = await self.client_for(home.team)
            await client.views_publish(user_id=home.user, view=view)


async def _lists(person: Person, personal: Personal) -> Lists:
    pending = await personal.pending(person)
    told = personal.gate.granting.words
    return Lists(
        pending=pending.cards,
        more=pending.unseen,
        decided=await personal.decided(person, DECIDED_MOST),
        grants=[Standing(each.grant.id, told(each.grant), each.used) for each in await personal.grants(person)],
    )
