"""Takes in what Slack gave up on: after three tries in six minutes it never tells us of a message again.

- When: at the start, when Socket Mode has connected anew, a while after a message could not be taken in, and once an
  hour (for an address of ours that Slack could not reach while we saw nothing wrong). It holds up neither start nor
  readiness.
- What: of each conversation that we are in, what was said since its history was last read to the end, and a margin
  before; at most a day back, and a bound of pages. Replies are read of threads that are ours and had a message within
  a week, and of those begun within that time. A database that has taken in nothing yet has missed nothing.
- How: each message goes through the rules of live ones (`payloads.arrival`) under the same names, so what was taken in
  once is dropped. In one conversation they are taken in by age.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import ApiThread, JsonObject, MailThread, SlackThread
from agent.errors import ChannelError, StoreError
from agent.ports import Clock
from bot.inbox import Delivery
from bot.slack.failures import PASSING, error_of, slack_failures, status_of
from bot.slack.history import History
from bot.slack.names import Names
from bot.slack.payloads import PassedOver, arrival
from bot.slack.text import mentions

log = structlog.get_logger()

FURTHEST = timedelta(hours=24)
MARGIN = timedelta(minutes=15)
"""Slack's own retries take six minutes; what it gave up on may be older than what we saw last."""
LIVELY = timedelta(days=7)
RETRY = 60.0
AFTER_LOSS = 900.0
"""Seconds after a message that could not be taken in: by then Slack has given it up, or not."""
EVERY = 3600.0
_SERVER_ERROR = 500


class Inbox(Protocol):
    """Where what people wrote goes."""

    async def deliver(self, delivery: Delivery) -> str | None:
        """Commit it; None when it was dropped."""
        ...


class Taken(Protocol):
    """A delivery that was taken in."""

    @property
    def key(self) -> str:
        """A name of it."""
        ...

    @property
    def conversation(self) -> SlackThread | MailThread | ApiThread:
        """Where."""
        ...


class Deliveries(Protocol):
    """What was taken in; satisfied by `store.deliveries.Deliveries`."""

    async def known(self, prefix: str, since: datetime) -> Iterable[Taken]:
        """What was taken in since then under names that begin so."""
        ...

    async def lively(self, prefix: str, since: datetime) -> Iterable[SlackThread | MailThread | ApiThread]:
        """Where somebody wrote since then."""
        ...

    async def read_until(self, name: str) -> datetime | None:
        """Up to when the history has been read."""
        ...

    async def set_read(self, name: str, until: datetime) -> None:
        """It has been, up to then."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A team that the app is installed in, and who we are there."""

    team: str
    bot_user: str
    client: AsyncWebClient
    shared_channels: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """From when on to read, and what of it is known."""

    oldest: float
    edits_from: float
    """From here on an edited message counts: nobody saw it before it was edited."""
    keys: frozenset[str] = frozenset()
    first: dict[tuple[str, str], float] = field(default_factory=dict)
    """The first known message of each thread, by channel and root: what is older was not said to us."""
    threads: frozenset[tuple[str, str]] = frozenset()
    """Channel and root of threads that are ours."""


