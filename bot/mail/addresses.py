"""Addresses in header values: one strict reading for From, a lenient one for the fields that only inform.

`From: ceo@corp.example <mallory@evil.test>` reads as the first address in the standard library and as the second to the
server that checked it. So From must fit a small grammar of our own, and the library must agree.
"""

import re
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.headerregistry import AddressHeader
from email.policy import default

from bot.mail.charset import decode, decode_field
from bot.mail.email import Mailbox

MAX_ADDRESSES = 200
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
_LOCAL = rf"{_ATOM}(?:\.{_ATOM}){{0,31}}"
_DOMAIN = r"[^\s@<>()\[\]\\,;:\"]{1,253}"
_WORD = r"(?:\"(?:[^\"\\]|\\.){0,500}\"|[^\s\"<>@,;:()\[\]\\]{1,500})"
_BARE = re.compile(rf"({_LOCAL})@({_DOMAIN})(?: ?\([^()<>@\\\"]{{0,120}}\))?")
# One space after each word: without it a run of letters could be split into words in exponentially many ways.
_NAMED = re.compile(rf"((?:{_WORD} ){{0,50}}(?:{_WORD})?)<({_LOCAL})@({_DOMAIN})>")
_LENIENT = re.compile(rf"({_LOCAL})@([^\s@<>()\[\]\\,;:\"']{{1,253}})")
_A_LABEL = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def strict_sender(values: tuple[bytes, ...]) -> tuple[Mailbox | None, str]:
    """The one mailbox of the one From field, or None and the reason why it is in doubt (RFC 5322, 3.6.2)."""
    if len(values) != 1:
        return None, f"{len(values)} From fields"
    text = " ".join(decode_field(values[0]).split())
    found = _BARE.fullmatch(text)
    named = None if found else _NAMED.fullmatch(text)
    if found:
        name, local, domain = "", found.group(1), found.group(2)
    elif named:
        name, local, domain = named.groups()
    else:
        return None, "From is not exactly one plain mailbox"
    ascii_domain = domain_of(domain)
    if not ascii_domain:
        return None, "the domain of From is not a domain name"
    if not _library_agrees(text, f"{local}@{domain}"):
        return None, "From can be read in two ways"
    return Mailbox(f"{local.lower()}@{ascii_domain}", _display(name)), ""


def mailboxes(values: tuple[bytes, ...]) -> tuple[Mailbox, ...]:
    """All addresses that can be read from fields such as To; broken ones are left out, the first 200 are kept."""
    found: list[Mailbox] = []
    for value in values:
        found += _read(decode_field(value))
    return tuple(dict.fromkeys(found))[:MAX_ADDRESSES]


def domain_of(domain: str) -> str:
    """A domain in lower-case A-labels (RFC 5890), or nothing when it is none."""
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return ascii_domain if _A_LABEL.fullmatch(ascii_domain) else ""


def decode_words(text: str) -> str:
    """A header text with its encoded words (RFC 2047) decoded, whatever their charset; bad ones stay as they are."""
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(piece if isinstance(piece, str) else decode(piece, label) for piece, label in pieces)


def _read(text: str) -> list[Mailbox]:
    parsed = _library_addresses(text)
    if parsed is None:
        return [Mailbox(f"{m[1].lower()}@{d}") for m in _LENIENT.finditer(text) if (d := domain_of(m[2]))]
    return [Mailbox(f"{local}@{d}", _display(name)) for name, local, domain in parsed if (d := domain_of(domain))]


def _library_addresses(text: str) -> list[tuple[str, str, str]] | None:
    """What the standard library reads, as (name, local, domain), or None when it fails, in any of its ways."""
    try:
        header = default.header_factory("to", text)
        addresses = header.addresses if isinstance(header, AddressHeader) else ()
        return [(a.display_name or "", a.username.lower(), a.domain) for a in addresses]
    except (AttributeError, IndexError, ValueError, LookupError, RecursionError, MessageError):
        return None


def _library_agrees(text: str, address: str) -> bool:
    parsed = _library_addresses(text)
    return parsed is not None and [f"{local}@{domain}" for _, local, domain in parsed] == [_lower_local(address)]


def _lower_local(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.lower()}@{domain}"


def _display(name: str) -> str:
    """A display name fit to show: decoded, unquoted, one line, and never one that looks like another address."""
    text = decode_words(name.strip())
    text = re.sub(r"\\(.)", r"\1", text.replace('"', "")) if '"' in text else text
    text = " ".join(text.split())[:120]
    return "" if "@" in text else text
