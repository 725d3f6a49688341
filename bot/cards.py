"""Keeps every card true: whatever is shown of an approval, anywhere, follows the log within a moment.

A card row says which version a place shows and which it should. This works off the difference; it may die at any point
and start again, since showing the newest version twice does no harm and a first showing is looked for before repeated.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from agent.errors import ChannelDown, ChannelRefused
from approvals.card import Card
from approvals.gate import Gate
from bot.outbox import Outbox
from store.approvals import ApprovalIndex, DueCard

log = structlog.get_logger()

SWEEP = 1.0
BACKOFF = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds before a card is tried again that could not be shown."""
MAX_ATTEMPTS = 20


class Cards:
    """Shows what lags behind."""

    def __init__(self, index: ApprovalIndex, gate: Gate, outbox: Outbox, at_once: int = 8) -> None:
        self.index = index
        self.gate = gate
        self.outbox = outbox
        self._room = asyncio.Semaphore(at_once)
        self._signal = asyncio.Event()
        self._stopping = asyncio.Event()

    def changed(self) -> None:
        """Some card lags behind."""
        self._signal.set()

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            self._signal.clear()
            try:
                due = await self.index.due_cards()
                await asyncio.gather(*(self._show(*each) for each in due))
            except Exception:
                log.exception("cards.failed")
                due = []
            if due:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP):
                    await self._signal.wait()

    def stop(self) -> None:
        """Take nothing new."""
        self._stopping.set()
        self._signal.set()

    async def _show(self, approval_id: str, address_key: str) -> None:
        async with self._room:
            due = await self.index.claim_card(approval_id, address_key)
            if due is None:
                return
            facts = await self.index.facts(approval_id)
            if facts is None:
                return
            await self._bring_up_to_date(due, self.gate.card(facts))

    async def _bring_up_to_date(self, due: DueCard, card: Card) -> None:
        """Show the newest version there, or say when to try again."""
        where: Mapping[str, str] = {"approval_id": due.approval_id, "address": due.address.channel_kind}
        try:
            receipt = await self.outbox.show(due.address, card, due.receipt, fresh=not due.tried)
        except ChannelDown as error:
            is_last = due.attempts + 1 >= MAX_ATTEMPTS
            delay = None if is_last else BACKOFF[min(due.attempts, len(BACKOFF) - 1)]
            await self.index.card_failed(due, delay)
            log.warning("card.delayed", **where, error=str(error), retry_in=delay)
        except ChannelRefused as error:
            await self.index.card_failed(due, None)
            log.warning("card.refused", **where, error=str(error))
        except Exception:
            await self.index.card_failed(due, BACKOFF[-1])
            log.exception("card.failed", **where)
        else:
            await self.index.card_shown(due, receipt)
            log.info("card.shown", **where, status=card.status, is_new=not due.receipt)
