"""The mail stand-in over its wires: aiosmtplib sends into it, and a small webhook receives from it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

import aiosmtplib
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cast import ADA, AGENT_ADDRESS, DANA, SAM
from sandbox.mail import Attachment, Letter, MailStandIn, NoSuchMailbox, SmtpFault, signed
from sandbox.serving import serving

SECRET = "whsec_" + base64.b64encode(b"k" * 24).decode()


@dataclass
class Hook:
    """A webhook that answers from a list, then 200, and keeps what it was sent."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    def raw(self, n: int = -1) -> bytes:
        return base64.b64decode(json.loads(self.got[n][1])["raw_b64"])


@asynccontextmanager
async def standing(hook: Hook) -> AsyncIterator[tuple[MailStandIn, int]]:
    app = Starlette(routes=[Route("/email/inbound/raw", hook.__call__, methods=["POST"])])
    async with serving(app) as url:
        mail = MailStandIn(f"{url}/email/inbound/raw", SECRET)
        async with mail.serve() as port:
            yield mail, port


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def _from_agent(to: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = AGENT_ADDRESS, to, "Re: Refund"
    message["Date"], message["Message-ID"] = "Wed, 25 Nov 2026 10:00:00 +0000", "<r.1@acme.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Done.\n")
    return message


async def _send(message: EmailMessage, port: int, sender: str = AGENT_ADDRESS) -> object:
    return await aiosmtplib.send(message, sender=sender, hostname="127.0.0.1", port=port, start_tls=False)


async def test_a_mail_to_the_agent_comes_signed_with_the_envelope_inside() -> None:
    hook = Hook()
    async with standing(hook) as (mail, _):
        sent = mail.send(SAM.email, "agent+a.token@acme.example", "Refund", "Please refund 1043.")
        await until(lambda: hook.got)
    headers, body = hook.got[0]
    again = signed(SECRET, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == again["webhook-signature"]
    assert json.loads(body)["to"] == ["agent+a.token@acme.example"]
    assert json.loads(body)["from"] == SAM.email
    assert hook.raw().startswith(b"Authentication-Results: mx.sandbox.example; dmarc=pass header.from=customer.example")
    assert sent.message_id.encode() in hook.raw()


async def test_a_5xx_is_tried_again_under_the_same_id_and_a_4xx_is_not() -> None:
    hook = Hook(answers=[503, 200, 401])
    async with standing(hook) as (mail, _):
        mail.send(SAM.email, AGENT_ADDRESS, "Refund", "One")
        await until(lambda: any(delivery.taken for delivery in mail.deliveries()))
        assert mail.deliveries()[0].attempts == 2
        assert hook.got[0][0]["webhook-id"] == hook.got[1][0]["webhook-id"]
        mail.send(SAM.email, AGENT_ADDRESS, "Refund", "Two")
        await until(lambda: len(mail.deliveries()) == 2 and mail.deliveries()[1].done)
        assert mail.deliveries()[1].status == 401
    assert len(hook.got) == 3


async def test_a_redelivery_repeats_the_id_and_the_bytes() -> None:
    hook = Hook()
    async with standing(hook) as (mail, _):
        mail.send(SAM.email, AGENT_ADDRESS, "Refund", "One")
        await until(lambda: hook.got)
        mail.redeliver(mail.deliveries()[0].id)
        await until(lambda: len(hook.got) == 2)
    assert hook.got[0][1] == hook.got[1][1]


async def test_a_forged_mail_fails_the_check_and_its_own_results_are_taken_off() -> None:
    hook = Hook()
    own = ("Authentication-Results", "mx.sandbox.example; dmarc=pass header.from=acme.example")
    async with standing(hook) as (mail, _):
        mail.forge(DANA.email, AGENT_ADDRESS, "Re: Approve?", "approve", headers=[own])
        await until(lambda: hook.got)
    assert b"dmarc=fail header.from=acme.example" in hook.raw()
    assert b"dmarc=pass" not in hook.raw()


async def test_the_agent_s_mail_lands_in_the_mailbox_and_is_announced() -> None:
    async with standing(Hook()) as (mail, port):
        news = mail.changes()
        first = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0)
        await _send(_from_agent(SAM.email), port)
        letter = await first
        assert isinstance(letter, Letter)
        assert mail.mailbox(SAM.email) == [letter]
        assert letter.text == "Done.\n"
        assert letter.raw.startswith(b"Return-Path: <agent@acme.example>")
        assert not mail.mailbox(ADA.email)


