"""The engine of one process on SQLite: wakes threads on commit.

It is not a queue and remembers nothing: what is due is what the store says is due. A wake-up is a hint that comes after
the commit; a scan at start and a sweep each second find what a lost hint left lying, timers that have come, and threads
whose worker died.
"""

import asyncio
import contextlib
from functools import partial

import structlog

from bot.dispatcher import Dispatcher
from store.database import Tx
from store.threads import Threads

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds between two looks at the store without a hint."""
MOST_WAITING = 2_000
"""So many due threads are looked at in a sweep, so that their turns are fair."""


class LocalEngine:
    """Satisfies `bot.service.Engine`."""

    def __init__(self, threads: Threads, dispatcher: Dispatcher) -> None:
        self.threads = threads
        self.dispatcher = dispatcher
        self._is_running = False
        self._stopping = asyncio.Event()

    def wake(self, tx: Tx, thread_id: str) -> None:
        """Look at the thread once this transaction is committed."""
        tx.after_commit.append(partial(self.look_at, thread_id))

    def look_at(self, thread_id: str) -> None:
        """Have the thread looked at when its turn comes; where no work is done, leave it to the sweep of who does."""
        if self._is_running:
            self.dispatcher.offer(thread_id)

    async def run(self) -> None:
        """Work until `stop`."""
        self._is_running = not self._stopping.is_set()
        dispatching = asyncio.create_task(self.dispatcher.run(), name="dispatcher")
        try:
            while not self._stopping.is_set():
                await self._scan()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP):
                        await self._stopping.wait()
        finally:
            self._is_running = False
            await self.dispatcher.stop(0)
            await dispatching

    async def stop(self, grace: float) -> None:
        """Take nothing new; let each thread finish its step and be handed back; after `grace` seconds, cut it short."""
        self._is_running = False
        await self.dispatcher.stop(grace)
        self._stopping.set()

    async def _scan(self) -> None:
        try:
            for thread_id in await self.threads.due(limit=MOST_WAITING):
                self.dispatcher.offer(thread_id)
        except Exception:
            log.exception("engine.sweep_failed")
