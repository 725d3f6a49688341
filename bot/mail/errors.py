"""The errors of the mail channel; nothing else leaves it.

MailError
├── BadMail            a message that cannot be read, whatever we try
├── BadWebhook         an authenticated request whose content makes no sense
├── TooLarge           a request or message beyond the hard limit
├── Unauthenticated    a request that does not prove where it comes from
├── MailMisconfigured  a setting that can never work
└── SendingFailed
    ├── MailTransient  nothing was delivered; try again later
    ├── MailRefused    a server said no for good
    └── MailUnknown    the connection broke after the message had been handed over
"""

from agent.errors import TwokeyError


class MailError(TwokeyError):
    """Something about mail went wrong."""


class BadMail(MailError):
    """This message cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadWebhook(MailError):
    """This request is authentic but holds no message."""


class TooLarge(MailError):
    """This request is larger than we read."""


class Unauthenticated(MailError):
    """This request does not prove where it comes from."""


class MailMisconfigured(MailError):
    """This mail setting can never work."""


class SendingFailed(MailError):
    """A message was not certainly delivered to all its recipients."""

    def __init__(self, message: str, *, accepted: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.accepted = accepted


class MailTransient(SendingFailed):
    """Nothing was delivered to the others; sending the same bytes later may work."""


class MailRefused(SendingFailed):
    """A server refused for good; `recipients` says for whom, with its words (empty: it refused us, or the text)."""

    def __init__(self, message: str, recipients: dict[str, str], *, accepted: tuple[str, ...] = ()) -> None:
        super().__init__(message, accepted=accepted)
        self.recipients = recipients


class MailUnknown(SendingFailed):
    """The connection broke after the text had been handed over; it may have been delivered."""
