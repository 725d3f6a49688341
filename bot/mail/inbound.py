"""Mail in: keep the bytes, read them, drop what no person wrote, and hand over a Delivery or a decision.

Order: the request is authenticated on its raw bytes, the mail is kept, and only then is it parsed. What is dropped by
rule is acknowledged all the same, since anything else only brings it again. Nothing is ever answered to a sender whose
identity is not proved: that would be mail to whomever a forger names.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from agent.conversation import ApiThread, AttachmentNote, Identity, MailHeaders, MailThread, SlackThread
from agent.entries import Entry
from agent.events import MessageReceived
from agent.ports import Clock
from approvals import token
from bot.inbox import Delivery, Inbox
from bot.mail.approval_reply import ApprovalReplies
from bot.mail.email import InboundEmail, RawInbound
from bot.mail.errors import BadMail
from bot.mail.parsing import Reading, parse_mail

log = structlog.get_logger()

MAX_LATELY = 10
LATELY = 600.0
"""At most so many mails of one conversation in so many seconds are taken in: marks of automatic mail can be missing."""


class _LoopError(Exception):
    """Too many mails in one conversation: a machine answers a machine."""


class Keeper(Protocol):
    """Keeps raw mail."""

    async def keep(self, raw: bytes, provider: str, recipients: Collection[str]) -> str:
        """The key under which it is found."""
        ...


class Finder(Protocol):
    """Finds threads."""

    async def find_by_mail(self, message_ids: Sequence[str]) -> tuple[str, SlackThread | MailThread | ApiThread] | None:
        """The thread that one of these mails belongs to."""
        ...

    async def conversation(self, thread_id: str) -> SlackThread | MailThread | ApiThread | None:
        """Where a thread lives."""
        ...

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """Its log."""
        ...


@dataclass(frozen=True)
class MailDesk:
    """What becomes of a mail that a provider has handed over."""

    keeper: Keeper
    threads: Finder
    inbox: Inbox
    replies: ApprovalReplies
    reading: Reading
    address: str
    secrets: tuple[str, ...]
    clock: Clock
    accept_unverified: bool = False

    async def receive(self, raw: RawInbound) -> str:
        """Take it in; what was done with it, in a word for the log. Raises only what the store raises."""
        key = await self.keeper.keep(raw.raw, raw.provider, raw.envelope_to)
        with structlog.contextvars.bound_contextvars(mail=key[:16], provider=raw.provider):
            try:
                mail = await asyncio.to_thread(parse_mail, raw, self.reading)  # a hostile one takes a second
            except BadMail as error:
                log.warning("mail.unreadable", reason=error.reason)
                return "unreadable"
            done = await self._route(mail, raw, key)
            log.info("mail.received", done=done, verified=mail.authenticity.proved, evidence=mail.authenticity.evidence)
            return done

    async def _route(self, mail: InboundEmail, raw: RawInbound, key: str) -> str:
        if mail.automatic is not None:
            return f"dropped: {mail.automatic.kind.value} ({mail.automatic.reason})"
        if mail.sender is None:
            return f"dropped: {mail.sender_fault}"
        who = Identity(channel="mail", id=mail.sender.address, name=mail.sender.name, verified=mail.authenticity.proved)
        for recipient in (*mail.envelope_to, *(each.address for each in (*mail.to, *mail.cc))):
            if (named := token.read_reply_address(recipient)) is not None:
                return await self.replies.take(mail, who, *named)
        if not who.verified and not self.accept_unverified:
            return "dropped: the sender is not proved"
        try:
            return await self._deliver(mail, raw, who, key)
        except _LoopError:
            return "dropped: too many mails in this conversation"

    async def _deliver(self, mail: InboundEmail, raw: RawInbound, who: Identity, key: str) -> str:
        message_id = mail.message_id or f"<{key[:32]}@no-message-id.invalid>"
        # Anybody may write any Message-ID: a root is named with its sender, so that nobody gets into another's thread.
        root = f"{message_id} {who.id}"
        place = await self._conversation(mail, who) or MailThread(mailbox=self.address, root=root)
        keys = [f"mail:{key}"]
        if mail.message_id and who.verified:
            keys.append(f"mail:{who.id}:{mail.message_id}")  # once, in however many envelopes it comes
        if raw.event_id:
            keys.append(f"mail:{raw.provider}:{raw.event_id}:{','.join(sorted(raw.envelope_to))}")
        delivery = Delivery(
            conversation=place,
            keys=tuple(keys),
            sender=who,
            text=_text(mail),
            mail=MailHeaders(
                message_id=message_id,
                subject=mail.subject,
                references=mail.references or mail.in_reply_to,
                reply_address=who.id,  # never their Reply-To, which anybody may write
            ),
            attachments=tuple(
                AttachmentNote(name=each.name, media_type=each.type, size=each.size, note=each.ignored)
                for each in mail.attachments
                if not each.inline
            ),
            is_outside=self.replies.directory.find(who) is None or bool(mail.forwarded.strip()),
        )
        thread_id = await self.inbox.deliver(delivery)
        return f"delivered to {thread_id}" if thread_id else "repeated"

    async def _conversation(self, mail: InboundEmail, who: Identity) -> MailThread | None:
        """The conversation that this continues: by reply token, In-Reply-To, References; never by subject."""
        thread_id = await self._by_token(mail)
        if thread_id is None:
            names = (*mail.in_reply_to, *reversed(mail.references[-20:]))
            found = await self.threads.find_by_mail([each for each in names if len(each) <= 256])  # noqa: PLR2004 - bytes
            thread_id = found[0] if found else None
        place = await self.threads.conversation(thread_id) if thread_id else None
        if thread_id is None or not isinstance(place, MailThread):
            return None
        return place if await self._takes_part(thread_id, who) else None

    async def _by_token(self, mail: InboundEmail) -> str | None:
        for recipient in (*mail.envelope_to, *(each.address for each in mail.to)):
            named = token.read_thread_address(recipient)
            if named and token.check_thread_token(named[1], named[0], self.secrets):
                return named[0]
        return None

    async def _takes_part(self, thread_id: str, who: Identity) -> bool:
        """Only somebody who wrote in it before continues a conversation; strangers who know an id start their own."""
        events = [entry.event for entry in await self.threads.entries(thread_id)]
        messages = [event for event in events if isinstance(event, MessageReceived)]
        lately = [event for event in messages if event.at.timestamp() > self.clock.now().timestamp() - LATELY]
        if len(lately) >= MAX_LATELY:
            log.warning("mail.loop_suspected", thread_id=thread_id, lately=len(lately))
            raise _LoopError
        if not any(event.sender.key == who.key for event in messages):
            log.info("mail.not_a_participant", thread_id=thread_id)
            return False
        return True


def _text(mail: InboundEmail) -> str:
    """What the sender wrote, and what they passed on, marked as somebody else's words."""
    if mail.unreadable:
        return f"[This mail could not be read: {mail.unreadable}]"
    parts = [mail.new_text.strip()]
    if mail.forwarded.strip():
        parts.append(f"[Forwarded by the sender; written by somebody else:]\n{mail.forwarded.strip()}")
    text = "\n\n".join(part for part in parts if part)
    return text or "[This mail has no text.]"
