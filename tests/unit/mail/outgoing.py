"""An outgoing mail for tests, and its parts as a client sees them."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from bot.mail.email import Mailbox
from bot.mail.message import Outgoing, compose

MAIL = Outgoing(
    sender=Mailbox("agent@bot.example", "Agent"),
    to=(Mailbox("ann@corp.example", "Ann Lee"),),
    subject="Re: Refund",
    markdown="Hello **Ann**.",
    message_id="<reply.1@bot.example>",
    at=datetime(2025, 3, 3, 10, 0, tzinfo=UTC),
)


def parsed(mail: Outgoing) -> EmailMessage:
    """As a client reads it."""
    message = message_from_bytes(compose(mail), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def part_of(mail: Outgoing, kind: str) -> str:
    """The text, or the HTML."""
    body = parsed(mail).get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
