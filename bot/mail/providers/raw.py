"""The `raw` adapter: our own mail server, pipe or worker posts the message, signed as Standard Webhooks say.

The JSON form keeps the envelope inside the signed bytes.
"""

import base64
import binascii
import json

from bot.mail.email import RawInbound
from bot.mail.errors import BadWebhook, MailMisconfigured, Unauthenticated
from bot.mail.webhook import WebhookRequest, keys_of, refuse_large, refuse_stale, same
from bot.standard_webhooks import signature

MAX_SIGNATURES = 10
MAX_ID = 256


def authenticate(request: WebhookRequest, secret: str) -> None:
    """Returns when one signature fits one key and the time is near; raises Unauthenticated or TooLarge otherwise."""
    refuse_large(request)
    message_id = request.headers.get("webhook-id", "")
    timestamp = request.headers.get("webhook-timestamp", "")
    given = request.headers.get("webhook-signature", "")
    if not (message_id and timestamp and given) or len(message_id) > MAX_ID:
        raise Unauthenticated("the webhook headers are missing")
    refuse_stale(timestamp, request.now)
    try:
        expected = [signature(key, message_id, timestamp, request.body).encode() for key in keys_of(secret)]
    except ValueError as error:
        raise MailMisconfigured(f"EMAIL_INBOUND_SECRET: {error}") from error
    signatures = given.split(" ")[:MAX_SIGNATURES]
    if not any(same(one.encode("utf-8", "replace"), other) for one in signatures for other in expected):
        raise Unauthenticated("the signature does not fit")


def extract(request: WebhookRequest) -> RawInbound:
    """The message: the body itself as message/rfc822, or `raw_b64` of a JSON object beside its envelope."""
    kind = request.content_type.partition(";")[0].strip().lower()
    event_id = request.headers.get("webhook-id") or None
    if kind == "message/rfc822":
        return RawInbound(request.body, True, None, (), "raw", event_id)  # noqa: FBT003 -- raw_exact
    if kind != "application/json":
        raise BadWebhook("the content type must be message/rfc822 or application/json")
    try:
        content = json.loads(request.body)
        sender, recipients, encoded = content["from"], content["to"], content["raw_b64"]
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise BadWebhook('the body must be JSON with "from", "to" and "raw_b64"') from error
    if isinstance(recipients, str):
        recipients = [recipients]
    if not isinstance(sender, str) or not _is_texts(recipients):
        raise BadWebhook('"from" must be text and "to" a list of texts')
    return RawInbound(raw, True, sender, tuple(recipients), "raw", event_id)  # noqa: FBT003 -- raw_exact


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
