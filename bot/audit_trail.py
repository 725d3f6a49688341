"""Tells of every fact of the audit log, once it is committed, on standard output and in the file of AUDIT_LOG_PATH.

Both are read from the log itself, each from where it was told last, so that a crash between a commit and its line loses
none: the file goes on behind its last line, standard output behind a cursor in the database, which all processes share
(one of them tells, and after a crash a line may come twice; thread and seq say that it is the same).
"""

import asyncio
import contextlib

import structlog

from bot.audit_file import AuditFile
from store.facts import Fact
from store.trail import Trail

log = structlog.get_logger()

EACH = 1.0
"""Seconds between two looks."""
ON_STDOUT = (
    *("seq", "kind", "who", "person", "via", "approval", "call", "tool"),
    *("arguments", "digest", "rule", "outcome", "hash"),
)
"""What of a fact is logged beside its thread: ids and digests, nobody's words."""


class AuditTrail:
    """Runs beside a worker."""

    def __init__(self, trail: Trail, file: AuditFile | None) -> None:
        self.trail = trail
        self.file = file
        self._told = 0
        self._stopping = asyncio.Event()
        self._is_failing = False

    def check(self) -> None:
        """Raises ConfigError when the file can never be written."""
        if self.file is not None:
            self.file.check()

    async def run(self) -> None:
        """Tell until `stop`, whatever happens to the database or to the disk."""
        while not self._stopping.is_set():
            try:
                await self.step()
                self._is_failing = False
            except Exception as error:  # noqa: BLE001 - told once, and tried again
                if not self._is_failing:
                    log.error("audit.delayed", error_type=type(error).__name__, error=str(error))  # noqa: TRY400 - its words say it all
                self._is_failing = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EACH):
                    await self._stopping.wait()
        if self.file is not None:
            self.file.close()

    def stop(self) -> None:
        """Tell no more; the next process goes on from there."""
        self._stopping.set()

    async def step(self) -> None:
        """Tell what is settled and was not told."""
        until = await self.trail.settled()
        await self._print(until)
        if self.file is not None:
            await self._write(self.file, until)

    async def _print(self, until: int) -> None:
        while self._told < until:
            first = await self.trail.claim(until)
            if first is None:
                self._told = await self.trail.told()
                return
            page = await self.trail.after(first, until)
            for each in page.facts:
                log.info("audit.fact", **shown(each))
            await self.trail.advance(first, page.last)
            self._told = page.last

    async def _write(self, file: AuditFile, until: int) -> None:
        if not await asyncio.to_thread(file.hold):
            return
        while file.written < until:
            page = await self.trail.after(file.written, until)
            if page.facts:
                await asyncio.to_thread(file.write, page.facts, page.last)
            else:
                file.written = page.last


def shown(fact: Fact) -> dict[str, object]:
    """What is logged of a fact."""
    return {"thread_id": fact["thread"], **{name: fact[name] for name in ON_STDOUT if name in fact}}
