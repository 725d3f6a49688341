"""One SMTP connection, and what each of its errors means for a mail. The only importer of aiosmtplib.

Import this module late: aiosmtplib costs start-up time, and many deployments send no mail in their first seconds.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import aiosmtplib

from bot.mail.errors import MailRefused, MailTransient, MailUnknown, SendingFailed
from bot.mail.sent import Sent
from bot.mail.smtp_address import SmtpAddress

TRANSIENT = 400
PERMANENT = 500
GOODBYE = 5.0
"""Seconds to wait for the answer to QUIT, which nobody needs."""


class SmtpConnection:
    """An open connection. After any error it must be closed and forgotten."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client

    @classmethod
    async def open(
        cls,
        address: SmtpAddress,
        *,
        helo: str | None = None,
        timeout: float = 60.0,  # noqa: ASYNC109 -- for each command, not for the whole
        trust: ssl.SSLContext | None = None,
    ) -> Self:
        """Connects, secures and signs in. Raises MailTransient or MailRefused."""
        client = aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            use_tls=address.security == "tls",
            # None would be opportunistic, so that a stripped STARTTLS meant plain text.
            start_tls=address.security == "starttls",
            username=address.username or None,
            password=address.password or None,
            local_hostname=helo,
            timeout=timeout,
            tls_context=trust,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise outcome_of(error, in_data=False) from error
        return cls(client)

    async def send(self, content: bytes, sender: str, recipients: Sequence[str]) -> Sent:
        """Hands over one mail. Raises MailTransient, MailRefused or MailUnknown."""
        in_data = False
        accepted: tuple[str, ...] = ()
        try:
            await self._client.mail(sender)
            accepted, refused = await self._recipients(recipients)
            in_data = True
            response = await self._client.data(content)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise outcome_of(error, in_data=in_data) from error
        return Sent(f"{response.code} {response.message}", accepted, refused)

    async def close(self) -> None:
        """Says goodbye if anybody listens, and closes."""
        if self._client.is_connected:
            with suppress(aiosmtplib.SMTPException, OSError):
                await asyncio.wait_for(self._client.quit(), GOODBYE)
        self._client.close()

    async def _recipients(self, recipients: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
        """The recipients that the server takes and those that it does not. None taken is an error, some is not."""
        accepted: list[str] = []
        refused: dict[str, str] = {}
        codes: list[int] = []
        for recipient in recipients:
            try:
                await self._client.rcpt(recipient)
            except aiosmtplib.SMTPRecipientRefused as error:
                refused[recipient] = f"{error.code} {error.message}"
                codes.append(error.code)
            else:
                accepted.append(recipient)
        if not accepted and min(codes) < PERMANENT:
            raise MailTransient(f"no recipient was taken for now: {'; '.join(refused.values())}")
        if not accepted:
            raise MailRefused(f"no recipient was taken: {'; '.join(refused.values())}", refused)
        return tuple(accepted), refused


def outcome_of(error: Exception, *, in_data: bool) -> SendingFailed:
    """What an error of aiosmtplib or the network means. Once the text is on its way, silence means: we do not know."""
    words = f"{type(error).__name__}: {error}"[:500]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        if error.code >= PERMANENT:
            return MailRefused(words, {})
        return MailUnknown(words) if in_data and error.code < TRANSIENT else MailTransient(words)
    if isinstance(error, OSError):  # time-outs and disconnects are kinds of it, in aiosmtplib too
        return MailUnknown(words) if in_data else MailTransient(words)
    # No STARTTLS, no AUTH, an address that cannot be written: trying again changes nothing.
    return MailRefused(words, {})
