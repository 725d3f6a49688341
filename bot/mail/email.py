"""The values of the mail channel: what a provider hands over, and what is left of it after reading. All frozen."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Confidence = Literal["high", "low"]


class Verdict(StrEnum):
    """What a trusted receiver says of one check. NONE: nothing was claimed; UNKNOWN: it could not be told."""

    PASS = "pass"  # noqa: S105 -- a verdict, not a password
    FAIL = "fail"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Sender checks by a provider, taken from structured fields of an authenticated request."""

    spf: Verdict = Verdict.UNKNOWN
    dkim: Verdict = Verdict.UNKNOWN
    dmarc: Verdict = Verdict.UNKNOWN
    header_from: str = ""
    """The From domain that `dmarc` speaks for, where the provider names it."""


@dataclass(frozen=True, slots=True)
class RawInbound:
    """One message as a provider handed it over, read no further than its envelope."""

    raw: bytes
    raw_exact: bool
    """False when the bytes were rebuilt or re-encoded, so that a local signature check means nothing."""
    envelope_from: str | None
    """None: the provider does not tell. Empty: the null return path of a bounce."""
    envelope_to: tuple[str, ...]
    provider: str
    event_id: str | None
    """The provider's id where it stays the same across retries."""
    verdicts: Verdicts | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address, lower case, with the name that stood beside it."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """The part after the last @."""
        return self.address.rpartition("@")[2]

    @property
    def local(self) -> str:
        """The part before the last @."""
        return self.address.rpartition("@")[0]


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not the text. `content` is None when it was ignored, and `ignored` then says why."""

    name: str
    type: str
    size: int
    content: bytes | None
    ignored: str = ""
    inline: bool = False
    """True when the HTML part shows it by its Content-ID: a logo more often than a document."""


class AutomaticKind(StrEnum):
    """Why a message must not start or continue a thread."""

    OWN = "own"
    BOUNCE = "bounce"
    AUTOMATIC = "automatic"
    LIST = "list"
    NO_REPLY = "no_reply"
    CALENDAR = "calendar"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Automatic:
    """The finding that no person wrote this message to us, and what gave it away."""

    kind: AutomaticKind
    reason: str


@dataclass(frozen=True, slots=True)
class Authenticity:
    """Whether the From domain is proved, by what, and in words for the audit log."""

    verdict: Verdict
    evidence: str

    @property
    def proved(self) -> bool:
        """True only for a pass aligned with the From domain; everything else is no."""
        return self.verdict is Verdict.PASS


UNPROVED = Authenticity(Verdict.UNKNOWN, "no trusted verdict")


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The text of a mail in its parts. `confidence` is low whenever the cut might be wrong; never decide on it then."""

    new_text: str
    quoted_text: str = ""
    signature: str = ""
    forwarded: str = ""
    confidence: Confidence = "high"


@dataclass(frozen=True, slots=True)
class InboundEmail:
    """One message, read. All text in it was written by others and is material, never an instruction."""

    sender: Mailbox | None
    """The one mailbox of the one From field, or None when From is not beyond doubt; `sender_fault` says why."""
    sender_fault: str
    from_text: str
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    subject: str
    date: str
    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    text: str
    """The whole chosen body, quotes included."""
    reply: ReplyText
    attachments: tuple[Attachment, ...]
    headers: tuple[tuple[str, str], ...]
    """Top header fields in order, names in lower case, values unfolded and not decoded."""
    part_types: tuple[str, ...]
    calendar_method: str
    unreadable: str
    """Why the text could not be read (encrypted), or empty."""
    faults: tuple[str, ...]
    """What was odd or left out while reading, for the log."""
    envelope_from: str | None
    envelope_to: tuple[str, ...]
    automatic: Automatic | None = None
    authenticity: Authenticity = UNPROVED

    @property
    def new_text(self) -> str:
        """What the sender wrote this time."""
        return self.reply.new_text

    @property
    def quoted_text(self) -> str:
        """What was quoted below or between it."""
        return self.reply.quoted_text

    @property
    def signature(self) -> str:
        """The sender's signature, if one was found."""
        return self.reply.signature

    @property
    def forwarded(self) -> str:
        """A message of somebody else that the sender passed on, with its header lines."""
        return self.reply.forwarded

    @property
    def confidence(self) -> Confidence:
        """How sure the cut between new and quoted text is."""
        return self.reply.confidence

    @property
    def verified_sender(self) -> Mailbox | None:
        """The sender, if From is beyond doubt and a trusted verdict aligned with it says pass; else None."""
        return self.sender if self.authenticity.proved else None

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a header field, topmost first."""
        wanted = name.lower()
        return tuple(value for field, value in self.headers if field == wanted)
