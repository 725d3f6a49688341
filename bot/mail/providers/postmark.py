"""The `postmark` adapter. Postmark signs nothing: the proof is HTTP basic auth in the webhook's URL, so demand TLS.

https://postmarkapp.com/developer/webhooks/inbound-webhook. With "include raw email content" switched on `RawEmail`
holds the message; otherwise it is rebuilt from the parsed fields. The secret is `user:password`.
"""

import base64
import binascii
import json
from typing import Any

from bot.mail.email import RawInbound
from bot.mail.errors import BadWebhook, Unauthenticated
from bot.mail.rebuilt import File, rebuild
from bot.mail.webhook import WebhookRequest, keys_of, refuse_large, same

_SHOWN = (
    ("From", "From"),
    ("To", "To"),
    ("Cc", "Cc"),
    ("Reply-To", "ReplyTo"),
    ("Subject", "Subject"),
    ("Date", "Date"),
)


def authenticate(request: WebhookRequest, secret: str) -> None:
    """Returns when the credentials are one configured `user:password`; else raises Unauthenticated or TooLarge."""
    refuse_large(request)
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (ValueError, binascii.Error):
        given = b""
    known = [key.encode() for key in keys_of(secret) if ":" in key]
    if scheme.lower() != "basic" or not any([same(given, key) for key in known]):  # noqa: C419 -- all are compared, always
        raise Unauthenticated("the basic credentials do not fit")


def extract(request: WebhookRequest) -> RawInbound:
    """The message in `RawEmail`, or one rebuilt from the parsed fields."""
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise BadWebhook("the body is not JSON") from error
    if not isinstance(content, dict) or not (content.get("FromFull") or content.get("From") or content.get("RawEmail")):
        raise BadWebhook("the body holds no message; another kind of webhook may point at this address")
    raw = content.get("RawEmail")
    recipient = content.get("OriginalRecipient")
    return RawInbound(
        raw=raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) and raw else _rebuilt(content),
        raw_exact=False,  # JSON text; eight-bit mail was re-encoded on the way
        envelope_from=_return_path(content),
        envelope_to=(recipient,) if isinstance(recipient, str) and recipient else (),
        provider="postmark",
        event_id=_text(content.get("MessageID")) or None,
    )


def _return_path(content: dict[str, Any]) -> str | None:
    """Postmark puts a Return-Path first; one anywhere else is the sender's own words."""
    first = next(iter(_headers(content)), ("", ""))
    return first[1].strip().strip("<>") if first[0].lower() == "return-path" else None


def _headers(content: dict[str, Any]) -> list[tuple[str, str]]:
    listed = content.get("Headers")
    if not isinstance(listed, list):
        return []
    return [(_text(one.get("Name")), _text(one.get("Value"))) for one in listed if isinstance(one, dict)]


def _rebuilt(content: dict[str, Any]) -> bytes:
    shown = [(name, _text(content.get(key))) for name, key in _SHOWN if content.get(key)]
    present = {name.lower() for name, _ in shown}
    rest = [(name, value) for name, value in _headers(content) if name.lower() not in present]
    return rebuild([*rest, *shown], _text(content.get("TextBody")), _text(content.get("HtmlBody")), _files(content))


def _files(content: dict[str, Any]) -> list[File]:
    listed = content.get("Attachments")
    if not isinstance(listed, list):
        return []
    return [_file(one) for one in listed if isinstance(one, dict)]


def _file(one: dict[str, Any]) -> File:
    encoded = _text(one.get("Content") or one.get("Data"))
    try:
        decoded = base64.b64decode(encoded)
    except (ValueError, binascii.Error) as error:
        raise BadWebhook("an attachment is not base64") from error
    return File(_text(one.get("Name")), _text(one.get("ContentType")), decoded, _text(one.get("ContentID")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
