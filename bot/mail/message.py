"""Outgoing mail as bytes, composed once and sent unchanged however often it is tried.

The policy's line length of 998 keeps message ids whole: with the default of 78 the standard library turns ids longer
than 77 characters in References into encoded words, and Exchange starts a new conversation (python/cpython#100991).
Never hand the EmailMessage itself to a sender, which would flatten it again with its own policy; never set Bcc.
"""

import hashlib
import html
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from bot.mail.automatic import HOPS_HEADER, INSTANCE_HEADER
from bot.mail.charset import clean
from bot.mail.email import Mailbox
from bot.mail.errors import MailMisconfigured
from bot.mail.markup import to_html, to_text

POLICY = SMTP.clone(max_line_length=998)
MAX_SUBJECT = 400
MAX_MESSAGE_ID = 76
MAX_QUOTE_LINES = 20
MAX_QUOTE_LINE = 500
KEPT_REFERENCES = 10

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,254}>")
_PREFIX = re.compile(
    r"\s{0,9}(?:re|aw|sv|vs|antw|antwort|odp|ynt|rif|res|ref|vá|回复|回覆|答复|답장)(?:\s?[\[(^]?\d{1,4}[\])]?)?\s?[:\uff1a]\s{0,9}",
    re.IGNORECASE,
)
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One mail to be composed. Nothing in it is made up while composing: ids and times are given."""

    sender: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    markdown: str
    """The text. With `html` given it is taken as plain text instead."""
    message_id: str
    at: datetime
    kind: Literal["auto-replied", "auto-generated"] = "auto-replied"
    """An answer to a mail, or a mail that nobody asked for (RFC 3834, section 5)."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    """What the answered mail names in its own References, or In-Reply-To where it has none."""
    reply_to: Mailbox | None = None
    quote: str = ""
    delimiter: str = ""
    """The mark for the line "reply above this line"; Reading.delimiter must hold the same."""
    instance: str = ""
    hops: int = 0
    html: str = ""
    """The inside of the HTML body where the text is not Markdown; must be safe already."""


def compose(mail: Outgoing) -> bytes:
    """The bytes to send. Raises ValueError for an address or id that cannot stand in a header."""
    message = EmailMessage(POLICY)
    for name, value in _fields(mail):
        message[name] = value
    text, rich = _bodies(mail)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(rich, subtype="html", cte="quoted-printable")
    # The library would draw a boundary at random; the same mail must always give the same bytes.
    message.set_boundary("=_" + hashlib.sha256(mail.message_id.encode()).hexdigest()[:32])
    return message.as_bytes()


def reply_subject(subject: str) -> str:
    """A subject with exactly one `Re: `, whatever prefixes of whatever mail client it had."""
    rest = " ".join(clean(subject).split())
    while (found := _PREFIX.match(rest)) is not None and found.end():
        rest = rest[found.end() :]
    return f"Re: {rest[:MAX_SUBJECT] or '(no subject)'}"


def message_id_for(kind: str, unique: str, domain: str) -> str:
    """`<kind.unique@domain>`, at most 76 characters. `unique` must hold 128 random bits, lest outsiders guess it."""
    left = re.sub(r"[^a-z0-9._-]", "-", f"{kind}.{unique}".lower()).strip(".")
    room = MAX_MESSAGE_ID - len(domain) - 3
    if room < 40 or not re.fullmatch(r"[a-z0-9.-]{1,40}", domain.lower()):  # noqa: PLR2004 -- kind and 128 bits
        raise MailMisconfigured("the domain of EMAIL_ADDRESS must be a plain domain name of at most 33 characters")
    if len(left) > room:
        left = f"{left[:7].rstrip('.-')}.{hashlib.sha256(left.encode()).hexdigest()[:32]}"
    return f"<{left}@{domain.lower()}>"


def references_for(mail: Outgoing) -> tuple[str, ...]:
    """The References of an answer: theirs and their id (RFC 5322, 3.6.4), shortened to the first and the last ten."""
    every = [one for one in (*mail.references, mail.in_reply_to) if _MESSAGE_ID.fullmatch(one)]
    # The answered id must stand last, also where a broken client had named it before.
    named = list(dict.fromkeys(reversed(every)))[::-1]
    return tuple(named if len(named) <= KEPT_REFERENCES + 1 else [named[0], *named[-KEPT_REFERENCES:]])


def delimiter_line(mark: str) -> str:
    """The line that asks people to write above it; everything from it on is cut from their answers."""
    return f"-- Please reply above this line -- [{mark}]"


def sent_lines(content: bytes) -> tuple[str, ...]:
    """The lines of the text part of a composed mail, for dropping them from answers."""
    body = message_from_bytes(content, policy=POLICY).get_body(("plain",))
    return tuple(line for line in str(body.get_content()).splitlines() if line.strip()) if body else ()


def _fields(mail: Outgoing) -> list[tuple[str, object]]:
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise ValueError("the Message-ID is not one")
    if not mail.to:
        raise ValueError("the mail has no recipient")
    references = references_for(mail)
    fields: list[tuple[str, object]] = [
        ("From", _address(mail.sender)),
        ("To", tuple(_address(one) for one in mail.to)),
        ("Subject", " ".join(clean(mail.subject).split())[: MAX_SUBJECT + 4]),
        ("Date", format_datetime(mail.at)),
        ("Message-ID", mail.message_id),
        ("Auto-Submitted", mail.kind),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),  # not All, which would silence bounces too
        (HOPS_HEADER, str(mail.hops)),
    ]
    if mail.instance:
        fields.append((INSTANCE_HEADER, mail.instance))
    if mail.reply_to:
        fields.append(("Reply-To", _address(mail.reply_to)))
    if _MESSAGE_ID.fullmatch(mail.in_reply_to):
        fields.append(("In-Reply-To", mail.in_reply_to))
    if references:
        fields.append(("References", " ".join(references)))
    return fields


def _address(mailbox: Mailbox) -> Address:
    name = " ".join(clean(mailbox.name).split())[:120]
    return Address(display_name=name, addr_spec=mailbox.address)


def _bodies(mail: Outgoing) -> tuple[str, str]:
    """The text part and the HTML part, each with the quote below the delimiter."""
    text = clean(mail.markdown)
    plain = [text.strip() if mail.html else to_text(text).strip()]
    rich = [mail.html or to_html(text)]
    if mail.delimiter:
        plain.append(delimiter_line(mail.delimiter))
        rich.append(f'<p style="color:#808080;font-size:12px">{html.escape(delimiter_line(mail.delimiter))}</p>')
    if quoted := _quoted(mail.quote):
        plain.append("\n".join(f"> {line}".rstrip() for line in quoted))
        inner = "<br>".join(html.escape(line) for line in quoted)
        rich.append(f'<blockquote type="cite" style="{_QUOTE_STYLE}">{inner}</blockquote>')
    return "\n\n".join(plain) + "\n", _document("\n".join(rich))


_QUOTE_STYLE = "margin:0 0 0 8px;padding-left:8px;border-left:2px solid #a0a0a0;color:#808080"


def _quoted(quote: str) -> list[str]:
    lines = clean(quote).strip().split("\n")
    short = [line.rstrip()[:MAX_QUOTE_LINE] for line in lines[:MAX_QUOTE_LINES]]
    return [*short, "…"] if len(lines) > MAX_QUOTE_LINES else short if any(short) else []


def _document(inner: str) -> str:
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f'</head>\n<body style="{_FONT}">\n{inner}\n</body></html>\n'
    )
