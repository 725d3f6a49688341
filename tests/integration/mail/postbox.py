"""A real SMTP server on loopback for the sender's tests; it keeps what it is given and can be told to refuse."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Postbox:
    """What came in, and what to answer."""

    mails: list[Envelope] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    credentials: list[tuple[bytes, bytes]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    """Answers by recipient."""
    after_data: str = "250 2.0.0 Ok: queued as 4711"
    drop_after_data: bool = False
    port: int = 0
    writers: list[asyncio.Transport] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name and arguments
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes a recipient unless told otherwise."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keeps a mail."""
        self.mails.append(envelope)
        self.sessions.add(id(session))
        if self.drop_after_data:
            self.drop_connections()
        return self.after_data

    def authenticator(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object
    ) -> AuthResult:
        """Takes one password."""
        assert isinstance(login, LoginPassword)
        self.credentials.append((login.login, login.password))
        return AuthResult(success=login.password == b"p@ss", handled=False)

    def drop_connections(self) -> None:
        """Closes all open connections without a word, as an idle server does."""
        for writer in self.writers:
            writer.abort()
        self.writers.clear()


@asynccontextmanager
async def running(
    postbox: Postbox, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, auth: bool = False
) -> AsyncIterator[Postbox]:
    """The server, on a free port of loopback."""

    def session() -> SMTP:
        server = SMTP(
            postbox,
            hostname="postbox.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_required=auth,
            auth_require_tls=auth and tls is None,
            authenticator=postbox.authenticator if auth else None,
        )
        made = server.connection_made

        def connection_made(transport: asyncio.BaseTransport) -> None:
            if isinstance(transport, asyncio.Transport):
                postbox.writers.append(transport)
            made(transport)

        server.connection_made = connection_made  # type: ignore[method-assign] # to be able to cut the line later
        return server

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=tls)
    postbox.port = server.sockets[0].getsockname()[1]
    try:
        yield postbox
    finally:
        server.close()
        postbox.drop_connections()
        await server.wait_closed()
