"""Hands composed bytes to an SMTP server, over one connection that one task owns.

Sharing a connection between tasks has hung for others (cole/aiosmtplib#38, #243), so senders queue and the task sends
one mail at a time, on a connection used for 30 seconds or 50 mails and dropped at the first error. Each outcome is one
of four: Sent, MailTransient, MailRefused, MailUnknown; the outbox decides what to do about it.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from bot.mail.errors import MailRefused, MailTransient, SendingFailed
from bot.mail.sent import Sent
from bot.mail.smtp_address import parse_smtp_url

if TYPE_CHECKING:  # imported when the first mail goes out: aiosmtplib costs start-up time
    from bot.mail.smtp_connection import SmtpConnection


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """How long to wait for a server's answer, and for how long and how many mails to keep a connection."""

    timeout: float = 60.0
    max_age: float = 30.0
    max_mails: int = 50


@dataclass(frozen=True, slots=True)
class _Job:
    content: bytes
    sender: str
    recipients: tuple[str, ...]
    outcome: asyncio.Future[Sent]


class SmtpSender:
    """Sends mail while entered as a context manager; leaving it sends what is queued and closes the connection."""

    def __init__(
        self,
        url: str,
        *,
        helo: str | None = None,
        limits: SmtpLimits | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Raises MailMisconfigured for an SMTP_URL that cannot work. `trust`: other certificates than the system's."""
        self._address = parse_smtp_url(url)
        self._helo = helo
        self._trust = trust
        self._limits = limits or SmtpLimits()
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._connection: SmtpConnection | None = None
        self._opened_at = 0.0
        self._sent = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Starts the task that owns the connection; it connects only when there is mail."""
        self._task = asyncio.create_task(self._run(), name="smtp-sender")
        return self

    async def __aexit__(self, *_exception: object) -> None:
        """Lets queued mail go out, then closes."""
        self._jobs.put_nowait(None)
        if self._task:
            await self._task

    async def send(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> Sent:
        """Sends these bytes; `sender` may be empty (null path). Raises MailTransient, MailRefused or MailUnknown."""
        if not recipients:
            raise MailRefused("there are no recipients", {})
        if self._task is None or self._task.done():
            raise MailTransient("the sender is not running")
        outcome: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait(_Job(content, sender, tuple(recipients), outcome))
        return await outcome

    async def _run(self) -> None:
        try:
            while (job := await self._next_job()) is not None:
                if not job.outcome.done():
                    await self._settle(job)
        finally:
            await self._close()
            self._fail_rest()

    async def _settle(self, job: _Job) -> None:
        """Sends one mail and tells whoever waits; an unforeseen error is told too and ends no one else's mail."""
        try:
            result = await self._deliver(job)
        except Exception as error:  # noqa: BLE001 -- handed on to the waiting sender, not swallowed
            await self._close()
            if not job.outcome.done():
                job.outcome.set_exception(error)
        except BaseException:
            job.outcome.cancel()
            raise
        else:
            if not job.outcome.done():
                job.outcome.set_result(result)

    async def _next_job(self) -> _Job | None:
        """The next mail; an idle connection is closed while waiting for it."""
        if self._connection is not None:
            with suppress(TimeoutError):
                return await asyncio.wait_for(self._jobs.get(), self._time_left())
            await self._close()
        return await self._jobs.get()

    def _time_left(self) -> float:
        return max(0.0, self._opened_at + self._limits.max_age - asyncio.get_running_loop().time())

    async def _deliver(self, job: _Job) -> Sent:
        """One mail; if a reused connection turns out to be dead before the text was sent, once more on a new one."""
        if self._connection is not None and self._sent < self._limits.max_mails and self._time_left() > 0:
            try:
                return await self._attempt(self._connection, job)
            except MailTransient as error:
                if not isinstance(error.__cause__, OSError):
                    raise
        await self._close()
        return await self._attempt(await self._open(), job)

    async def _attempt(self, connection: "SmtpConnection", job: _Job) -> Sent:
        try:
            result = await connection.send(job.content, job.sender, job.recipients)
        except SendingFailed:
            await self._close()
            raise
        self._sent += 1
        return result

    async def _open(self) -> "SmtpConnection":
        from bot.mail.smtp_connection import SmtpConnection  # noqa: PLC0415 -- see its head

        connection = await SmtpConnection.open(
            self._address, helo=self._helo, timeout=self._limits.timeout, trust=self._trust
        )
        self._connection = connection
        self._opened_at = asyncio.get_running_loop().time()
        self._sent = 0
        return connection

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _fail_rest(self) -> None:
        while not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is not None and not job.outcome.done():
                job.outcome.set_exception(MailTransient("the sender was stopped"))
