"""The embedded engine: wakes threads in this process, one loop a thread, all threads side by side.

It is not a queue and remembers nothing: what is due is what the store says is due. A wake-up is a hint that comes after
the commit; a scan at start and a sweep each second find what a lost hint left lying, timers that have come, and threads
whose worker died. Safety is the store's: a thread is worked on under a claim, and a stale claim cannot write.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from functools import partial

import structlog

from agent.errors import ChannelDown, ConfigError, Fenced, StoreDown, TwokeyError
from agent.loop import Loop
from bot.turns import Bounds, Turns, Whose
from store.database import Tx
from store.held import HeldThread
from store.owners import AT_ONCE
from store.statements import STALLED_AFTER
from store.threads import Threads

log = structlog.get_logger()

SWEEP = 1.0
"""Seconds between two looks at the store without a hint."""
MOST_WAITING = 2_000
"""So many due threads are looked at in a sweep, so that their turns are fair."""
BACKOFF = (1.0, 5.0, 15.0, 60.0, 180.0)
"""Seconds before a thread is tried again that could not be worked on."""
PASSING = (ChannelDown, StoreDown, ConfigError)
"""What time or an operator mends, and nobody's message: for these a thread is tried for as long as it takes."""


class Engine:
    """Satisfies the three verbs: wake, run, stop."""

    def __init__(self, threads: Threads, loop: Loop, workers: int = 16, bounds: Bounds | None = None) -> None:
        self.threads = threads
        self.loop = loop
        self.turns = Turns(bounds or Bounds(total=workers, person=workers))
        self._running: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._signal = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self, tx: Tx, thread_id: str) -> None:
        """Look at the thread once this transaction is committed."""
        tx.after_commit.append(partial(self.look_at, thread_id))

    def look_at(self, thread_id: str) -> None:
        """Look at the thread as soon as there is room; interrupt it when it is being worked on."""
        self.turns.offer(thread_id)
        if (nudged := self._running.get(thread_id)) is not None:
            nudged.set()
        self._signal.set()

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            try:
                for thread_id in await self.threads.due(limit=MOST_WAITING):
                    self.turns.offer(thread_id)
            except Exception:
                log.exception("engine.sweep_failed")
            sweep_at = asyncio.get_running_loop().time() + SWEEP
            while not self._stopping.is_set() and (left := sweep_at - asyncio.get_running_loop().time()) > 0:
                await self._start_ready()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._signal.wait()
                self._signal.clear()

    async def _start_ready(self) -> None:
        await self._learn_whose()
        while not self._stopping.is_set() and (thread_id := self.turns.take()) is not None:
            self._running[thread_id] = asyncio.Event()
            task = asyncio.create_task(self._work(thread_id), name=f"thread {thread_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await self._learn_whose()

    async def _learn_whose(self) -> None:
        """Only when there is more to do than anybody may have at once; until it is known, nothing more is started."""
        asked = self.turns.unknown()[:AT_ONCE]
        if not asked:
            return
        try:
            found = await self.threads.owners(asked)
        except StoreDown as error:
            log.warning("engine.owners_unknown", error=str(error))
            return
        self.turns.learn({each: Whose(*found.get(each, ("", ""))) for each in asked})

    async def stop(self, grace: float) -> None:
        """Take nothing new; let each thread finish its step and be handed back; after `grace` seconds, cut it short."""
        self._stopping.set()
        self._signal.set()
        for nudged in self._running.values():
            nudged.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self, thread_id: str) -> None:
        structlog.contextvars.bind_contextvars(thread_id=thread_id)
        try:
            held = await self.threads.claim(thread_id)
            if held is not None and held.attempts >= STALLED_AFTER:
                await held.give_up(0.0, failed=0)
                log.error("thread.stalled", error="its workers died again and again", attempts=held.attempts)
            elif held is not None:
                await self._hold(held)
        except Exception:
            log.exception("thread.lost")
        finally:
            del self._running[thread_id]
            self.turns.done(thread_id)
            self._signal.set()

    async def _hold(self, held: HeldThread) -> None:
        """Run the loop while the lease is renewed; give the thread up, for later, when it cannot be worked on."""
        nudged = self._running[held.thread_id]
        try:
            await self._renewed(held, self.loop.run(held, self._stopping, nudged))
        except Fenced:
            log.warning("thread.fenced")
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.shield(held.hand_back())
            raise
        except Exception as error:  # noqa: BLE001 - it is told, and the thread is tried again
            await self._give_up(held, error)

    async def _give_up(self, held: HeldThread, error: Exception) -> None:
        delay = BACKOFF[min(held.attempts, len(BACKOFF) - 1)]
        is_passing = isinstance(error, PASSING) and held.attempts >= len(BACKOFF) - 1
        is_stalled = await held.give_up(delay, failed=0 if is_passing else 1)
        expected = isinstance(error, TwokeyError)  # then its words say it all, and a traceback would not help
        log.log(
            logging.ERROR if is_stalled or not expected else logging.WARNING,
            "thread.stalled" if is_stalled else "thread.delayed",
            error=str(error) if expected else type(error).__name__,
            exc_info=None if expected else error,
            retry_in=None if is_stalled else delay,
        )

    async def _renewed(self, held: HeldThread, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        renewing = asyncio.ensure_future(self._renew(held))
        try:
            await asyncio.wait({task, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await renewing  # it ended first, so the thread is lost: raises why
            await task
        finally:
            for each in (task, renewing):
                each.cancel()
            await asyncio.gather(task, renewing, return_exceptions=True)

    async def _renew(self, held: HeldThread) -> None:
        """Raises Fenced when the thread is somebody else's, or may soon be. A store that blinks is asked again."""
        now, pause = asyncio.get_running_loop().time, self.threads.lease / 3
        ends = now() + self.threads.lease
        while True:
            await asyncio.sleep(pause)
            asked = now()
            try:
                async with asyncio.timeout_at(ends):
                    await held.renew()
                ends = asked + self.threads.lease
            except (StoreDown, TimeoutError) as error:
                log.warning("thread.not_renewed", error=str(error) or "no answer in time")
                if now() + pause >= ends:
                    raise Fenced from error
