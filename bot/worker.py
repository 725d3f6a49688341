"""Works on threads: claims one, runs the loop while the lease is renewed, lets go; on failure gives up, for later.

It knows which threads it works on now, and can interrupt them. Which to look at is for an engine to say
(`bot.local_engine`, `bot.procrastinate_engine`), and when for the dispatcher. Safety is the store's: a stale claim
cannot write.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from agent.errors import ChannelDown, ConfigError, Fenced, StoreDown, TwokeyError
from agent.ports import Claim
from store.held import HeldThread
from store.statements import STALLED_AFTER
from store.threads import Threads

log = structlog.get_logger()

BACKOFF = (1.0, 5.0, 15.0, 60.0, 180.0)
"""Seconds before a thread is tried again that could not be worked on."""
PASSING = (ChannelDown, StoreDown, ConfigError)
"""What time or an operator mends, and nobody's message: for these a thread is tried for as long as it takes."""
LOOK = 2.0
"""Seconds between two looks at whether another process has written to a thread that is being worked on."""


class Loop(Protocol):
    """What is done with a thread that is held; `agent.loop.Loop`."""

    async def run(self, claim: Claim, stopping: asyncio.Event, nudged: asyncio.Event) -> None:
        """Go on with the thread until there is nothing to do but wait, or until `stopping` is set; then let go."""
        ...


@dataclass(frozen=True, eq=False)
class Work:
    """A thread that is being worked on."""

    task: "asyncio.Task[object] | None"
    nudged: asyncio.Event = field(default_factory=asyncio.Event)


class Worker:
    """Any number of threads side by side, one loop a thread."""

    def __init__(self, threads: Threads, loop: Loop) -> None:
        self.threads = threads
        self.loop = loop
        self.stopping = asyncio.Event()
        self._running: dict[str, Work] = {}

    @property
    def running(self) -> AbstractSet[str]:
        """The threads that it works on now."""
        return self._running.keys()

    def nudge(self, thread_id: str) -> None:
        """Interrupt the thread, if it is being worked on here."""
        if (work := self._running.get(thread_id)) is not None:
            work.nudged.set()

    async def work(self, thread_id: str, held: HeldThread | None = None) -> None:
        """Work on the thread, which may be held already, until nothing is left but to wait, unless somebody else does.
        Errors are only logged.

        Not for a thread that it works on already: whoever calls knows (`bot.dispatcher`).
        """
        structlog.contextvars.bind_contextvars(thread_id=thread_id)
        work = self._running[thread_id] = Work(asyncio.current_task())
        try:
            await self._claim(thread_id, held, work.nudged)
        except Exception:
            log.exception("thread.lost")
        finally:
            del self._running[thread_id]

    async def _claim(self, thread_id: str, held: HeldThread | None, nudged: asyncio.Event) -> None:
        held = held or await self.threads.claim(thread_id)
        if held is not None and held.attempts >= STALLED_AFTER:
            await held.give_up(0.0, failed=0)
            log.error("thread.stalled", error="its workers died again and again", attempts=held.attempts)
        elif held is not None:
            await self._hold(held, nudged)

    async def stop(self, grace: float) -> None:
        """Let each thread finish its step and hand it back; after `grace` seconds, cut it short."""
        self.stopping.set()
        for work in self._running.values():
            work.nudged.set()
        if tasks := {work.task for work in self._running.values() if work.task is not None}:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _hold(self, held: HeldThread, nudged: asyncio.Event) -> None:
        """Run the loop while the lease is renewed; give the thread up, for later, when it cannot be worked on."""
        try:
            await self._renewed(held, nudged, self.loop.run(held, self.stopping, nudged))
        except Fenced:
            log.warning("thread.fenced")
            with contextlib.suppress(StoreDown):
                await held.hand_back()
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.shield(held.hand_back())
            raise
        except Exception as error:  # noqa: BLE001 - it is told, and the thread is tried again
            await self._give_up(held, error)

    async def _give_up(self, held: HeldThread, error: Exception) -> None:
        delay = BACKOFF[min(held.attempts, len(BACKOFF) - 1)]
        is_passing = isinstance(error, PASSING) and held.attempts >= len(BACKOFF) - 1
        is_stalled = await self._given_up(held, delay, failed=0 if is_passing else 1)
        expected = isinstance(error, TwokeyError)  # then its words say it all, and a traceback would not help
        log.log(
            logging.ERROR if is_stalled or not expected else logging.WARNING,
            "thread.stalled" if is_stalled else "thread.delayed",
            error=str(error) if expected else type(error).__name__,
            exc_info=None if expected else error,
            retry_in=None if is_stalled else delay,
        )

    async def _given_up(self, held: HeldThread, delay: float, failed: int) -> bool:
        """A store that is away is asked again, so that nobody waits for the lease to run out; then it has run out."""
        now = asyncio.get_running_loop().time
        ends = now() + self.threads.lease
        while True:
            try:
                return await held.give_up(delay, failed)
            except StoreDown:
                if self.stopping.is_set() or now() >= ends:
                    raise
            await asyncio.sleep(min(0.5, self.threads.lease / 3))

    async def _renewed(self, held: HeldThread, nudged: asyncio.Event, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        renewing = asyncio.ensure_future(self._renew(held, nudged))
        try:
            await asyncio.wait({task, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await renewing  # it ended first, so the thread is lost: raises why
            await task
        finally:
            for each in (task, renewing):
                each.cancel()
            await asyncio.gather(task, renewing, return_exceptions=True)

    async def _renew(self, held: HeldThread, nudged: asyncio.Event) -> None:
        """Hold on, and nudge the loop when others have written: they may be in another process, and cancel the work.

        Raises Fenced when the thread is somebody else's, or may soon be. A store that blinks is asked again.
        """
        now, pause = asyncio.get_running_loop().time, min(self.threads.lease / 3, LOOK)
        ends = now() + self.threads.lease
        while True:
            await asyncio.sleep(pause)
            asked = now()
            try:
                async with asyncio.timeout_at(ends):
                    if await held.renew():
                        nudged.set()
                ends = asked + self.threads.lease
            except (StoreDown, TimeoutError) as error:
                log.warning("thread.not_renewed", error=str(error) or "no answer in time")
                if now() + pause >= ends:
                    raise Fenced from error
