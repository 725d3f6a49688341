"""What every provider adapter reads and promises, and the proofs they share: constant time, two keys, a window."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.mail.email import RawInbound
from bot.mail.errors import TooLarge, Unauthenticated
from bot.mail.header_block import MAX_MESSAGE

MAX_BODY = MAX_MESSAGE * 4 // 3 + 2 * 1024 * 1024
"""Room for the largest message in base64 and for the fields around it. Refuse a longer body while reading it."""
WINDOW = 300
"""Seconds that a signed time may lie away from ours, as Standard Webhooks recommends."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One request as it came in. Header names are in lower case; `now` is the receiver's clock in seconds."""

    headers: dict[str, str]
    body: bytes
    content_type: str
    now: float


class Provider(Protocol):
    """One provider's adapter. Call `authenticate` first; it touches nothing of the content before the proof holds."""

    def authenticate(self, request: WebhookRequest, secret: str) -> None:
        """Returns when the request is authentic; raises Unauthenticated or TooLarge otherwise."""

    def extract(self, request: WebhookRequest) -> RawInbound:
        """The message of an authentic request; raises BadWebhook when there is none."""


def refuse_large(request: WebhookRequest) -> None:
    """Raises TooLarge for a body beyond the hard limit."""
    if len(request.body) > MAX_BODY:
        raise TooLarge(f"the request is larger than {MAX_BODY} bytes")


def keys_of(secret: str) -> Iterator[str]:
    """The keys in a setting, parted by commas: new and old while rotating. Raises Unauthenticated for none."""
    keys = [key.strip() for key in secret.split(",") if key.strip()]
    if not keys:
        raise Unauthenticated("no inbound secret is configured")
    return iter(keys)


def same(one: bytes, other: bytes) -> bool:
    """Whether two proofs are equal, in time that tells nothing."""
    return hmac.compare_digest(one, other)


def refuse_stale(timestamp: str, now: float, window: float = WINDOW) -> None:
    """Raises Unauthenticated for a signed time that is no number or too far from now, either way."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004 -- seconds until year 33658
        raise Unauthenticated("the timestamp is not a number")
    if abs(now - int(timestamp)) > window:
        raise Unauthenticated("the timestamp is too far from now")
