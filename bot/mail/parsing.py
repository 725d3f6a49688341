"""MIME bytes to an InboundEmail. The one door through which inbound mail becomes text.

Bytes are bounded before any value is parsed; everything the standard library raises on hostile input stops here, so
that a caller sees an InboundEmail or BadMail and nothing else. Reading takes processor time (up to seconds for hostile
mail): call it in a thread, with a time limit.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from email.message import Message

from bot.mail.addresses import decode_words, mailboxes, strict_sender
from bot.mail.attachments import MAX_FILES, MAX_TOTAL, file_name, read_attachment
from bot.mail.authentication import authenticate
from bot.mail.automatic import OwnMail, classify
from bot.mail.body import choose_text
from bot.mail.charset import decode_field
from bot.mail.email import Attachment, InboundEmail, RawInbound
from bot.mail.errors import BadMail
from bot.mail.header_block import HeaderBlock, split_message
from bot.mail.mime_tree import MAX_DEPTH, Failures, leaves, parameter, parse_tree, type_of
from bot.mail.reply_text import split_reply, without_sent

MAX_SUBJECT = 4 * 1024
MAX_REFERENCES = 20
MAX_MESSAGE_ID = 256

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,998}>")
_FORWARD_SUBJECT = re.compile(
    r"\s*\[?(?:fwd?|wg|tr|rv|enc|i|vs|vb|doorst|pd|fs|轉寄|转发)\s{0,3}[:\uff1a]", re.IGNORECASE
)
_UNREADABLE = {
    "application/pkcs7-mime": "the message is encrypted with S/MIME",
    "application/x-pkcs7-mime": "the message is encrypted with S/MIME",
    "multipart/encrypted": "the message is encrypted",
}
_SIGNATURE_PARTS = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_REPORT_PARTS = (
    "message/delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "text/rfc822-headers",
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader must know of its own deployment."""

    own: OwnMail = field(default_factory=OwnMail)
    trusted_authserv_ids: frozenset[str] = frozenset()
    delimiter: str = ""
    """The mark in the "reply above this line" of our own mails."""


@dataclass(slots=True)
class _Content:
    """The parts of a message, sorted while walking."""

    plain: list[Message] = field(default_factory=list)
    html: list[Message] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    calendar_method: str = ""
    size: int = 0


def parse_mail(inbound: RawInbound, reading: Reading, *, sent_lines: Collection[str] = ()) -> InboundEmail:
    """The message read, classified and authenticated. Raises BadMail, and only that."""
    try:
        return _parsed(inbound, reading, sent_lines)
    except Failures as error:
        raise BadMail(f"the message cannot be read ({type(error).__name__})") from error


def drop_sent_lines(mail: InboundEmail, sent_lines: Collection[str]) -> InboundEmail:
    """The mail without new lines that are lines of our own mails: known only once its conversation is."""
    return replace(mail, reply=without_sent(mail.reply, sent_lines))


def _parsed(inbound: RawInbound, reading: Reading, sent_lines: Collection[str]) -> InboundEmail:
    block = split_message(inbound.raw)
    root = parse_tree(block)
    content = _content(root)
    sender, fault = strict_sender(block.all("from"))
    subject = _subject(block)
    text = choose_text(content.plain, content.html)
    forwarding = bool(_FORWARD_SUBJECT.match(subject))
    mail = InboundEmail(
        sender=sender,
        sender_fault=fault,
        from_text=decode_words(decode_field(block.first("from")))[:500],
        to=mailboxes(block.all("to")),
        cc=mailboxes(block.all("cc")),
        reply_to=mailboxes(block.all("reply-to")),
        subject=subject,
        date=decode_field(block.first("date"))[:100],
        message_id=next(iter(_ids(block, "message-id")), ""),
        in_reply_to=_ids(block, "in-reply-to")[:MAX_REFERENCES],
        references=_ids(block, "references")[-MAX_REFERENCES:],
        text=text,
        reply=split_reply(text, sent_lines=sent_lines, delimiter=reading.delimiter, forwarding=forwarding),
        attachments=tuple(content.attachments),
        headers=block.texts(),
        part_types=tuple(content.types),
        calendar_method=content.calendar_method,
        unreadable=next((_UNREADABLE[kind] for kind in content.types if kind in _UNREADABLE), ""),
        faults=tuple(f"{name} was left out for its size" for name in block.dropped),
        envelope_from=inbound.envelope_from,
        envelope_to=inbound.envelope_to,
    )
    return _judged(mail, inbound, reading)


def _judged(mail: InboundEmail, inbound: RawInbound, reading: Reading) -> InboundEmail:
    authenticity = authenticate(
        mail.sender,
        mail.values("authentication-results"),
        trusted_ids=reading.trusted_authserv_ids,
        provider=inbound.verdicts,
    )
    return replace(mail, automatic=classify(mail, reading.own), authenticity=authenticity)


def _subject(block: HeaderBlock) -> str:
    return " ".join(decode_words(decode_field(block.first("subject")[:MAX_SUBJECT])).split())


def _ids(block: HeaderBlock, name: str) -> tuple[str, ...]:
    """The message ids of a field in order, without repeats, empty ones (`<>`) and overlong ones."""
    found = [match for value in block.all(name) for match in _MESSAGE_ID.findall(decode_field(value))]
    return tuple(dict.fromkeys(match for match in found if len(match) <= MAX_MESSAGE_ID))


def _content(root: Message) -> _Content:
    content = _Content(
        types=[kind for kind in (type_of(part) for part in _containers(root)) if kind.startswith("multipart/")]
    )
    for part, kind, depth in leaves(root):
        content.types.append(kind)
        if kind == "text/calendar" and not content.calendar_method:
            content.calendar_method = parameter(part, "method")
        if _is_text(part, kind):
            (content.html if kind == "text/html" else content.plain).append(part)
        elif kind in _UNREADABLE or kind in _SIGNATURE_PARTS or kind.startswith(_REPORT_PARTS):
            continue
        else:
            _attach(content, part, kind, depth)
    return content


def _containers(root: Message) -> list[Message]:
    """The multipart parts, to the depth that is read."""
    found, level = [root], [root]
    for _ in range(MAX_DEPTH):
        children = [child for part in level for child in _children(part)]
        level = [child for child in children if type_of(child).startswith("multipart/")]
        found += level
    return found


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _is_text(part: Message, kind: str) -> bool:
    if kind not in {"text/plain", "text/html"} or isinstance(part.get_payload(), list):
        return False
    try:
        disposition = part.get_content_disposition()
    except Failures:
        disposition = None
    return disposition != "attachment" and not (disposition is not None and file_name(part))


def _attach(content: _Content, part: Message, kind: str, depth: int) -> None:
    """Adds an attachment, or the reason why it is left out."""
    if len(content.attachments) >= MAX_FILES:
        reason = f"more than {MAX_FILES} attachments"
    elif depth >= MAX_DEPTH:
        reason = f"nested deeper than {MAX_DEPTH} levels"
    else:
        attachment = read_attachment(part, kind, MAX_TOTAL - content.size)
        content.size += len(attachment.content or b"")
        content.attachments.append(attachment)
        return
    content.attachments.append(Attachment(file_name(part), kind, 0, None, reason))
