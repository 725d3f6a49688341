"""A mail provider on loopback: an SMTP server with mailboxes, and a signed webhook for what the agent is sent."""

from sandbox.mail.letter import Attachment, Letter
from sandbox.mail.smtp import SmtpFault
from sandbox.mail.standin import MailStandIn, NoSuchMailbox
from sandbox.mail.webhook import Delivery, signed

__all__ = ["Attachment", "Delivery", "Letter", "MailStandIn", "NoSuchMailbox", "SmtpFault", "signed"]
