"""The composition root: everything is made here, once, from the settings, and each part can be replaced.

Only this module reads the clock and makes ids. A `Service` is one process's worth of parts; entered, it works.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Self

import structlog

from agent.loop import Agent, Loop
from agent.model import OpenAIModel
from agent.ports import Clock, Ids, Model
from agent.reducer import Rules
from approvals.gate import Gate
from bot.cards import Cards
from bot.deployment import Deployment
from bot.inbox import Inbox
from bot.mail.automatic import OwnMail
from bot.mail.channel import ABOVE, MailChannel
from bot.mail.message import message_id_for
from bot.mail.parsing import Reading
from bot.mail.smtp import SmtpSender
from bot.outbox import Channel, Outbox
from bot.settings import Settings
from bot.worker import Engine
from store import schema
from store.approvals import ApprovalIndex
from store.database import Database
from store.lock import exclusive
from store.mails import Mails
from store.threads import Threads

log = structlog.get_logger()

Role = Literal["all", "web", "worker"]


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Ids of 100 random bits, in letters that survive case folding."""

    def new(self, prefix: str) -> str:
        """`<prefix>_` and 20 letters."""
        return f"{prefix}_{base64.b32encode(secrets.token_bytes(13)).decode().lower()[:20]}"


@dataclass
class Service:
    """The parts of one process."""

    settings: Settings
    deployment: Deployment
    clock: Clock
    ids: Ids
    model: Model
    database: Database
    threads: Threads
    index: ApprovalIndex
    gate: Gate
    inbox: Inbox
    outbox: Outbox
    engine: Engine
    cards: Cards
    channels: dict[str, Channel]
    mails: Mails
    smtp: SmtpSender | None
    mail: MailChannel | None
    role: Role = "all"
    is_ready: bool = False
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Open the store, then work. Raises ConfigError when this process may not work on it."""
        self._stack.push_async_callback(self.database.aclose)
        if self.database.is_sqlite and self.role != "web":
            self._stack.enter_context(exclusive(self.database))
        await schema.require(self.database)
        if self.smtp is not None:
            await self._stack.enter_async_context(self.smtp)
        if self.role != "web":
            self._tasks = [
                asyncio.create_task(self.engine.run(), name="engine"),
                asyncio.create_task(self.cards.run(), name="cards"),
            ]
        if isinstance(self.model, OpenAIModel):
            self._stack.push_async_callback(self.model.aclose)
            if self.role != "web":
                self._tasks.append(asyncio.create_task(self.model.warm(), name="warm"))
        self.is_ready = True
        log.info("service.started", role=self.role, channels=sorted(self.channels), store=self.database.url.drivername)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take nothing new, finish or hand back each step, close everything."""
        self.is_ready = False
        self.cards.stop()
        await self.engine.stop(self.settings.shutdown_grace)
        for task in self._tasks:
            if task.get_name() == "warm":
                task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._stack.aclose()
        log.info("service.stopped")


def build(
    settings: Settings,
    *,
    role: Role = "all",
    deployment: Deployment | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    model: Model | None = None,
) -> Service:
    """A process's parts, not started. Channels are added by `bot.web` and `bot.cli`, which know how they come in."""
    deployment = deployment or Deployment.load(settings.config_dir)
    clock, ids = clock or SystemClock(), ids or RandomIds()
    model = model or _model(settings)
    database = Database(settings.database_url.get_secret_value())
    threads, index = Threads(database, clock), ApprovalIndex(database, clock)
    smtp = SmtpSender(settings.smtp_url.get_secret_value(), helo=settings.email_domain) if settings.smtp_url else None
    mail = _mail_channel(settings, smtp, clock) if smtp else None
    channels: dict[str, Channel] = {"mail": mail} if mail else {}
    outbox = Outbox(channels)
    gate = Gate(
        index,
        threads,
        deployment.policy,
        deployment.directory,
        deployment.tools,
        clock,
        ids,
        timeout=settings.human_approval_timeout,
        channels=_channel_names(settings),
    )
    loop = Loop(_agents(deployment, settings), model, gate, outbox, clock, ids)
    engine = Engine(threads, loop, settings.workers)
    cards = Cards(index, gate, outbox)
    threads.wake, threads.cards_changed = engine.wake, cards.changed
    return Service(
        settings=settings,
        deployment=deployment,
        clock=clock,
        ids=ids,
        model=model,
        database=database,
        threads=threads,
        index=index,
        gate=gate,
        inbox=Inbox(threads, clock, ids, deployment.default_agent),
        outbox=outbox,
        engine=engine,
        cards=cards,
        channels=channels,
        mails=Mails(database, clock),
        smtp=smtp,
        mail=mail,
        role=role,
    )


def _model(settings: Settings) -> OpenAIModel:
    key = settings.openai_api_key
    return OpenAIModel(
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        api=settings.openai_api,
        timeout=settings.model_timeout,
    )


def _mail_channel(settings: Settings, smtp: SmtpSender, clock: Clock) -> MailChannel:
    address = settings.email_address or ""
    message_id_for("r", "0" * 32, settings.email_domain)  # a domain that is too long is told now, not at the first mail
    return MailChannel(
        sender=smtp,
        address=address,
        name=address.partition("@")[0].capitalize(),
        secrets=settings.secret_keys,
        public_url=settings.public_url,
        clock=clock,
        instance=_instance(settings),
    )


def _instance(settings: Settings) -> str:
    """The mark of this deployment's mail. Message-IDs do not tell it: those of colleagues end in the same domain."""
    key = settings.secret_keys[0].encode() if settings.secret_keys else b""
    return hmac.new(key, b"twokey.instance", hashlib.sha256).hexdigest()[:16]


def _agents(deployment: Deployment, settings: Settings) -> Mapping[str, Agent]:
    return {
        name: Agent(
            name=name,
            model=each.model or settings.openai_model,
            prompt=each.prompt,
            rules=Rules(each.tools, deployment.policy.judge),
            variables=each.variables,
        )
        for name, each in deployment.agents.items()
    }


def reading(settings: Settings) -> Reading:
    """What the reader of inbound mail must know of this deployment."""
    address = settings.email_address or ""
    trusted = settings.email_trusted_authserv_id
    return Reading(
        own=OwnMail(addresses=frozenset({address}), instance=_instance(settings)),
        trusted_authserv_ids=frozenset({trusted} if trusted else ()),
        delimiter=ABOVE,
    )


def _channel_names(settings: Settings) -> frozenset[str]:
    slack = {"slack"} if settings.slack_mode != "off" else set()
    return frozenset(slack | ({"mail"} if settings.mail_enabled else set()))
