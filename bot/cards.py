"""Keeps every card true: whatever is shown of an approval, anywhere, follows the log within a moment.

A card row says which version a place shows and which it should. This works off the difference; it may die at any point
and start again, since showing the newest version twice does no harm and a first showing is looked for before repeated.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import structlog

from agent.conversation import Hook, MailAddress, SlackUser
from agent.errors import ChannelDown, ChannelRefused
from approvals.card import Card
from approvals.gate import Gate
from bot.line import LIMIT
from bot.outbox import Outbox
from store.approvals import ApprovalIndex, DueCard

log = structlog.get_logger()

SWEEP = 1.0
GATHER = 0.03
"""Seconds from hearing of a change to looking: a decision and what came of it are mostly one change of a card, and
the look for what is due is one for all threads that changed meanwhile. A channel takes longer to show it than that."""
BACKOFF = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds before a card is tried again that could not be shown."""
HOOK = Hook().channel_kind
MAX_ATTEMPTS = 20
"""For a card that is settled. One that can still be decided is tried for as long as it can."""


class Cards:
    """Shows what lags behind."""

    def __init__(self, index: ApprovalIndex, gate: Gate, outbox: Outbox, at_once: int = 8) -> None:
        self.index = index
        self.gate = gate
        self.outbox = outbox
        self.at_once = at_once
        self._showing: set[tuple[str, str]] = set()
        self._has_left = False
        """Whether some that were due had no room."""
        self._signal = asyncio.Event()
        self._stopping = asyncio.Event()

    def changed(self) -> None:
        """Some card lags behind."""
        self._signal.set()

    async def run(self) -> None:
        """Work until `stop`, and then until what is being shown is shown."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                self._signal.clear()
                await self._start_due(group)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP):
                        await self._signal.wait()
                if not self._has_left:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(GATHER):
                            await self._stopping.wait()

    async def _start_due(self, group: asyncio.TaskGroup) -> None:
        """Begin what there is room for. A channel that has none is left out of the look, lest what piles up for it hide
        what is due on another."""
        limit, full = self.at_once * 50, self._full()
        while True:
            try:
                due = await self.index.due_cards(limit=limit, without=full)
            except Exception:  # whatever the store has, the next sweep looks again
                log.exception("cards.failed")
                return
            ready = [each for each in due if self._takes_on(each)]
            self._has_left = len(ready) < len(due) or bool(full)
            for each in ready:
                group.create_task(self._work(each))
            if len(due) < limit or self._full() <= full:
                return
            full |= self._full()

    def _takes_on(self, each: tuple[str, str]) -> bool:
        has_room = each not in self._showing and self._has_room(each[1])
        if has_room:
            self._showing.add(each)
        return has_room

    def _has_room(self, key: str) -> bool:
        """So many at once for each channel; and one at a time at each place where people read, so that what is older is
        shown first."""
        same_channel = [other for _, other in self._showing if _channel(other) == _channel(key)]
        is_in_order = _channel(key) != HOOK
        return len(same_channel) < self.at_once and not (is_in_order and _place(key) in map(_place, same_channel))

    def _full(self) -> frozenset[str]:
        """The channels that have as much in hand as they may."""
        count = Counter(_channel(key) for _, key in self._showing)
        return frozenset(name for name, number in count.items() if number >= self.at_once)

    async def _work(self, each: tuple[str, str]) -> None:
        """Show it, and look for more; after a failure that nobody foresaw only at the next sweep."""
        try:
            await self._show(*each)
            self._signal.set()
        except Exception:  # one card must not stop the others; it is found again once its lease is over
            log.exception("cards.failed", approval_id=each[0])
        finally:
            self._showing.discard(each)

    def stop(self) -> None:
        """Take nothing new."""
        self._stopping.set()
        self._signal.set()

    async def _show(self, approval_id: str, address_key: str) -> None:
        """Begun only if it must end while the card is ours: whoever was frozen, or waited long for the store, may have
        lost it to another."""
        now = asyncio.get_running_loop().time
        last_moment = now() + self.index.lease - LIMIT
        due = await self.index.claim_card(approval_id, address_key)
        facts = due.facts or await self.index.facts(approval_id) if due is not None else None
        if due is None or facts is None or now() >= last_moment:
            return
        card = self.gate.card(facts)
        if until := self._quiet_until(due, card):
            await self._hold(due, card, until)
        else:
            await self._bring_up_to_date(due, card)

    async def _hold(self, due: DueCard, card: Card, until: datetime) -> None:
        """Show it then. A reminder is left out when another one will be held back, too, or the card itself was."""
        if due.reminder and (not due.card_receipt or any(each <= until for each in card.remind_at[due.reminder :])):
            await self.index.card_shown(due, due.receipt)
            return
        await self.index.card_held(due, until)
        log.info("card.held", approval_id=due.approval_id, address=due.address.channel_kind, until=until.isoformat())

    def _quiet_until(self, due: DueCard, card: Card) -> datetime | None:
        """When the quiet hours end of whoever would be disturbed now; None when it is shown at once: a place without
        one person, a message that only changes, and what would expire meanwhile."""
        is_news = due.reminder or not due.receipt
        whose = due.address.person if is_news and isinstance(due.address, SlackUser | MailAddress) else ""
        person = self.gate.directory.person(whose)
        if person is None:
            return None
        now = self.gate.clock.now()
        until = person.next_waking(now)
        return until if until > now and (not card.is_pending or until < card.expires_at) else None

    async def _say(self, due: DueCard, card: Card) -> str:
        """The receipt. Nobody is reminded of what is settled, or of what they have not been shown."""
        if not due.reminder:
            return await self.outbox.show(due.address, card, due.receipt, fresh=not due.tried)
        if not card.is_pending or not due.card_receipt:
            return due.receipt
        return await self.outbox.remind(due.address, card, due.reminder, due.card_receipt, fresh=not due.tried)

    async def _bring_up_to_date(self, due: DueCard, card: Card) -> None:
        """Show the newest version there, or say when to try again."""
        where: Mapping[str, str] = {"approval_id": due.approval_id, "address": due.address.channel_kind}
        try:
            receipt = await self._say(due, card)
        except ChannelDown as error:
            is_last = not card.is_pending and due.attempts + 1 >= MAX_ATTEMPTS
            delay = None if is_last else BACKOFF[min(due.attempts, len(BACKOFF) - 1)]
            await self.index.card_failed(due, delay)
            if is_last:
                log.error("card.given_up", **where, error=str(error), attempts=due.attempts + 1)  # noqa: TRY400 - its words say it all
            else:
                log.warning("card.delayed", **where, error=str(error), retry_in=delay)
        except ChannelRefused as error:
            await self.index.card_failed(due, None)
            log.warning("card.refused", **where, error=str(error))
        except Exception:  # a fault of ours in drawing it, say: tried again, at long intervals
            await self.index.card_failed(due, BACKOFF[-1])
            log.exception("card.failed", **where)
        else:
            await self.index.card_shown(due, receipt)
            log.info("card.shown", **where, status=card.status, is_new=not due.receipt, reminder=due.reminder)


def _channel(key: str) -> str:
    """Of the key of an address: slack, mail or hook."""
    return key.partition(":")[0].partition("_")[0]


def _place(key: str) -> str:
    """The address of a card or of a reminder of it."""
    return key.partition(" ")[0]