class CatchUp:
    """Reads the history of one team."""

    def __init__(self, place: Place, inbox: Inbox, deliveries: Deliveries, clock: Clock, history: History) -> None:
        self.place = place
        self.inbox = inbox
        self.deliveries = deliveries
        self.clock = clock
        self.history = history
        self.names = Names()
        self._due = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def due(self) -> None:
        """We may have missed something."""
        self._due.set()

    def due_after_loss(self) -> None:
        """A message could not be taken in; Slack will tell us of it again, or give up."""
        if self._later is None or self._later.cancelled() or self._later.when() < asyncio.get_running_loop().time():
            self._later = asyncio.get_running_loop().call_later(AFTER_LOSS, self.due)

    async def run(self) -> None:
        """Catch up now, and whenever it is due, until cancelled."""
        away, pause = True, EVERY
        try:
            while True:
                self._due.clear()
                try:
                    await self.once(away=away)
                    away, pause = False, EVERY
                except (ChannelError, StoreError) as error:
                    log.warning("slack.catch_up_failed", error=str(error), retry_in=RETRY)
                    away, pause = True, RETRY
                except Exception:
                    log.exception("slack.catch_up_failed", retry_in=EVERY)
                    pause = EVERY
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._due.wait()
                        away = True
        finally:
            if self._later is not None:
                self._later.cancel()

    async def once(self, *, away: bool) -> int:
        """Read what was said since it was last read; how many messages were taken in. `away`: we may have missed some.

        Raises ChannelDown or StoreDown, and is then to be done again from where it began."""
        begun, name = self.clock.now(), f"slack:{self.place.team}"
        until = await self.deliveries.read_until(name)
        taken = 0
        if until is not None:
            span = await self._span(begun, until, away=away)
            with slack_failures():
                for channel in await self.history.channels():
                    taken += await self._channel(channel, span)
        await self.deliveries.set_read(name, begun)
        log.info("slack.caught_up", taken=taken, since=until and until.isoformat())
        return taken

    async def _span(self, now: datetime, until: datetime, *, away: bool) -> Span:
        since = max(min(until, now) - MARGIN, now - FURTHEST)
        prefix = f"slack:message:{self.place.team}:"
        known = list(await self.deliveries.known(prefix, since - MARGIN))
        first: dict[tuple[str, str], float] = {}
        for each in known:
            if isinstance(each.conversation, SlackThread):
                place, ts = (each.conversation.channel, each.conversation.thread_ts), float(each.key.rpartition(":")[2])
                first[place] = min(ts, first.get(place, ts))
        lively = await self.deliveries.lively(prefix, now - LIVELY)
        return Span(
            oldest=since.timestamp(),
            edits_from=until.timestamp() if away else datetime.max.replace(tzinfo=UTC).timestamp(),
            keys=frozenset(each.key for each in known),
            first=first,
            threads=frozenset((each.channel, each.thread_ts) for each in lively if isinstance(each, SlackThread)),
        )

    async def _channel(self, channel: JsonObject, span: Span) -> int:
        """Take in what was missed there. A channel that we may not read is passed over, and told in the log."""
        name = str(channel.get("id"))
        try:
            found = await self._said(name, span)
        except SlackApiError as error:
            if error_of(error) in PASSING or status_of(error) >= _SERVER_ERROR:
                raise
            log.warning("slack.history_refused", channel=name, error=error_of(error))
            return 0
        taken = 0
        for message in found:
            taken += await self._take_in(channel, message, span)
        return taken

    async def _said(self, channel: str, span: Span) -> list[JsonObject]:
        """What stands there and is not known, the oldest first."""
        roots = await self.history.roots(channel, _ts(span.oldest))
        found = {str(each.get("ts")): each for each in roots if (channel, str(each.get("ts"))) not in span.first}
        begun = {str(each.get("ts")) for each in roots if each.get("reply_count")}
        for thread in sorted(begun | {root for where, root in span.threads if where == channel}):
            oldest = max(span.oldest, span.first.get((channel, thread), 0.0))
            try:
                replies = await self.history.replies(channel, thread, _ts(oldest))
            except SlackApiError as error:
                if error_of(error) != "thread_not_found":  # its root was deleted
                    raise
                continue
            found |= {str(each.get("ts")): each for each in replies if _moment(each) >= oldest}
        key = f"slack:message:{self.place.team}:{channel}:"
        return [found[ts] for ts in sorted(found) if f"{key}{ts}" not in span.keys]

    async def _take_in(self, channel: JsonObject, message: JsonObject, span: Span) -> int:
        body = as_event(self.place.team, self.place.bot_user, channel, message)
        if _moment(message) > span.edits_from:
            event = body["event"]
            assert isinstance(event, dict)  # noqa: S101 - made so above
            event.pop("edited", None)
        found = arrival(body, self.place.bot_user, self.place.shared_channels)
        if isinstance(found, PassedOver):
            return 0
        name = await self.names.of(self.place.client, found.sender.team, found.sender.id)
        named = replace(found, sender=found.sender.model_copy(update={"name": name}))
        return int(await self.inbox.deliver(named) is not None)


def as_event(team: str, bot_user: str, channel: JsonObject, message: JsonObject) -> JsonObject:
    """A message of the history as the event that Slack would have told us of it."""
    kind = "im" if channel.get("is_im") else "mpim" if channel.get("is_mpim") else "channel"
    text = message.get("text")
    is_called = kind == "channel" and mentions(text if isinstance(text, str) else "", bot_user)
    is_shared = bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"))
    home = message.get("user_team") or message.get("source_team") or (is_shared and (message.get("team") or "unknown"))
    return {
        "team_id": team,
        "is_ext_shared_channel": is_shared,
        "event": {
            **message,
            "type": "app_mention" if is_called else "message",
            "channel": channel.get("id"),
            "channel_type": kind,
            **({"user_team": home} if home else {}),
        },
    }


def _ts(moment: float) -> str:
    return f"{moment:.6f}"


def _moment(message: JsonObject) -> float:
    """When it was said; its ts is a number in all that Slack sends."""
    return float(str(message.get("ts") or 0))
