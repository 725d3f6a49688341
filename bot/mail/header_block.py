"""The header block as bytes: split, bounded and unfolded before any value is parsed.

The standard library's header parser is a way to stop the process (320 KB of encoded words in a Subject take 3 GB), so
it only ever sees values that passed here. Bare CR counts as a line end, so that what one mail server hides from
another shows up here as a second field.
"""

import re
from dataclasses import dataclass

from bot.mail.charset import decode_field
from bot.mail.errors import BadMail

MAX_MESSAGE = 25 * 1024 * 1024
MAX_LINES = 1_500_000
MAX_LINE_TESTS = 30_000_000
MAX_BLOCK = 64 * 1024
MAX_FIELD = 16 * 1024
MAX_SCAN = 1024 * 1024

_LINE_END = re.compile(rb"\r\n|\n|\r")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]{0,20}:")
# Left out when the block is too large: they only tell of the way, and long ones are normal.
_TRACE = ("received", "arc-", "dkim-", "x-ms-", "x-google-", "x-microsoft-", "x-forefront-", "references")
_MIME = frozenset({"content-type", "content-transfer-encoding", "content-disposition", "content-id", "mime-version"})


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields of a message in order (names in lower case), its body, and what was left out."""

    fields: tuple[tuple[str, bytes], ...]
    body: bytes
    dropped: tuple[str, ...]

    def all(self, name: str) -> tuple[bytes, ...]:
        """All values of a field, topmost first."""
        return tuple(value for field, value in self.fields if field == name)

    def first(self, name: str) -> bytes:
        """The topmost value of a field, or nothing."""
        return next((value for field, value in self.fields if field == name), b"")

    def texts(self) -> tuple[tuple[str, str], ...]:
        """All fields as text, encoded words left alone."""
        return tuple((name, decode_field(value)) for name, value in self.fields)

    def mime_message(self) -> bytes:
        """The message with only the fields that say how the body is built."""
        kept = [name.encode("ascii") + b": " + value for name, value in self.fields if name in _MIME]
        return b"\r\n".join([*kept, b"", self.body])


def split_message(raw: bytes) -> HeaderBlock:
    """The header block of a message, within its bounds. Raises BadMail for what is empty or beyond them."""
    if not raw.strip():
        raise BadMail("the message is empty")
    if len(raw) > MAX_MESSAGE:
        raise BadMail(f"the message is larger than {MAX_MESSAGE} bytes")
    if raw.count(b"\n") + raw.count(b"\r") > 2 * MAX_LINES:
        raise BadMail(f"the message has more than {MAX_LINES} lines")
    # The library tests each line against each boundary that is open, so it is their product that takes the time.
    if raw.count(b"\n") * raw.lower().count(b"boundary") > MAX_LINE_TESTS:
        raise BadMail("the message has too many lines and boundaries together")
    lines, body_at = _header_lines(raw)
    fields, dropped = _bounded(_unfold(lines))
    return HeaderBlock(fields, raw[body_at:], dropped)


def _header_lines(raw: bytes) -> tuple[list[bytes], int]:
    """The lines up to the first empty one, or one that can be no header line (RFC 5322, 2.1), and the body's start."""
    at = len(raw) - len(raw.lstrip(b"\r\n"))
    lines: list[bytes] = []
    while at < len(raw):
        if at > MAX_SCAN:
            raise BadMail("the header block does not end")
        end = _LINE_END.search(raw, at)
        line, after = (raw[at : end.start()], end.end()) if end else (raw[at:], len(raw))
        if not line:
            return lines, after
        if line[:1] in b" \t" or _FIELD.match(line):
            lines.append(line)
        elif lines and _FIELD.match(raw, after):
            lines.append(
                b"x-malformed-line: " + line
            )  # one bad line among good ones: kept, so that it shows, and passed over
        elif lines or not line.startswith((b"From ", b">From ")):  # a mailbox file's separator may stand on top
            return lines, at
        at = after
    return lines, at


def _unfold(lines: list[bytes]) -> list[tuple[str, bytes]]:
    """Fields from lines: continuation lines joined (RFC 5322, 2.2.3)."""
    folded: list[list[bytes]] = []
    for line in lines:
        if line[:1] in b" \t":
            if folded:
                folded[-1].append(line)
        else:
            folded.append([line])
    return [_field(b"".join(parts)) for parts in folded]


def _field(line: bytes) -> tuple[str, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().decode("ascii").lower(), value.strip()


def _bounded(fields: list[tuple[str, bytes]]) -> tuple[tuple[tuple[str, bytes], ...], tuple[str, ...]]:
    """The fields that fit. Oversize ones go first, then traces; if it still does not fit, the message is refused."""
    kept = [field for field in fields if len(field[1]) <= MAX_FIELD]
    dropped = [name for name, value in fields if len(value) > MAX_FIELD]
    if _size(kept) > MAX_BLOCK:
        dropped += [name for name, _ in kept if name.startswith(_TRACE)]
        kept = [field for field in kept if not field[0].startswith(_TRACE)]
    if _size(kept) > MAX_BLOCK:
        raise BadMail(f"the header block is larger than {MAX_BLOCK} bytes")
    if "from" in dropped:
        raise BadMail(f"the From field is larger than {MAX_FIELD} bytes")
    return tuple(kept), tuple(dict.fromkeys(dropped))


def _size(fields: list[tuple[str, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in fields)
