"""Which part of a message is its text, and that text decoded."""

from email.message import Message

from bot.mail.attachments import part_bytes
from bot.mail.charset import decode
from bot.mail.flowed import unfold
from bot.mail.html_text import html_to_text
from bot.mail.mime_tree import parameter

MAX_TEXT = 1024 * 1024
_SMALL_SHARE = 0.2
_STUBS = ("html", "view this email in your browser", "view this message in a browser")


def choose_text(plain: list[Message], html: list[Message]) -> str:
    """The text of a message: its plain parts, or its HTML parts as text where the plain ones are a stub or missing."""
    plain_text = "\n".join(filter(None, (read_plain(part) for part in plain)))
    if not html:
        return plain_text
    html_text = "\n".join(filter(None, (html_to_text(_decoded(part)) for part in html)))
    return html_text if _is_stub(plain_text, html_text) else plain_text


def read_plain(part: Message) -> str:
    """A text/plain part decoded, with flowed lines joined (RFC 3676)."""
    text = _decoded(part)
    if parameter(part, "format") == "flowed":
        return unfold(text, delete_space=parameter(part, "delsp") == "yes")
    return text


def _decoded(part: Message) -> str:
    return decode(part_bytes(part)[:MAX_TEXT], parameter(part, "charset"))


def _is_stub(plain: str, html: str) -> bool:
    """Whether the plain text only says that one should look at the HTML, or is a fraction of it."""
    own = plain.strip()
    if not own:
        return True
    if "\n" not in own and len(own) < 200 and any(word in own.lower() for word in _STUBS):  # noqa: PLR2004 -- one line
        return bool(html.strip())
    return len(own) < _SMALL_SHARE * len(_own_words(html))


def _own_words(html: str) -> str:
    return "\n".join(line for line in html.split("\n") if not line.startswith(">"))