async def test_a_reply_goes_to_reply_to_and_quotes_and_threads() -> None:
    hook = Hook()
    async with standing(hook) as (mail, port):
        address = "agent+a.tok@acme.example"
        await _send(_from_agent(DANA.email, Reply_To=address, References="<root@acme.example>"), port)
        sent = mail.reply(DANA.email, "<r.1@acme.example>", "approve")
        await until(lambda: hook.got)
    assert json.loads(hook.got[0][1])["to"] == [address]
    assert sent.text.startswith("approve\n\nOn ")
    assert "\n> Done.\n" in sent.text
    assert sent.message["In-Reply-To"] == "<r.1@acme.example>"
    assert sent.message["References"] == "<root@acme.example> <r.1@acme.example>"
    assert sent.subject == "Re: Refund"
    assert mail.everything(DANA.email)[-1] == sent


@pytest.mark.parametrize(
    "change, words",
    [
        ({"Date": None}, "exactly one Date"),
        ({"Message-ID": None}, "exactly one Message-ID"),
        ({"Message-ID": "no brackets"}, "not valid"),
    ],
)
async def test_a_mail_without_what_it_needs_is_refused(change: dict[str, str | None], words: str) -> None:
    message = _from_agent(SAM.email)
    for name, value in change.items():
        del message[name]
        if value is not None:
            message[name] = value
    async with standing(Hook()) as (mail, port):
        with pytest.raises(aiosmtplib.SMTPDataError, match=words):
            await _send(message, port)
        assert not mail.mailbox(SAM.email)


async def test_an_unknown_mailbox_is_refused_on_both_sides() -> None:
    async with standing(Hook()) as (mail, port):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await _send(_from_agent("nobody@acme.example"), port)
        with pytest.raises(NoSuchMailbox):
            mail.send(SAM.email, "nobody@acme.example", "x", "y")


async def test_failures_on_demand_are_temporary_and_dropped_mail_did_arrive() -> None:
    async with standing(Hook()) as (mail, port):
        mail.fail(SmtpFault("rcpt"), SmtpFault("data"), SmtpFault("drop"))
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await _send(_from_agent(SAM.email), port)
        with pytest.raises(aiosmtplib.SMTPDataError):
            await _send(_from_agent(SAM.email), port)
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await _send(_from_agent(SAM.email), port)
        assert len(mail.mailbox(SAM.email)) == 1


async def test_attachments_and_html_come_through() -> None:
    hook = Hook()
    async with standing(hook) as (mail, _):
        file = Attachment("lamp.png", "image/png", b"\x89PNG")
        sent = mail.send(SAM.email, [AGENT_ADDRESS, DANA.email], "Photo", "See", html="<p>See</p>", attachments=[file])
        await until(lambda: hook.got)
    assert [part.get_filename() for part in sent.message.iter_attachments()] == ["lamp.png"]
    assert mail.mailbox(DANA.email)[0].html.strip() == "<p>See</p>"


async def test_a_stranger_over_smtp_has_proved_nothing() -> None:
    message = _from_agent(AGENT_ADDRESS)
    message.replace_header("From", DANA.email)
    hook = Hook()
    async with standing(hook) as (_, port):
        await _send(message, port, sender=DANA.email)
        await until(lambda: hook.got)
    assert b"dmarc=none" in hook.raw()
