"""The SMTP server that the agent sends through: strict about what it takes, and able to fail on demand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.serving import listen

_SIZE: Final = 25_000_000
_LINE: Final = 998


@dataclass(frozen=True, slots=True)
class SmtpFault:
    """One failure: this answer at RCPT or at DATA; `drop` takes the mail and then breaks the connection off."""

    stage: Literal["rcpt", "data", "drop"]
    reply: str = "451 4.7.1 Try again later"


class Smtp:
    """What aiosmtpd calls. A mail is handed on only after every check."""

    def __init__(self, exists: Callable[[str], bool], deliver: Callable[[str, tuple[str, ...], bytes], str]) -> None:
        self._exists = exists
        self._deliver = deliver
        self.faults: deque[SmtpFault] = deque()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Whether there is such a mailbox."""
        del server, session, options
        fault = self._fault("rcpt")
        if fault:
            return fault.reply
        if not self._exists(address):
            return f"550 5.1.1 <{address}>: no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Check, hand on, and say under which number."""
        del session
        fault = self._fault("data")
        if fault:
            return fault.reply
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        wrong = _wrong(raw)
        if wrong:
            return wrong
        number = self._deliver(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
        if self._fault("drop") and server.transport is not None:
            server.transport.close()
        return f"250 2.0.0 OK queued as {number}"

    def _fault(self, stage: str) -> SmtpFault | None:
        return self.faults.popleft() if self.faults and self.faults[0].stage == stage else None


def _wrong(raw: bytes) -> str:
    """Why a careful provider would refuse this mail; empty when it would not."""
    if b"\n" in raw.replace(b"\r\n", b""):
        return "554 5.6.0 bare line feed"
    if any(len(line) > _LINE for line in raw.split(b"\r\n")):
        return "554 5.6.0 line longer than 998 octets"
    message: EmailMessage = message_from_bytes(raw, policy=policy.default)
    for name in ("From", "Date", "Message-ID"):
        if len(message.get_all(name, [])) != 1:
            return f"550 5.7.1 exactly one {name} header is needed"
    if not message["Message-ID"].strip().startswith("<"):
        return "550 5.7.1 the Message-ID is not valid"
    return ""


@asynccontextmanager
async def smtp_serving(smtp: Smtp, port: int = 0) -> AsyncIterator[int]:
    """Serve on loopback for as long as the context lasts; gives the port."""
    sock = listen(port)
    connections: list[SMTP] = []

    def connection() -> SMTP:
        connections.append(SMTP(smtp, hostname="sandbox", data_size_limit=_SIZE, enable_SMTPUTF8=True))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connection, sock=sock)
    try:
        yield sock.getsockname()[1]
    finally:
        server.close()
        for open_one in connections:
            if open_one.transport is not None:
                open_one.transport.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait_closed(), 1)
