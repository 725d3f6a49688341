"""Threads that do jobs as they come, one of them in order, and hand the results back to event loops a batch at a time.

What `concurrent.futures` costs a job (a lock, a condition, two futures chained) is more than a small transaction takes;
here a job is a tuple in a queue, and one wake-up of the event loop settles the whole batch.
"""

import asyncio
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from agent.errors import StoreDown

Results = list[tuple["Job", object]]


class Job:
    """Something to do, and whoever waits for it."""

    __slots__ = ("done", "loop", "work")

    def __init__(self, work: object) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[object] = self.loop.create_future()


class Lane:
    """Starts a thread when a job needs one. `perform` gets a batch and gives, for each, a result or an exception."""

    def __init__(
        self, name: str, perform: Callable[[list[Job]], list[object]], at_once: int = 1, abreast: int = 1
    ) -> None:
        self._name = name
        self._perform = perform
        self._at_once = at_once
        """So many jobs at most are a batch."""
        self._abreast = abreast
        """So many threads at most."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._open = 0
        """Jobs that are not done."""
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def put(self, work: object) -> asyncio.Future[object]:
        """The future of the result. Cancelling it does not undo the job. Raises StoreDown once it is closed."""
        if self._is_closed:
            raise StoreDown("the store is closed")
        job = Job(work)
        self._open += 1
        job.done.add_done_callback(self._is_done)
        if len(self._threads) < min(self._open, self._abreast):
            self._threads.append(threading.Thread(target=self._run, name=self._name, daemon=True))
            self._threads[-1].start()
        self._jobs.put(job)
        return job.done

    def _is_done(self, _: asyncio.Future[object]) -> None:
        self._open -= 1

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch, is_last = self._more(job)
            _hand_back(list(zip(batch, self._perform(batch), strict=True)))
            if is_last:
                return

    def _more(self, first: Job) -> tuple[list[Job], bool]:
        """What else is waiting, as much as may be done at once; and whether it ends there."""
        batch = [first]
        while len(batch) < self._at_once:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                return batch, True
            batch.append(job)
        return batch, False

    async def aclose(self, patience: float | None = None) -> None:
        """Do what is waiting, and end. What is asked for from now on is refused. A thread that has not ended after so
        many seconds is left to itself."""
        self._is_closed = True
        threads, self._threads = self._threads, []
        for _ in threads:
            self._jobs.put(None)
        for each in threads:
            await asyncio.to_thread(each.join, patience)


def _hand_back(results: Results) -> None:
    """One wake-up for each event loop that waits; in a process there is one."""
    for loop in {job.loop for job, _ in results}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, [each for each in results if each[0].loop is loop])


def _settle(results: Results) -> None:
    for job, result in results:
        if job.done.done():
            continue
        if isinstance(result, BaseException):
            job.done.set_exception(result)
        else:
            job.done.set_result(result)
