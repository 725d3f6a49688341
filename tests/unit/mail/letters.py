"""Letters for tests: raw messages with as little around them as a test needs."""

from email.message import EmailMessage
from email.policy import SMTP

from bot.mail.email import InboundEmail, RawInbound
from bot.mail.parsing import Reading, parse_mail


def raw_inbound(raw: bytes, *, envelope_from: str | None = None) -> RawInbound:
    """A message as the raw provider would hand it over."""
    return RawInbound(raw, True, envelope_from, (), "raw", None)


def letter(body: str = "Hello.", *, sender: str = "ann@corp.example", subject: str = "Hi", **fields: str) -> bytes:
    """A plain message; `fields` are further header fields, with `_` for `-`."""
    lines = [f"From: {sender}", "To: agent@bot.example", f"Subject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join([*lines, "", body])).encode()


def multipart(plain: str, html: str, *files: tuple[str, str, bytes]) -> bytes:
    """A message with a text part, an HTML part and files of (name, type, content)."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "ann@corp.example", "agent@bot.example"
    message.set_content(plain)
    if html:
        message.add_alternative(html, subtype="html")
    for name, kind, content in files:
        maintype, subtype = kind.split("/")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return message.as_bytes()


def read(raw: bytes, reading: Reading | None = None, *, envelope_from: str | None = None) -> InboundEmail:
    """A message, read."""
    return parse_mail(raw_inbound(raw, envelope_from=envelope_from), reading or Reading())
