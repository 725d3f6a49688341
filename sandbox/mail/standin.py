"""The mail provider: mailboxes, people's hands (send, reply, forge), and the way to the agent.

A person's mail is what it says it is, so it is stamped `dmarc=pass`; a forged one says `dmarc=fail`; what comes in over
SMTP under anybody's name but the agent's is stamped `dmarc=none`, because nobody there has proved who they are.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Final

from sandbox.cast import AGENT_ADDRESS, PEOPLE
from sandbox.clock import fresh, now, today
from sandbox.feed import Feed
from sandbox.mail.letter import Attachment, Draft, Letter, answer_to, composed
from sandbox.mail.smtp import Smtp, SmtpFault, smtp_serving
from sandbox.mail.stamp import Verdict, checked, received
from sandbox.mail.webhook import Delivery, Webhook

_MOST: Final = 1000


class NoSuchMailbox(LookupError):
    """Nobody here has this address."""


class MailStandIn:
    """Everybody's mail. Use `serve()` to put it on a port; the webhook is tried whether or not the agent is up."""

    def __init__(self, inbound_url: str, secret: str, agent: str = AGENT_ADDRESS) -> None:
        self.agent = agent
        self._boxes: dict[str, list[Letter]] = {person.email: [] for person in PEOPLE}
        self._deliveries: dict[str, Delivery] = {}
        self._posted: dict[str, tuple[str, tuple[str, ...], bytes]] = {}
        self._feed: Feed[Letter | Delivery] = Feed()
        self._webhook = Webhook(inbound_url, secret, self._told)
        self._smtp = Smtp(self._exists, self._submitted)

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[int]:
        """Serve SMTP on loopback; gives the port."""
        async with smtp_serving(self._smtp, port) as taken:
            try:
                yield taken
            finally:
                await self._webhook.close()

    def send(  # noqa: PLR0913 - what a mail consists of
        self,
        sender: str,
        to: str | Sequence[str],
        subject: str,
        text: str,
        *,
        in_reply_to: str | None = None,
        references: Sequence[str] | None = None,
        html: str | None = None,
        attachments: Sequence[Attachment] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> Letter:
        """Send as somebody from here. Gives the copy in their sent folder; raises NoSuchMailbox."""
        recipients = (to,) if isinstance(to, str) else tuple(to)
        earlier = tuple(references) if references is not None else ((in_reply_to,) if in_reply_to else ())
        draft = Draft(sender, recipients, subject, text, html or "", in_reply_to or "", earlier, tuple(attachments))
        return self._send(replace(draft, headers=tuple(headers)), "pass")

    def reply(self, mailbox: str, letter: Letter | str, text: str) -> Letter:
        """Answer a mail in this mailbox (itself, its id or its Message-ID), quoting it below."""
        found = self.letter(mailbox, letter) if isinstance(letter, str) else letter
        return self._send(replace(answer_to(found, text, format_datetime(today())), sender=mailbox), "pass")

    def forge(
        self, sender: str, to: str | Sequence[str], subject: str, text: str, *, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Send under somebody's name without being them: the provider's own check fails."""
        recipients = (to,) if isinstance(to, str) else tuple(to)
        draft = Draft(sender, recipients, subject, text, headers=tuple(headers))
        message = composed(draft, f"<{fresh('forged.')}@elsewhere.example>", format_datetime(today()))
        self._route("mallory@elsewhere.example", _addresses(recipients), message.as_bytes(), "fail")

    def post_raw(self, sender: str, to: Sequence[str], raw: bytes, verdict: Verdict = "pass") -> None:
        """Send bytes that somebody's program made, as they are."""
        self._route(sender, _addresses(to), raw, verdict)

    def mailbox(self, address: str) -> list[Letter]:
        """What this mailbox received, oldest first; raises NoSuchMailbox."""
        return [letter for letter in self.everything(address) if letter.folder == "inbox"]

    def everything(self, address: str) -> list[Letter]:
        """Received and sent, oldest first; raises NoSuchMailbox."""
        if address.casefold() not in self._boxes:
            raise NoSuchMailbox(address)
        return list(self._boxes[address.casefold()])

    def letter(self, mailbox: str, key: str) -> Letter:
        """One mail by its id or Message-ID; raises NoSuchMailbox, KeyError."""
        for letter in reversed(self.everything(mailbox)):
            if key in {letter.id, letter.message_id}:
                return letter
        raise KeyError(key)

    def addresses(self) -> list[str]:
        """Every mailbox there is."""
        return list(self._boxes)

    def add_mailbox(self, address: str) -> None:
        """One more person with mail."""
        self._boxes.setdefault(address.casefold(), [])

    def deliveries(self) -> list[Delivery]:
        """How the handing over of each mail to the agent stands, oldest first."""
        return list(self._deliveries.values())

    def redeliver(self, delivery_id: str) -> None:
        """Hand the same mail over once more under the same id, as providers do when they are not sure."""
        self._webhook.post(*self._posted[delivery_id], webhook_id=delivery_id)

    def fail(self, *faults: SmtpFault) -> None:
        """What goes wrong with the next mails that the agent sends, one each."""
        self._smtp.faults.extend(faults)

    async def changes(self) -> AsyncIterator[Letter | Delivery]:
        """Each mail that arrives or is sent, and each attempt to hand one to the agent, from now on."""
        async for _, change in self._feed.listen():
            yield change

    def _send(self, draft: Draft, verdict: Verdict) -> Letter:
        recipients = _addresses(draft.to)
        unknown = [address for address in (draft.sender, *recipients) if not self._exists(address)]
        if unknown or draft.sender.casefold() not in self._boxes:
            raise NoSuchMailbox(", ".join(unknown) or draft.sender)
        domain = draft.sender.rpartition("@")[2]
        raw = composed(draft, f"<{fresh('')}@{domain}>", format_datetime(today())).as_bytes()
        letter = Letter(fresh("mail_"), draft.sender.casefold(), "sent", raw, draft.sender, recipients, now())
        self._keep(letter)
        self._route(draft.sender, recipients, raw, verdict)
        return letter

    def _submitted(self, sender: str, recipients: tuple[str, ...], raw: bytes) -> str:
        return self._route(sender, recipients, raw, "pass" if self._is_agent(_header_from(raw)) else "none")

    def _route(self, sender: str, recipients: tuple[str, ...], raw: bytes, verdict: Verdict) -> str:
        number = fresh("")
        for_agent = tuple(address for address in recipients if self._is_agent(address))
        stamped = checked(raw, _header_from(raw), verdict)
        if for_agent:
            delivery_id = self._webhook.post(sender, for_agent, stamped)
            self._posted[delivery_id] = (sender, for_agent, stamped)
        for address in recipients:
            if address.casefold() in self._boxes:
                whole = received(stamped, sender, address, number, format_datetime(today()))
                self._keep(Letter(fresh("mail_"), address.casefold(), "inbox", whole, sender, recipients, now()))
        return number

    def _keep(self, letter: Letter) -> None:
        box = self._boxes[letter.mailbox]
        box.append(letter)
        del box[:-_MOST]
        self._feed.tell(letter)

    def _told(self, delivery: Delivery) -> None:
        self._deliveries[delivery.id] = delivery
        self._feed.tell(delivery)

    def _exists(self, address: str) -> bool:
        return address.casefold() in self._boxes or self._is_agent(address)

    def _is_agent(self, address: str) -> bool:
        local, _, domain = address.casefold().rpartition("@")
        return f"{local.partition('+')[0]}@{domain}" == self.agent


def _addresses(fields: Sequence[str]) -> tuple[str, ...]:
    return tuple(address for _, address in getaddresses(list(fields)))


def _header_from(raw: bytes) -> str:
    for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line[:5].lower() == b"from:":
            return parseaddr(line[5:].decode("utf-8", "replace"))[1]
    return ""
