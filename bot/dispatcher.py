"""Has a worker work on threads, each in its turn and no more at once than there is room for. Every engine has one."""

import asyncio
import contextlib
from contextvars import Context, copy_context
from functools import partial

import structlog

from agent.errors import StoreDown
from bot.turns import Bounds, Turns, Whose
from bot.worker import Worker
from store.held import HeldThread
from store.owners import AT_ONCE

log = structlog.get_logger()

RETRY = 1.0
"""Seconds until it is asked again whose threads are, should the store not have said."""
LATE = 5.0
"""Seconds that a thread just taken in may keep a stop waiting; what comes later is taken over when its lease ends."""


class Seat:
    """Room that is kept for one thread. Satisfies `store.threads.Seat`."""

    def __init__(self, dispatcher: "Dispatcher") -> None:
        self._dispatcher = dispatcher
        self._is_kept = True

    def fill(self, held: HeldThread) -> None:
        """Work on it."""
        if not self._is_kept:  # whoever asked for it was cancelled, and the thread is held all the same
            self._dispatcher.turns.reserved += 1
        self._is_kept = False
        self._dispatcher.begin(held)

    def free(self) -> None:
        """Let others have it; without effect on one that was filled."""
        if self._is_kept:
            self._is_kept = False
            self._dispatcher.give_back()


class Dispatcher:
    """Takes what is offered, and starts it."""

    def __init__(self, worker: Worker, bounds: Bounds) -> None:
        self.worker = worker
        self.turns = Turns(bounds)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._signal = asyncio.Event()
        self._ended = asyncio.Event()
        self._context: Context | None = None
        """What a thread is worked on in, whoever gave it something to do; None while nothing is."""

    def seat(self) -> Seat | None:
        """Room for one more thread, whoever it belongs to; None when there is none, or no work is done here."""
        is_open = self._context is not None and not self.worker.stopping.is_set() and self.turns.reserve()
        return Seat(self) if is_open else None

    def begin(self, held: HeldThread) -> None:
        """Work on a thread that is held, on a seat that was kept; when what has just let it go has ended."""
        if (before := self._tasks.get(held.thread_id)) is not None:
            before.add_done_callback(lambda _: self.begin(held))
            return
        self.turns.seat(held.thread_id)
        self._start(held.thread_id, held)

    def give_back(self) -> None:
        """A seat was kept for nothing."""
        self.turns.reserved -= 1
        self._signal.set()

    def offer(self, thread_id: str) -> None:
        """Look at the thread as soon as there is room; interrupt it when it is being worked on."""
        self.turns.offer(thread_id)
        self.worker.nudge(thread_id)
        self._signal.set()

    async def run(self) -> None:
        """Start what may start, until `stop`."""
        self._context = copy_context()
        while not self.worker.stopping.is_set():
            self._signal.clear()
            try:
                await self._start_ready()
            except Exception:
                log.exception("engine.dispatch_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await self._signal.wait()

    async def see_to(self, thread_id: str) -> None:
        """Offer the thread, and stay while it is worked on, or while there is no room for anybody.

        Not while only whoever it belongs to has no room: it has its turn here when there is.
        """
        is_running = thread_id in self._tasks
        self.offer(thread_id)
        if is_running:
            return
        await self._start_ready()
        while thread_id not in self._tasks and self.turns.is_full and not self.worker.stopping.is_set():
            await self._ended.wait()
            await self._start_ready()
        if (task := self._tasks.get(thread_id)) is not None:
            await asyncio.wait({task})

    async def stop(self, grace: float) -> None:
        """Start no more; let each thread finish its step and be handed back; after `grace` seconds, cut it short."""
        self.worker.stopping.set()
        self._signal.set()
        self._ended.set()
        await self.worker.stop(grace)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATE):
                while self._tasks or self.turns.reserved:  # those just begun, or about to: they hand back at once
                    await asyncio.gather(*self._tasks.values(), return_exceptions=True)
                    await asyncio.sleep(0.01 if self.turns.reserved else 0)

    async def _start_ready(self) -> None:
        await self._learn_whose()
        while not self.worker.stopping.is_set() and (thread_id := self.turns.take()) is not None:
            self._start(thread_id)
            await self._learn_whose()

    def _start(self, thread_id: str, held: HeldThread | None = None) -> None:
        context = self._context.copy() if self._context else copy_context()
        work = self.worker.work(thread_id, held)
        task = self._tasks[thread_id] = asyncio.create_task(work, name=f"thread {thread_id}", context=context)
        task.add_done_callback(partial(self._done, thread_id))

    def _done(self, thread_id: str, _: asyncio.Task[None]) -> None:
        del self._tasks[thread_id]
        self.turns.done(thread_id)
        self._signal.set()
        self._ended.set()
        if not self.worker.stopping.is_set():
            self._ended = asyncio.Event()

    async def _learn_whose(self) -> None:
        """Only when there is more to do than anybody may have at once; until it is known, nothing more is started."""
        asked = self.turns.unknown()[:AT_ONCE]
        if not asked:
            return
        try:
            found = await self.worker.threads.owners(asked)
        except StoreDown as error:
            log.warning("engine.owners_unknown", error=str(error))
            return
        self.turns.learn({each: Whose(*found.get(each, ("", ""))) for each in asked})
