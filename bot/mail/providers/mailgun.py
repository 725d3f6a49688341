"""The `mailgun` adapter: a route that ends in `mime` posts the raw message, any other route the parsed one.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks: the form's `signature` is the hex
HMAC-SHA256 of `timestamp` and `token`, keyed with the webhook signing key. It covers neither body nor recipient, so
whoever catches one triple can post anything with it: the caller must remember `token` (it is the event id) for nine
hours, longer than Mailgun retries (8 h), and mark it used only when the message is stored.
"""

import hashlib
import hmac
import json

from bot.mail.email import RawInbound
from bot.mail.errors import BadWebhook, Unauthenticated
from bot.mail.form import Form, parse_form
from bot.mail.rebuilt import File, rebuild
from bot.mail.webhook import WebhookRequest, keys_of, refuse_large, refuse_stale, same

WINDOW = 9 * 3600
"""Seconds: Mailgun retries for eight hours, and says not to be strict about the age."""
MAX_TOKEN = 128
_SIGNED_FIELDS = ("timestamp", "token", "signature")


def authenticate(request: WebhookRequest, secret: str) -> None:
    """Returns when the form's triple fits one key; raises Unauthenticated or TooLarge otherwise."""
    refuse_large(request)
    keys = list(keys_of(secret))
    try:
        form = parse_form(request.body, request.content_type)
    except BadWebhook as error:
        raise Unauthenticated(str(error)) from error
    timestamp, token, given = (form.text(name) for name in _SIGNED_FIELDS)
    if not token or len(token) > MAX_TOKEN:
        raise Unauthenticated("the form holds no token")
    refuse_stale(timestamp, request.now, WINDOW)
    if not any(same(given.encode(), signature(key, timestamp, token).encode()) for key in keys):
        raise Unauthenticated("the signature does not fit")


def extract(request: WebhookRequest) -> RawInbound:
    """The message in `body-mime`, or one rebuilt from the parsed fields."""
    form = parse_form(request.body, request.content_type)
    raw = form.fields.get("body-mime", b"")
    if not raw and not form.text("message-headers") and not form.text("from"):
        raise BadWebhook("the form holds no message; a tracking webhook may point at this address")
    return RawInbound(
        raw=raw or _rebuilt(form),
        raw_exact=False,  # a form field is text and may have been re-encoded
        envelope_from=form.text("sender") if "sender" in form.fields else None,
        envelope_to=tuple(filter(None, (one.strip() for one in form.text("recipient").split(",")))),
        provider="mailgun",
        event_id=form.text("token") or None,
    )


def signature(key: str, timestamp: str, token: str) -> str:
    """What the field `signature` must hold."""
    return hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()


def _rebuilt(form: Form) -> bytes:
    files = [
        File(file.name, file.type, file.content, _content_id(form, name))
        for name, file in form.files.items()
        if name.startswith("attachment-")
    ]
    return rebuild(_headers(form), form.text("body-plain"), form.text("body-html"), files)


def _headers(form: Form) -> list[tuple[str, str]]:
    listed = form.text("message-headers")
    if not listed:
        return [
            ("From", form.text("from")),
            ("To", form.text("To") or form.text("recipient")),
            ("Subject", form.text("subject")),
        ]
    try:
        return [(str(name), str(value)) for name, value in json.loads(listed)]
    except (ValueError, TypeError, RecursionError) as error:
        raise BadWebhook("message-headers is not a JSON list of pairs") from error


def _content_id(form: Form, name: str) -> str:
    """The Content-ID of a file: `content-id-map` is a JSON object from id to field name."""
    try:
        ids = json.loads(form.text("content-id-map") or "{}")
    except (ValueError, RecursionError):
        return ""
    return next((str(one) for one, field in ids.items() if field == name), "") if isinstance(ids, dict) else ""
