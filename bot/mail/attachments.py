"""The parts of a message that are not its text: named safely, bounded, and never dropped without a reason."""

import re
import unicodedata
from email.message import Message

from bot.mail.addresses import decode_words
from bot.mail.charset import clean, decode
from bot.mail.email import Attachment
from bot.mail.mime_tree import Failures

MAX_FILES = 20
MAX_FILE = 10 * 1024 * 1024
MAX_TOTAL = 25 * 1024 * 1024
MAX_NAME = 120

_ALLOWED = re.compile(
    r"text/(?:plain|csv|markdown|html|calendar|xml|tab-separated-values)|image/(?:png|jpeg|gif|webp)|message/rfc822"
    r"|application/(?:pdf|json|xml|rtf|msword|vnd\.openxmlformats-officedocument\.[a-z.]+|vnd\.oasis\.opendocument\.[a-z]+"
    r"|vnd\.ms-(?:excel|powerpoint)|octet-stream)"
)
# A declared type is a hint; these first bytes are not (archives are never unpacked, programs never kept).
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
)
_DIRECTION_MARKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069]")


def read_attachment(part: Message, content_type: str, room: int) -> Attachment:
    """One attachment; without content, but with the reason, when its type or size is not taken (`room` in bytes)."""
    name = file_name(part)
    inline = part.get_content_disposition() != "attachment" and bool(part.get("Content-ID"))
    expected = _expected_size(part)
    if content_type == "application/ms-tnef" or name.lower() == "winmail.dat":
        return Attachment(name, content_type, expected, None, "Outlook's own format is not read", inline)
    if expected > min(MAX_FILE, room):
        return Attachment(name, content_type, expected, None, f"larger than {min(MAX_FILE, room)} bytes", inline)
    content = part_bytes(part)
    if len(content) > min(MAX_FILE, room):
        return Attachment(name, content_type, len(content), None, f"larger than {min(MAX_FILE, room)} bytes", inline)
    sniffed = next((known for magic, known in _MAGIC if content.startswith(magic)), content_type)
    if not _ALLOWED.fullmatch(sniffed):
        return Attachment(name, sniffed, len(content), None, f"files of type {sniffed} are not taken", inline)
    return Attachment(name, sniffed, len(content), content, "", inline)


def part_bytes(part: Message) -> bytes:
    """The decoded bytes of a part, whatever its declared encoding is worth (RFC 2045, section 6)."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload[0].as_bytes() if payload and isinstance(payload[0], Message) else b""
    try:
        decoded = part.get_payload(decode=True)
    except Failures:
        return b""
    return decoded if isinstance(decoded, bytes) else b""


def file_name(part: Message) -> str:
    """The base name a part claims, without path, control or direction characters, cut at 120; may be empty."""
    try:
        claimed = part.get_filename() or ""
    except Failures:
        claimed = ""
    if any("\udc80" <= character <= "\udcff" for character in claimed):
        claimed = decode(claimed.encode("utf-8", "surrogateescape"), None)
    name = _DIRECTION_MARKS.sub("", clean(decode_words(claimed)))
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    base = name.replace("\\", "/").rpartition("/")[2].strip(". ")
    if len(base) <= MAX_NAME:
        return base
    stem, dot, extension = base.rpartition(".")
    return f"{stem[: MAX_NAME - 11]}.{extension[:10]}" if dot else base[:MAX_NAME]


def _expected_size(part: Message) -> int:
    """About how large a part's content is, told from its encoded text."""
    payload = part.get_payload()
    if not isinstance(payload, str):
        return 0
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    return len(payload) * 3 // 4 if encoding == "base64" else len(payload)
