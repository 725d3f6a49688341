"""A mail as it lies in a mailbox, and how people write one: quotes and threading headers as clients do. Pure."""

import html
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal

from sandbox.cast import PEOPLE


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """One mail in one mailbox."""

    id: str
    mailbox: str
    folder: Literal["inbox", "sent"]
    raw: bytes
    envelope_from: str
    envelope_to: tuple[str, ...]
    at: float

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def message_id(self) -> str:
        """Its Message-ID, with the angle brackets."""
        return str(self.message["Message-ID"] or "").strip()

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return str(self.message["Subject"] or "")

    @property
    def text(self) -> str:
        """The plain text part; the empty string when there is none."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""

    @property
    def html(self) -> str:
        """The HTML part; the empty string when there is none."""
        part = self.message.get_body(("html",))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to send."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = field(default=())


def composed(draft: Draft, message_id: str, date: str) -> EmailMessage:
    """The mail itself."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = named(draft.sender)
    message["To"] = ", ".join(draft.to)
    message["Subject"] = draft.subject
    message["Date"] = date
    message["Message-ID"] = message_id
    if draft.in_reply_to:
        message["In-Reply-To"] = draft.in_reply_to
    if draft.references:
        message["References"] = " ".join(draft.references)
    for name, value in draft.headers:
        message[name] = value
    message.set_content(draft.text, cte="quoted-printable")
    if draft.html:
        message.add_alternative(draft.html, subtype="html", cte="quoted-printable")
    for file in draft.attachments:
        main, _, sub = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=main, subtype=sub or "octet-stream", filename=file.name)
    return message


def answer_to(letter: Letter, text: str, when: str) -> Draft:
    """A reply as a mail client writes it: to Reply-To, below it who wrote what when, and the quoted text."""
    message = letter.message
    subject = letter.subject if letter.subject.casefold().startswith("re:") else f"Re: {letter.subject}"
    earlier = str(message["References"] or message["In-Reply-To"] or "").split()
    said = f"On {when}, {message['From']} wrote:"
    quoted = "\n".join(f"> {line}".rstrip() for line in letter.text.splitlines())
    page = (
        f'<div dir="ltr">{_lines(text)}</div><br><div class="gmail_quote"><div class="gmail_attr">{html.escape(said)}'
        f'<br></div><blockquote class="gmail_quote">{_lines(letter.text)}</blockquote></div>'
    )
    return Draft(
        sender=letter.mailbox,
        to=(str(message["Reply-To"] or message["From"]),),
        subject=subject,
        text=f"{text}\n\n{said}\n\n{quoted}\n",
        html=page,
        in_reply_to=letter.message_id,
        references=(*earlier, letter.message_id),
    )


def named(address: str) -> Address | str:
    """The address with its owner's name, for those who have one here."""
    for person in PEOPLE:
        if person.email == address.casefold():
            return Address(person.name, addr_spec=address)
    return address


def _lines(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")
