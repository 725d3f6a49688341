"""The mail channel: replies and approval mails as bytes with a fixed Message-ID, handed to the SMTP server.

A Message-ID is made of what the mail is about and the secret key: the same mail always has the same one, and nobody can
guess it. So a mail whose sending was cut off is sent again under the same id, and mail clients show it once.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from agent.conversation import ApiThread, Destination, MailAddress, MailThread, SlackThread
from agent.errors import ChannelDown, ChannelError, ChannelRefused
from agent.ports import Clock, Presence, Reply
from approvals import token
from approvals.card import Card
from bot.mail.approval_mail import approval_mail, plain, settled_mail
from bot.mail.email import InboundEmail, Mailbox
from bot.mail.errors import MailRefused, MailTransient, MailUnknown
from bot.mail.message import Outgoing, compose, message_id_for, reply_subject
from bot.mail.shown import by_card

log = structlog.get_logger()

ABOVE = "twokey"
"""The mark in the line "reply above this line"; the reader of inbound mail cuts there."""

LINK_OUTLIVES = timedelta(days=30)
"""A link is good for looking long after the approval is settled: a late click is told what was decided."""

_OPEN, _SETTLED = "open ", "settled "
"""Before the id of the mail that asked; behind it stands what the latest mail showed."""


class Sender(Protocol):
    """Hands bytes to an SMTP server. Raises MailTransient, MailUnknown or MailRefused."""

    async def send(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> object:
        """Send it."""
        ...


@dataclass(frozen=True)
class MailChannel:
    """Satisfies `bot.outbox.Channel`."""

    sender: Sender
    address: str
    """The agent's own."""
    name: str
    """What the agent is called in From."""
    secrets: Sequence[str]
    public_url: str
    clock: Clock
    instance: str = ""
    """What marks our mail as ours, so that it is known when it comes back."""

    async def send(self, conversation: SlackThread | MailThread | ApiThread, reply: Reply) -> tuple[str, ...]:
        """Answer the latest mail of the conversation; the Message-ID of the answer."""
        if reply.mail is None or not isinstance(conversation, MailThread):
            raise ChannelRefused("there is no mail in this conversation to answer")
        message_id = self._message_id("r", reply.key)
        to, subject = reply.mail.reply_address, reply_subject(reply.mail.subject)
        await self._hand_over(
            replace(
                self._envelope(to, subject, message_id, reply.at or self.clock.now()),
                markdown=reply.text,
                in_reply_to=reply.mail.message_id,
                references=reply.mail.references,
                reply_to=Mailbox(token.thread_address(self.address, reply.thread_id, self.secrets), self.name),
                delimiter=ABOVE,
            )
        )
        return (message_id,)

    async def show(
        self,
        address: Destination,
        card: Card,
        receipt: str,
        *,
        fresh: bool,  # noqa: ARG002 - the id is fixed either way
    ) -> str:
        """One mail that asks, another when what it asks has changed, and one that says what was decided. Votes and
        questions need none: they are on the page, and in reminders."""
        if not isinstance(address, MailAddress):
            raise ChannelRefused("not a mail address")
        place, shown = f"{card.approval_id}.{address.key}", by_card(card)
        asked_id = self._message_id("a", place)
        if card.is_pending:
            before = receipt.removeprefix(_OPEN).partition(" ")[2]
            if not receipt:
                await self._hand_over(self._asking(address, card, asked_id))
            elif before and before != shown:
                changed_id = self._message_id("c", f"{place}.{shown}")
                again = self._asking(address, card, changed_id, under=asked_id, heading="Changed: ")
                await self._hand_over(replace(again, at=_changed_at(card)))
            return f"{_OPEN}{asked_id} {shown}"
        if receipt.startswith(_OPEN):
            await self._hand_over(self._settled(address, card, asked_id))
        return _SETTLED + asked_id

    async def remind(
        self,
        address: Destination,
        card: Card,
        number: int,
        receipt: str,  # noqa: ARG002 - the id of the mail that asked follows from the card
        *,
        fresh: bool,  # noqa: ARG002 - the id is fixed either way
    ) -> str:
        """The mail that asks, once more and under the first one."""
        if not isinstance(address, MailAddress):
            raise ChannelRefused("not a mail address")
        place = f"{card.approval_id}.{address.key}"
        message_id = self._message_id("m", f"{place}.{number}")
        at = card.remind_at[number - 1] if 0 < number <= len(card.remind_at) else card.asked_at
        asked_id = self._message_id("a", place)
        again = self._asking(address, card, message_id, under=asked_id, heading="Reminder: ")
        await self._hand_over(replace(again, at=at))
        return message_id

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """Mail has no such thing."""

    async def notify(self, address: str, subject: str, text: str, key: str) -> None:
        """A mail to one of our people that belongs to no conversation; `key` tells it from all others. Raises
        ChannelError. An answer to it begins a conversation as any mail does."""
        envelope = self._envelope(address, subject, self._message_id("i", key), self.clock.now())
        await self._hand_over(replace(envelope, markdown=text, kind="auto-generated"))

    async def answer(self, mail: InboundEmail, text: str) -> None:
        """A short word back to whoever wrote this mail. A failure is logged: nothing else depends on it."""
        if mail.sender is None:
            return
        to, subject = mail.sender.address, reply_subject(mail.subject)
        envelope = self._envelope(to, subject, self._message_id("n", f"{mail.message_id}.{text}"), self.clock.now())
        try:
            await self._hand_over(
                replace(
                    envelope,
                    markdown=text,
                    in_reply_to=mail.message_id,
                    references=mail.references,
                    delimiter=ABOVE,
                )
            )
        except ChannelError as error:
            log.warning("mail.answer_failed", error=str(error))

    def _asking(
        self, address: MailAddress, card: Card, message_id: str, *, under: str = "", heading: str = ""
    ) -> Outgoing:
        """Its Date is that of the request and not of the try, so that each try is the same to the byte."""
        link = token.link_token(card.approval_id, address.person, self.secrets, card.expires_at + LINK_OUTLIVES)
        subject = reply_subject(_subject(card)) if under else _subject(card)
        envelope = replace(
            self._envelope(address.address, subject, message_id, card.asked_at),
            in_reply_to=under,
            reply_to=Mailbox(self._reply_to(address, card), self.name),
            delimiter=ABOVE,
        )
        inbox = f"{self.public_url}/inbox" if address.person else ""
        return approval_mail(card, f"{self.public_url}/approvals/{link}", envelope, heading=heading, inbox=inbox)

    def _reply_to(self, address: MailAddress, card: Card) -> str:
        """What is asked of whoever wrote is answered in their thread; only a person of ours decides by token."""
        if not address.person:
            return token.thread_address(self.address, card.thread_id, self.secrets)
        return token.reply_address(self.address, card.approval_id, address.person, self.secrets, by_card(card))

    def _settled(self, address: MailAddress, card: Card, asked_id: str) -> Outgoing:
        message_id = self._message_id("s", f"{card.approval_id}.{address.key}")
        at = max((each.decided_at for each in card.plan if each.decided_at), default=self.clock.now())
        envelope = self._envelope(address.address, reply_subject(_subject(card)), message_id, at)
        return settled_mail(card, replace(envelope, in_reply_to=asked_id))

    def _envelope(self, to: str, subject: str, message_id: str, at: datetime) -> Outgoing:
        """A mail of ours, with nothing in it yet."""
        return Outgoing(
            sender=Mailbox(self.address, self.name),
            to=(Mailbox(to),),
            subject=subject,
            markdown="",
            message_id=message_id,
            at=at,
            instance=self.instance,
        )

    def _message_id(self, kind: str, key: str) -> str:
        unique = hmac.new(self.secrets[0].encode(), f"{kind}.{key}".encode(), hashlib.sha256).hexdigest()[:32]
        return message_id_for(kind, unique, self.address.rpartition("@")[2])

    async def _hand_over(self, mail: Outgoing) -> None:
        try:
            recipients = [each.address for each in mail.to]
            await self.sender.send(compose(mail), sender=self.address, recipients=recipients)
        except (MailTransient, MailUnknown) as error:
            raise ChannelDown(f"mail: {error}") from error
        except (MailRefused, ValueError) as error:
            raise ChannelRefused(f"mail: {error}") from error


def _changed_at(card: Card) -> datetime:
    """When what it shows came to be."""
    return max(each.amended_at or each.asked_at for each in card.plan)


def _subject(card: Card) -> str:
    title = plain(card.whole_title)
    if card.about == "question":
        return f"Question: {title}"
    return f"Approval wanted: {title}" if card.about == "call" else f"Please look: {title}"
