"""One process's worth of parts. Entered, it is open; `work` begins; left, it has handed everything back.

`role` says which work it does: `web` takes in and decides, `worker` works on threads and shows cards, `all` does both.
"""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self

import structlog

from agent.model import OpenAIModel
from agent.ports import Clock, Ids, Model
from approvals.gate import Gate
from bot.audit_trail import AuditTrail
from bot.cards import Cards
from bot.deployment import Deployment
from bot.inbox import Inbox
from bot.mail.channel import MailChannel
from bot.mail.inbound import MailDesk
from bot.mail.smtp import SmtpSender
from bot.outbox import Channel, Outbox
from bot.settings import Settings
from bot.sign_in import SignIn
from store import schema
from store.approvals import ApprovalIndex
from store.database import Database, Tx
from store.lock import exclusive
from store.threads import Threads

log = structlog.get_logger()

Role = Literal["all", "web", "worker"]


class Engine(Protocol):
    """Carries "look at this thread" to a worker, and nothing else: which threads are due is for the store to say."""

    def wake(self, tx: Tx, thread_id: str) -> None:
        """Have the thread looked at once this transaction is committed. Raises StoreDown."""
        ...

    async def run(self) -> None:
        """Have threads worked on until `stop`, whatever happens to the database meanwhile."""
        ...

    async def stop(self, grace: float) -> None:
        """Take nothing new; let each thread finish its step and be handed back; after `grace` seconds, cut it short."""
        ...


@dataclass
class Service:
    """The parts of one process."""

    settings: Settings
    deployment: Deployment
    clock: Clock
    ids: Ids
    model: Model
    threads: Threads
    index: ApprovalIndex
    gate: Gate
    inbox: Inbox
    outbox: Outbox
    engine: Engine
    cards: Cards
    trail: AuditTrail
    smtp: SmtpSender | None
    mail: MailChannel | None
    mail_desk: MailDesk | None
    sign_in: SignIn
    role: Role = "all"
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _warming: asyncio.Task[None] | None = None
    _has_started: bool = False

    @property
    def database(self) -> Database:
        """The store behind everything."""
        return self.threads.database

    @property
    def channels(self) -> dict[str, Channel]:
        """The ways out, by name."""
        return self.outbox.channels

    async def __aenter__(self) -> Self:
        """Open the store, then work. Raises ConfigError when this process may not work on it."""
        self._stack.push_async_callback(self.database.aclose)
        if self.database.is_sqlite and self.role != "web":
            self._stack.enter_context(exclusive(self.database))
        await schema.require(self.database)
        if self.role != "web":
            self.trail.check()
        if self.smtp is not None:
            await self._stack.enter_async_context(self.smtp)
        if isinstance(self.model, OpenAIModel):
            self._stack.push_async_callback(self.model.aclose)
        return self

    async def work(self) -> None:
        """Begin. By now every channel is there, lest what is to be said finds no way out."""
        if self.role != "web":
            if self.database.is_sqlite:
                await self.threads.take_over()
            self._tasks = [
                asyncio.create_task(self.engine.run(), name="engine"),
                asyncio.create_task(self.cards.run(), name="cards"),
                asyncio.create_task(self.trail.run(), name="audit"),
            ]
            if isinstance(self.model, OpenAIModel):
                self._warming = asyncio.create_task(self.model.warm(), name="warm")
        self._has_started = True
        log.info("service.started", role=self.role, channels=sorted(self.channels), store=self.database.url.drivername)

    @property
    def is_ready(self) -> bool:
        """Whether it has begun, has not been told to stop, and nothing of it has died."""
        return self._has_started and not any(task.done() for task in self._tasks)

    async def __aexit__(self, *exc: object) -> None:
        """Take nothing new, finish or hand back each step, close everything."""
        self._has_started = False
        self.cards.stop()
        self.trail.stop()
        await self.engine.stop(self.settings.shutdown_grace)
        if self._warming is not None:
            self._warming.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._stack.aclose()
        log.info("service.stopped")
