"""The `raw` adapter: our own mail server, pipe or worker posts the message, signed as Standard Webhooks say.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: HMAC-SHA256 over
`id.timestamp.body`, base64, in `webhook-signature` as a space-separated list of `v1,<signature>`. The key is base64
after `whsec_`, or any other text as it stands. The JSON form keeps the envelope inside the signed bytes.
"""

import base64
import binascii
import hashlib
import hmac
import json

from bot.mail.email import RawInbound
from bot.mail.errors import BadWebhook, MailMisconfigured, Unauthenticated
from bot.mail.webhook import WebhookRequest, keys_of, refuse_large, refuse_stale, same

PREFIX = "whsec_"
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
    expected = [signature(key, message_id, timestamp, request.body).encode() for key in keys_of(secret)]
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


def signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    """What `webhook-signature` must hold: `v1,` and the base64 of the HMAC. Senders and tests use it too."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_bytes(key), signed, hashlib.sha256).digest()).decode()


def key_bytes(key: str) -> bytes:
    """The key's bytes; raises MailMisconfigured when what follows `whsec_` is not base64."""
    if not key.startswith(PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error) as error:
        raise MailMisconfigured("EMAIL_INBOUND_SECRET: what follows whsec_ must be base64") from error


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
