"""SMTP_URL, read strictly: credentials never travel in the clear, and a server that hides STARTTLS is refused."""

import ipaddress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from bot.mail.errors import MailMisconfigured

_SECURITY: dict[str, tuple[Literal["starttls", "tls", "none"], int]] = {
    "smtp": ("starttls", 587),
    "smtps": ("tls", 465),
    "smtp+insecure": ("none", 1025),
}


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """Where and how to hand over mail."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str = ""
    password: str = field(default="", repr=False)


def parse_smtp_url(url: str) -> SmtpAddress:
    """The address in SMTP_URL. Raises MailMisconfigured, saying what to write instead and never the password."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise MailMisconfigured("SMTP_URL: the port must be a number from 1 to 65535") from error
    if parts.scheme not in _SECURITY:
        raise MailMisconfigured(
            "SMTP_URL: begin with smtp:// (STARTTLS), smtps:// (TLS) or smtp+insecure:// (loopback)"
        )
    if not host or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise MailMisconfigured(
            "SMTP_URL: write smtp://user:password@host:587, with special characters percent-encoded"
        )
    security, usual_port = _SECURITY[parts.scheme]
    if security == "none" and not _is_loopback(host):
        raise MailMisconfigured("SMTP_URL: smtp+insecure:// is for loopback only; use smtp:// or smtps://")
    username, password = _credentials(parts)
    return SmtpAddress(host, port or usual_port, security, username, password)


def _credentials(parts: SplitResult) -> tuple[str, str]:
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(username) != bool(password):
        raise MailMisconfigured("SMTP_URL: give both user and password, or neither")
    return username, password


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
