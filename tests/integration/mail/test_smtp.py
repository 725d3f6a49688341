"""Mail goes out over a real connection, and each way of failing is told apart."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from bot.mail.email import Mailbox
from bot.mail.errors import MailRefused, MailTransient, MailUnknown, SendingFailed
from bot.mail.message import Outgoing, compose
from bot.mail.smtp import SmtpLimits, SmtpSender
from bot.mail.smtp_connection import outcome_of
from tests.integration.mail.postbox import Postbox, running

MAIL = compose(
    Outgoing(
        Mailbox("agent@bot.example", "Agent"),
        (Mailbox("ann@corp.example"),),
        "Re: Hi",
        "Hello.\n.\n..dots",
        "<reply.1@bot.example>",
        datetime(2025, 3, 3, tzinfo=UTC),
        references=tuple(f"<{at:02}{'x' * 70}@y.example>" for at in range(12)),
    )
)
ANN, BOB = "ann@corp.example", "bob@corp.example"
SHORT = SmtpLimits(timeout=5)


def _sender(postbox: Postbox, limits: SmtpLimits = SHORT) -> SmtpSender:
    return SmtpSender(f"smtp+insecure://127.0.0.1:{postbox.port}", limits=limits)


async def _send(sender: SmtpSender, *recipients: str) -> str:
    return (await sender.send(MAIL, sender="bounce@bot.example", recipients=recipients or (ANN,))).answer


async def test_the_bytes_arrive_unchanged_and_the_answer_comes_back() -> None:
    async with running(Postbox()) as postbox, _sender(postbox) as sender:
        sent = await sender.send(MAIL, sender="", recipients=[ANN])

    assert sent.answer == "250 2.0.0 Ok: queued as 4711"
    assert (sent.accepted, sent.refused) == ((ANN,), {})
    assert postbox.mails[0].original_content == MAIL
    assert postbox.mails[0].mail_from in {"", "<>"}
    assert postbox.mails[0].rcpt_tos == [ANN]


async def test_one_connection_serves_many_senders_at_once() -> None:
    async with running(Postbox()) as postbox, _sender(postbox) as sender:
        await asyncio.gather(*(_send(sender) for _ in range(20)))

    assert (len(postbox.mails), len(postbox.sessions)) == (20, 1)


async def test_a_connection_is_replaced_after_so_many_mails() -> None:
    async with running(Postbox()) as postbox, _sender(postbox, replace(SHORT, max_mails=2)) as sender:
        for _ in range(5):
            await _send(sender)

    assert len(postbox.sessions) == 3


async def test_an_idle_connection_is_closed_in_time() -> None:
    async with running(Postbox()) as postbox, _sender(postbox, replace(SHORT, max_age=0.05)) as sender:
        await _send(sender)
        await asyncio.sleep(0.2)
        assert all(writer.is_closing() for writer in postbox.writers)
        await _send(sender)

    assert len(postbox.sessions) == 2


async def test_a_connection_that_died_unnoticed_costs_no_mail() -> None:
    async with running(Postbox()) as postbox, _sender(postbox) as sender:
        await _send(sender)
        postbox.drop_connections()
        await _send(sender)

    assert len(postbox.mails) == 2


async def test_some_refused_recipients_are_told_beside_the_accepted() -> None:
    async with running(Postbox(refuse={BOB: "550 5.1.1 no such user"})) as postbox, _sender(postbox) as sender:
        sent = await sender.send(MAIL, sender="", recipients=[ANN, BOB])

    assert sent.accepted == (ANN,)
    assert sent.refused == {BOB: "550 5.1.1 no such user"}


async def test_all_recipients_refused_is_final_and_says_for_whom() -> None:
    async with running(Postbox(refuse={ANN: "550 5.1.1 no such user"})) as postbox, _sender(postbox) as sender:
        with pytest.raises(MailRefused) as caught:
            await _send(sender)

    assert caught.value.recipients == {ANN: "550 5.1.1 no such user"}


@pytest.mark.parametrize(
    "answer, error",
    [("451 4.3.0 later", MailTransient), ("452 4.2.2 full", MailTransient), ("554 5.7.1 spam", MailRefused)],
)
async def test_a_refused_text_is_final_or_not_as_its_code_says(answer: str, error: type[SendingFailed]) -> None:
    async with running(Postbox(after_data=answer)) as postbox, _sender(postbox) as sender:
        with pytest.raises(error, match=answer[4:]):
            await _send(sender)


async def test_greylisting_is_transient() -> None:
    async with running(Postbox(refuse={ANN: "451 4.7.1 greylisted"})) as postbox, _sender(postbox) as sender:
        with pytest.raises(MailTransient, match="greylisted"):
            await _send(sender)


async def test_a_connection_lost_after_the_text_leaves_the_outcome_unknown() -> None:
    async with running(Postbox(drop_after_data=True)) as postbox, _sender(postbox) as sender:
        with pytest.raises(MailUnknown):
            await _send(sender)

    assert len(postbox.mails) == 1  # never sent a second time by itself


async def test_a_failed_mail_does_not_stop_the_next() -> None:
    async with running(Postbox(refuse={BOB: "550 no"})) as postbox, _sender(postbox) as sender:
        with pytest.raises(MailRefused):
            await _send(sender, BOB)
        await _send(sender, ANN)

    assert len(postbox.mails) == 1


async def test_nobody_listening_is_transient() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with SmtpSender(f"smtp+insecure://127.0.0.1:{port}", limits=SHORT) as sender:
        with pytest.raises(MailTransient):
            await _send(sender)


async def test_a_silent_server_is_given_up_on() -> None:
    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    url = f"smtp+insecure://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, SmtpSender(url, limits=SmtpLimits(timeout=0.2)) as sender:
        with pytest.raises(MailTransient):
            await _send(sender)


async def test_leaving_sends_what_is_queued() -> None:
    async with running(Postbox()) as postbox:
        async with _sender(postbox) as sender:
            waiting = [asyncio.create_task(_send(sender)) for _ in range(3)]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*waiting)

    assert len(answers) == len(postbox.mails) == 3


async def test_a_stopped_sender_takes_nothing() -> None:
    sender = SmtpSender("smtp+insecure://127.0.0.1:1", limits=SHORT)
    with pytest.raises(MailTransient, match="not running"):
        await _send(sender)


async def test_without_recipients_nothing_is_sent() -> None:
    async with running(Postbox()) as postbox, _sender(postbox) as sender:
        with pytest.raises(MailRefused):
            await sender.send(MAIL, sender="", recipients=[])


async def test_a_server_without_starttls_gets_neither_mail_nor_password() -> None:
    async with (
        running(Postbox()) as postbox,
        SmtpSender(f"smtp://user:p%40ss@127.0.0.1:{postbox.port}", limits=SHORT) as sender,
    ):
        with pytest.raises(MailRefused, match=r"(?i)starttls"):
            await _send(sender)

    assert not postbox.mails
    assert not postbox.credentials


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's certificate for 127.0.0.1, and a client's trust in it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on this machine")
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- fixed words and a temporary folder
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")  # aiosmtpd's, about itself
@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")  # likewise
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_mail_and_password_travel_encrypted(contexts: tuple[ssl.SSLContext, ssl.SSLContext], scheme: str) -> None:
    server, client = contexts
    ways = {"starttls": server} if scheme == "smtp" else {"tls": server}
    async with running(Postbox(), auth=True, **ways) as postbox:
        url = f"{scheme}://us%40er:p%40ss@127.0.0.1:{postbox.port}"
        async with SmtpSender(url, limits=SHORT, trust=client) as sender:
            await _send(sender)

    assert postbox.credentials == [(b"us@er", b"p@ss")]
    assert len(postbox.mails) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")  # aiosmtpd's, about itself
@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")  # likewise
async def test_a_wrong_password_is_final(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = contexts
    async with (
        running(Postbox(), auth=True, starttls=server) as postbox,
        SmtpSender(f"smtp://u:wrong@127.0.0.1:{postbox.port}", limits=SHORT, trust=client) as sender,
    ):
        with pytest.raises(MailRefused, match="535"):
            await _send(sender)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")  # aiosmtpd's, about itself
@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")  # likewise
async def test_an_unknown_certificate_is_not_accepted(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with (
        running(Postbox(), auth=True, starttls=contexts[0]) as postbox,
        SmtpSender(f"smtp://u:p%40ss@127.0.0.1:{postbox.port}", limits=SHORT) as sender,
    ):
        with pytest.raises(SendingFailed):
            await _send(sender)

    assert not postbox.credentials


def test_each_error_of_the_library_means_something() -> None:
    classes = [
        one for one in vars(aiosmtplib).values() if isinstance(one, type) and issubclass(one, aiosmtplib.SMTPException)
    ]
    made = [_made(one) for one in classes]

    assert len(made) > 10
    for error in made:
        assert isinstance(outcome_of(error, in_data=False), SendingFailed)
        assert not isinstance(outcome_of(error, in_data=False), MailUnknown)
        assert isinstance(outcome_of(error, in_data=True), SendingFailed)
    assert isinstance(outcome_of(ConnectionResetError(), in_data=True), MailUnknown)
    assert isinstance(outcome_of(TimeoutError(), in_data=False), MailTransient)


def _made(kind: type[aiosmtplib.SMTPException]) -> aiosmtplib.SMTPException:
    attempts: tuple[tuple[Any, ...], ...] = (("x",), (451, "x"), (451, "x", "y"), ([],))
    for arguments in attempts:
        try:
            return kind(*arguments)  # their signatures differ; the first that fits will do
        except TypeError:
            continue
    pytest.fail(f"{kind.__name__} cannot be made")


def test_the_library_is_not_imported_before_the_first_mail() -> None:
    code = "import sys, bot.mail.smtp, bot.mail.message, bot.mail.parsing; print('aiosmtplib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603 -- fixed words

    assert done.stdout.strip() == "False"
