"""MIME parts from bytes, with a bound on their number, depth and header sizes before the standard library sees them."""

from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesFeedParser
from email.policy import EmailPolicy
from typing import Any

from bot.mail.errors import BadMail
from bot.mail.header_block import HeaderBlock

MAX_PARTS = 300
MAX_DEPTH = 10
MAX_PART_FIELD = 2 * 1024
LONG_FIELD = 300
MAX_LONG_FIELDS = 64 * 1024

Failures = (
    RecursionError,
    LookupError,
    UnicodeError,
    AttributeError,
    ValueError,
    TypeError,
    MessageError,
    AssertionError,
    MemoryError,
    OverflowError,
)
"""What the standard library's mail code is known to raise on hostile input."""


def parse_tree(block: HeaderBlock) -> Message:
    """The tree of parts. Raises BadMail when there are too many or the library gives up."""
    factory: Any = _PartFactory()  # the stubs know no factory but a message class
    parser = BytesFeedParser(policy=_BoundedPolicy(message_factory=factory))
    try:
        parser.feed(block.mime_message())
        return parser.close()
    except Failures as error:
        raise BadMail(f"the MIME structure cannot be read ({type(error).__name__})") from error


def leaves(root: Message) -> Iterator[tuple[Message, str, int]]:
    """Each part that holds content, with its type and depth, in order; containers beyond ten levels are given whole.

    A message/rfc822 part is a leaf: what a mail carries is data, not more of the mail.
    """
    stack = [(root, 0)]
    while stack:
        part, depth = stack.pop()
        content_type = type_of(part)
        payload = part.get_payload()
        if content_type.startswith("multipart/") and isinstance(payload, list) and depth < MAX_DEPTH:
            stack += [(child, depth + 1) for child in reversed(payload) if isinstance(child, Message)]
        elif content_type.startswith("multipart/") and isinstance(payload, str):
            yield part, "text/plain", depth  # no boundary was ever found: better read as text than lost
        else:
            yield part, content_type, depth


def type_of(part: Message) -> str:
    """A part's type in lower case; text/plain where the field is broken (RFC 2045, section 5.2)."""
    try:
        return part.get_content_type().lower()[:120]
    except Failures:
        return "text/plain"


def parameter(part: Message, name: str) -> str:
    """A parameter of a part's Content-Type, or nothing."""
    try:
        value = part.get_param(name)
    except Failures:
        return ""
    return value.strip().lower()[:80] if isinstance(value, str) else ""


class _PartFactory:
    """Makes the message objects of one parse and refuses to make too many; keeps the budget for long fields."""

    def __init__(self) -> None:
        self._made = 0
        self._long = 0

    def affords(self, size: int) -> bool:
        """Whether a field of this size may still be parsed: the time for one grows with its square."""
        self._long += size if size > LONG_FIELD else 0
        return size <= MAX_PART_FIELD and (size <= LONG_FIELD or self._long <= MAX_LONG_FIELDS)

    def __call__(self, *, policy: EmailPolicy) -> EmailMessage:
        self._made += 1
        if self._made > MAX_PARTS:
            raise BadMail(f"the message has more than {MAX_PARTS} parts")
        return EmailMessage(policy)


class _BoundedPolicy(EmailPolicy):
    """The default policy, but an oversize field of a part reads as empty: parsing 229 KB of parameters takes 14 s."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Keeps a field as it came, if it is small enough."""
        factory: Any = self.message_factory
        if not factory.affords(sum(map(len, sourcelines))):
            return sourcelines[0].partition(":")[0], ""
        return super().header_source_parse(sourcelines)
