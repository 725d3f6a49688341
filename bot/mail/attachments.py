"""The parts of a message that are not its text: named safely, bounded, and never dropped without a reason."""

import base64
import binascii
import quopri
import re
import unicodedata
from email.message import Message

from bot.mail.addresses import decode_words
from bot.mail.charset import clean, decode
from bot.mail.email import Attachment

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
    encoded = _encoded(part)
    expected = len(encoded) * 3 // 4 if _encoding(part) == "base64" else len(encoded)
    if content_type == "application/ms-tnef" or name.lower() == "winmail.dat":
        return Attachment(name, content_type, expected, None, "Outlook's own format is not read", inline)
    if expected > min(MAX_FILE, room):
        return Attachment(name, content_type, expected, None, f"larger than {min(MAX_FILE, room)} bytes", inline)
    content = transfer_decode(encoded, _encoding(part))
    sniffed = next((known for magic, known in _MAGIC if content.startswith(magic)), content_type)
    if not _ALLOWED.fullmatch(sniffed):
        return Attachment(name, sniffed, len(content), None, f"files of type {sniffed} are not taken", inline)
    return Attachment(name, sniffed, len(content), content, "", inline)


def part_bytes(part: Message) -> bytes:
    """The decoded bytes of a part, whatever its declared encoding is worth."""
    return transfer_decode(_encoded(part), _encoding(part))


def transfer_decode(encoded: bytes, encoding: str) -> bytes:
    """RFC 2045, section 6, leniently: characters outside the alphabet are skipped, an unknown encoding means none."""
    if encoding == "quoted-printable":
        return quopri.decodestring(encoded)
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]+", b"", encoded)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
        return _uudecode(encoded)
    return encoded


def file_name(part: Message) -> str:
    """The base name a part claims, without path, control or direction characters, cut at 120; may be empty."""
    try:
        claimed = part.get_filename() or ""
    except (LookupError, ValueError, TypeError, AttributeError, IndexError):
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


def _encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower()[:40].partition(";")[0].strip()


def _encoded(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, str):
        return payload.encode("utf-8", "surrogateescape")
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        return payload[0].as_bytes()
    return b""


def _uudecode(encoded: bytes) -> bytes:
    decoded = bytearray()
    lines = encoded.split(b"\n")
    begin = next((at for at, line in enumerate(lines) if line.startswith(b"begin ")), len(lines))
    for line in lines[begin + 1 :]:
        if line.strip() in {b"end", b"`", b""}:
            break
        try:
            decoded += binascii.a2b_uu(line.rstrip(b"\r"))
        except binascii.Error:
            continue
    return bytes(decoded)
