"""The mail channel: replies and approval mails as bytes with a fixed Message-ID, handed to the SMTP server.

A Message-ID is made of what the mail is about and the secret key: the same mail always has the same one, and nobody can
guess it. So a mail whose sending was cut off is sent again under the same id, and mail clients show it once.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import structlog

from agent.conversation import ApiThread, Destination, MailAddress, MailThread, SlackThread
from agent.errors import ChannelDown, ChannelError, ChannelRefused
from agent.ports import Clock, Presence, Reply
from approvals import token
from approvals.card import Card
from bot.mail.approval_mail import ApprovalAsk, approval_mail
from bot.mail.email import InboundEmail, Mailbox
from bot.mail.errors import MailRefused, MailTransient, MailUnknown
from bot.mail.message import Outgoing, compose, message_id_for, reply_subject

log = structlog.get_logger()

ABOVE = "twokey"
"""The mark in the line "reply above this line"; the reader of inbound mail cuts there."""

LINK_OUTLIVES = timedelta(days=30)
"""A link is good for looking long after the approval is settled: a late click is told what was decided."""

_OPEN, _SETTLED = "open ", "settled "

_VERBS = {"approved": "Approved", "rejected": "Rejected", "answered": "Answered"}


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
        await self._hand_over(
            Outgoing(
                sender=Mailbox(self.address, self.name),
                to=(Mailbox(reply.mail.reply_address),),
                subject=reply_subject(reply.mail.subject),
                markdown=reply.text,
                message_id=message_id,
                at=reply.at or self.clock.now(),
                in_reply_to=reply.mail.message_id,
                references=reply.mail.references,
                reply_to=Mailbox(token.thread_address(self.address, reply.thread_id, self.secrets), self.name),
                delimiter=ABOVE,
                instance=self.instance,
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
        """One mail that asks, and one that says what was decided. Later changes need no mail."""
        if not isinstance(address, MailAddress):
            raise ChannelRefused("not a mail address")
        asked_id = self._message_id("a", f"{card.approval_id}.{address.key}")
        if card.is_open:
            if not receipt:
                await self._hand_over(self._asking(address, card, asked_id))
            return _OPEN + asked_id
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
        await self._hand_over(replace(self._asking(address, card, message_id, reminds_of=asked_id), at=at))
        return message_id

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """Mail has no such thing."""

    async def notify(self, address: str, subject: str, text: str, key: str) -> None:
        """A mail to one of our people that belongs to no conversation; `key` tells it from all others. Raises
        ChannelError. An answer to it begins a conversation as any mail does."""
        await self._hand_over(
            Outgoing(
                sender=Mailbox(self.address, self.name),
                to=(Mailbox(address),),
                subject=subject,
                markdown=text,
                message_id=self._message_id("i", key),
                at=self.clock.now(),
                kind="auto-generated",
                instance=self.instance,
            )
        )

    async def answer(self, mail: InboundEmail, text: str) -> None:
        """A short word back to whoever wrote this mail. A failure is logged: nothing else depends on it."""
        if mail.sender is None:
            return
        try:
            await self._hand_over(
                Outgoing(
                    sender=Mailbox(self.address, self.name),
                    to=(Mailbox(mail.sender.address),),
                    subject=reply_subject(mail.subject),
                    markdown=text,
                    message_id=self._message_id("n", f"{mail.message_id}.{text}"),
                    at=self.clock.now(),
                    in_reply_to=mail.message_id,
                    references=mail.references,
                    delimiter=ABOVE,
                    instance=self.instance,
                )
            )
        except ChannelError as error:
            log.warning("mail.answer_failed", error=str(error))

    def _asking(self, address: MailAddress, card: Card, message_id: str, reminds_of: str = "") -> Outgoing:
        """Its Date is that of the request and not of the try, so that each try is the same to the byte."""
        link = token.link_token(card.approval_id, address.person, self.secrets, card.expires_at + LINK_OUTLIVES)
        ask = ApprovalAsk(
            title=f"Reminder: {card.title}" if reminds_of else card.title,
            why=card.why,
            asked_by=card.requester,
            tool=card.tool,
            arguments=tuple((each.name, each.value) for each in card.arguments),
            link=f"{self.public_url}/approvals/{link}",
            preview=card.preview,
            expires=f"{card.expires_at:%d %B %Y, %H:%M} UTC",
            instructions=_instructions(card),
        )
        # What is asked of whoever wrote is answered in their thread; only a person of ours decides by token.
        reply_to = (
            token.reply_address(self.address, card.approval_id, address.person, self.secrets)
            if address.person
            else token.thread_address(self.address, card.thread_id, self.secrets)
        )
        envelope = Outgoing(
            sender=Mailbox(self.address, self.name),
            to=(Mailbox(address.address),),
            subject=reply_subject(_subject(card)) if reminds_of else _subject(card),
            markdown="",
            message_id=message_id,
            at=card.asked_at,
            in_reply_to=reminds_of,
            reply_to=Mailbox(reply_to, self.name),
            delimiter=ABOVE,
            instance=self.instance,
        )
        return approval_mail(ask, envelope)

    def _settled(self, address: MailAddress, card: Card, asked_id: str) -> Outgoing:
        return Outgoing(
            sender=Mailbox(self.address, self.name),
            to=(Mailbox(address.address),),
            subject=reply_subject(_subject(card)),
            markdown=settled_text(card),
            message_id=self._message_id("s", f"{card.approval_id}.{address.key}"),
            at=card.decided_at or self.clock.now(),
            kind="auto-generated",
            in_reply_to=asked_id,
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


def settled_text(card: Card) -> str:
    """What was decided, in a sentence or three."""
    verb = _VERBS.get(card.status)
    if verb is None:
        return f"{card.title}: {card.status}." + (" It did not run." if card.about == "call" else "")
    text = f"{card.title}: {verb.lower()} by {card.decided_by} ({card.decided_via})."
    changed = [f"- {each.name}: {each.value} (was {each.was})" for each in card.arguments if each.was]
    if changed:
        text += "\n\nWith these changes:\n\n" + "\n".join(changed)
    return text + (f"\n\nIn their words: {card.reason}" if card.reason else "")


def _subject(card: Card) -> str:
    if card.about == "question":
        return f"Question: {card.title}"
    return f"Approval wanted: {card.title}" if card.about == "call" else f"Please look: {card.title}"


def _instructions(card: Card) -> str:
    if card.about == "question":
        return "Or answer this mail: what you write above the quoted text is taken as your answer."
    if card.choices:
        return f"Or answer this mail with one of these as its only line: {' · '.join(card.choices)}."
    return (
        "Or answer this mail. Its first line decides: the one word “approve”, or “reject” followed by your "
        "reason. Anything else is not taken as a decision."
    )
