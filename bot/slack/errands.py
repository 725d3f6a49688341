"""What a listener starts and does not wait for: small calls to Slack that must not delay its answer.

Nothing that may not be lost is ever an errand: decisions and deliveries are committed before Slack hears of them.
"""

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger()


class Errands:
    """Keeps hold of them until they are done; a failure is a line in the log."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Do this on the side."""
        task = asyncio.create_task(self._run(name, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, patience: float) -> None:
        """Wait for those that run, and stop those that take longer than this many seconds."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, name: str, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the one place where an errand's failure can be seen
            log.warning("slack.errand_failed", errand=name, error=f"{type(error).__name__}: {error}"[:300])
