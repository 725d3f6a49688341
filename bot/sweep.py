"""Finds the threads that nobody was told of: timers that have come, workers that died, back-offs that are over.

Among many processes the one that holds a lock does so each second. Should it be frozen while it holds the lock, the
others do so too, more rarely: two sweeps at once do no harm. The same open connection hears that cards lag behind.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from agent.errors import StoreDown
from store.database import CARDS
from store.threads import Threads
from store.watch import Watch

log = structlog.get_logger()

EACH = 1.0
"""Seconds between two sweeps of the elected one."""
OTHERS = 5
"""The others sweep every so many times."""
TIDY = 30
"""Its courier's leftovers are looked for every so many times."""
AGAIN = 30.0
"""Seconds until somebody is told again of a thread that nobody has claimed since: it may only wait for its turn."""


class Sweep:
    """Runs beside a worker on PostgreSQL."""

    def __init__(
        self, threads: Threads, cards_changed: Callable[[], None], tidy: Callable[[], Awaitable[None]]
    ) -> None:
        self.threads = threads
        self.cards_changed = cards_changed
        self.tidy = tidy
        self._told: dict[tuple[str, int], float] = {}

    async def run(self) -> None:
        """Sweep until cancelled, whatever happens to the database."""
        while True:
            try:
                async with Watch.opened(self.threads.database, CARDS) as watch:
                    self.cards_changed()  # who knows what was missed
                    await self._keep(watch)
            except StoreDown as error:
                log.warning("engine.sweep_delayed", error=str(error))
            except Exception:
                log.exception("engine.sweep_failed")
            await asyncio.sleep(EACH)

    async def _keep(self, watch: Watch) -> None:
        turn = 0
        while True:
            is_elected = await watch.is_elected()
            if is_elected or turn % OTHERS == 0:
                await self._wake_due()
            if is_elected and turn % TIDY == 0:
                await self.tidy()
            turn += 1
            async with contextlib.aclosing(watch.calls(EACH)) as calls:
                async for _ in calls:
                    self.cards_changed()

    async def _wake_due(self) -> None:
        now, due = asyncio.get_running_loop().time(), await self.threads.due_untold()
        self._told = {each: at for each in due if now - (at := self._told.get(each, -AGAIN)) < AGAIN}
        fresh = [each for each in due if each not in self._told]
        if fresh:
            await self.threads.tell([thread_id for thread_id, _ in fresh])
        self._told |= dict.fromkeys(fresh, now)
