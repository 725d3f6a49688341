"""A message put together again from what a provider parsed, for those that do not hand over the raw bytes.

It is never exact: signatures over it prove nothing, and RawInbound says so with `raw_exact=False`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP

from bot.mail.charset import clean

_POLICY = SMTP.clone(max_line_length=998, refold_source="none")
_OWN_FIELDS = frozenset({"content-type", "content-transfer-encoding", "content-disposition", "mime-version", "bcc"})
_NAME = re.compile(r"[!-9;-~]{1,200}")
_TYPE = re.compile(r"([a-z0-9!#$&^_.+-]{1,80})/([a-z0-9!#$&^_.+-]{1,120})")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a parsed message."""

    name: str
    type: str
    content: bytes
    content_id: str = ""


def rebuild(headers: Iterable[tuple[str, str]], text: str, html: str, files: Iterable[File]) -> bytes:
    """MIME bytes with these header fields in this order, these bodies and these files."""
    message = EmailMessage(_POLICY)
    message.set_content(clean(text), cte="base64")
    if html:
        message.add_alternative(clean(html), subtype="html", cte="base64")
    for file in files:
        _add(message, file)
    lines = [line for name, value in headers if (line := _line(name, value))]
    return b"".join(lines) + message.as_bytes()


def _line(name: str, value: str) -> bytes:
    """A header line as it came, on one line; as UTF-8 where it is not ASCII, which our reader takes."""
    if name.lower() in _OWN_FIELDS or not _NAME.fullmatch(name):
        return b""
    return f"{name}: {' '.join(clean(value).split())}\r\n".encode()


def _add(message: EmailMessage, file: File) -> None:
    found = _TYPE.fullmatch(file.type.partition(";")[0].strip().lower())
    maintype, subtype = found.groups() if found else ("application", "octet-stream")
    if maintype in {"multipart", "message"}:
        maintype, subtype = "application", "octet-stream"
    part = MIMEPart(_POLICY)
    name = " ".join(clean(file.name).split())
    part.set_content(file.content, maintype=maintype, subtype=subtype, disposition="attachment", filename=name or None)
    if file.content_id:
        part["Content-ID"] = f"<{' '.join(clean(file.content_id).split()).strip('<>')}>"
    if message.get_content_type() != "multipart/mixed":
        message.make_mixed()
    message.attach(part)  # type: ignore[arg-type] # typeshed: only whole messages; the library takes any part
