"""The engine of many processes on PostgreSQL: Procrastinate carries "look at thread X" between them, and nothing else.

A job is deferred in the transaction that gives the thread something to do, and deleted when it has been looked at. No
locks, queueing locks, priorities, far-future jobs or retries: each was seen to stall a thread or to kill a worker. What
goes wrong with a job is nobody's loss: what is due is what the store says is due, and the sweep finds it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from agent.errors import StoreDown
from bot.dispatcher import Dispatcher
from bot.sweep import Sweep
from store.database import Tx
from store.procrastinate_connector import RETRY, SteadyConnector, defer
from store.threads import Threads

log = structlog.get_logger()

QUEUE = "twokey"
POLL = 1.0
"""Seconds between two looks for jobs without a call, should one be lost."""
SILENT = 30.0
"""Seconds without a heartbeat after which the jobs of a process are litter."""


class ProcrastinateEngine:
    """Satisfies `bot.service.Engine`."""

    def __init__(self, threads: Threads, dispatcher: Dispatcher, cards_changed: Callable[[], None]) -> None:
        self.dispatcher = dispatcher
        self._threads = threads
        self._connector = SteadyConnector(threads.database.connect_args)
        self._app = App(connector=self._connector)
        self._advance = self._app.task(name="advance", queue=QUEUE)(dispatcher.see_to)
        self._sweep = Sweep(threads, cards_changed, self._tidy)
        self._stopping = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    def wake(self, tx: Tx, thread_id: str) -> None:
        """Have the thread looked at, by whichever process has room, once this transaction is committed."""
        tx.after_commit.append(partial(self._look_at, thread_id))
        defer(tx.connection, QUEUE, self._advance.name, {"thread_id": thread_id})

    def _look_at(self, thread_id: str) -> None:
        """Where there is room, do not wait for the job. Another process that works on the thread notices by itself."""
        if self._serving is not None and not self.dispatcher.turns.is_full:
            self.dispatcher.offer(thread_id)
        else:
            self.dispatcher.worker.nudge(thread_id)

    async def run(self) -> None:
        """Work until `stop`."""
        async with self._connector.opened():
            beside = [
                asyncio.create_task(self.dispatcher.run(), name="dispatcher"),
                asyncio.create_task(self._sweep.run(), name="sweep"),
            ]
            try:
                while not self._stopping.is_set():
                    await self._serve()
            finally:
                for each in beside:
                    each.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def _serve(self) -> None:
        """Procrastinate's worker, until it ends: when told to, or, which is not expected, of an error."""
        self._serving = asyncio.create_task(
            self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=self.dispatcher.turns.bounds.total,
                install_signal_handlers=False,
                fetch_job_polling_interval=POLL,
                abort_job_polling_interval=3600,  # nobody aborts a job
                stalled_worker_timeout=SILENT,
                delete_jobs="always",
            ),
            name="procrastinate",
        )
        await asyncio.wait({self._serving})
        if not self._serving.cancelled() and (error := self._serving.exception()) is not None:
            log.error("engine.courier_ended", error_type=type(error).__name__, exc_info=error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await self._stopping.wait()

    async def stop(self, grace: float) -> None:
        """Take nothing new; let each thread finish its step and be handed back; after `grace` seconds, cut it short."""
        self._stopping.set()
        if self._serving is not None:
            self._serving.cancel()  # which it takes as: fetch nothing more, and end with the jobs that run
        await self.dispatcher.stop(grace)
        with contextlib.suppress(StoreDown):  # the jobs of those that wait are gone, and others may have room
            await self._threads.tell(list(self.dispatcher.turns.waiting))
        self._connector.close_soon()

    async def _tidy(self) -> None:
        """Processes that died leave a row for themselves, and their jobs as if still at work on."""
        jobs = self._app.job_manager
        await jobs.prune_stalled_workers(SILENT)
        for job in await jobs.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=SILENT):
            if job.id is not None:
                with contextlib.suppress(ConnectorException):  # ended after all
                    await jobs.finish_job_by_id_async(job.id, Status.ABORTED, delete_job=True)
