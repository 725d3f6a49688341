"""Only requests that prove where they come from give a message, and large ones are no trouble."""

import base64
import json
from urllib.parse import urlencode

import pytest

from bot.mail.email import RawInbound
from bot.mail.errors import BadWebhook, MailMisconfigured, TooLarge, Unauthenticated
from bot.mail.providers import PROVIDERS, mailgun, postmark, raw
from bot.mail.webhook import MAX_BODY, WebhookRequest
from bot.standard_webhooks import signature
from tests.unit.mail.letters import letter, read

NOW = 1_750_000_000.0
KEY = "whsec_" + base64.b64encode(b"k" * 24).decode()
MESSAGE = letter("Hello.", Message_ID="<1@x.example>")


def _raw(body: bytes = MESSAGE, kind: str = "message/rfc822", *, key: str = KEY, at: float = NOW) -> WebhookRequest:
    stamp = str(int(at))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": signature(key, "msg_1", stamp, body),
    }
    return WebhookRequest(headers, body, kind, NOW)


def _with(request: WebhookRequest, **headers: str) -> WebhookRequest:
    changed = request.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    return WebhookRequest(changed, request.body, request.content_type, request.now)


def test_the_signature_is_the_one_of_the_standard() -> None:
    # The example of the specification of Standard Webhooks.
    body = b'{"test": 2432232314}'
    signed = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [KEY, f"old, {KEY}", f"{KEY},new", "plain-secret"])
def test_a_signed_message_is_accepted_with_each_configured_key(secret: str) -> None:
    key = "plain-secret" if secret == "plain-secret" else KEY

    raw.authenticate(_raw(key=key), secret)


@pytest.mark.parametrize("at", [NOW - 299, NOW, NOW + 299])
def test_a_time_within_five_minutes_is_accepted(at: float) -> None:
    raw.authenticate(_raw(at=at), KEY)


@pytest.mark.parametrize(
    "request_, secret",
    [
        (_raw(at=NOW - 301), KEY),
        (_raw(at=NOW + 301), KEY),
        (_raw(key="other"), KEY),
        (_raw(), ""),
        (_raw(), " , "),
        (_with(_raw(), webhook_id="msg_2"), KEY),
        (_with(_raw(), webhook_timestamp="now"), KEY),
        (_with(_raw(), webhook_timestamp="1" * 30), KEY),
        (_with(_raw(), webhook_timestamp="٣" * 10), KEY),
        (_with(_raw(), webhook_signature=""), KEY),
        (_with(_raw(), webhook_signature="v1,é"), KEY),
        (_with(_raw(), webhook_signature="v1a," + "A" * 44), KEY),
        (WebhookRequest({}, MESSAGE, "message/rfc822", NOW), KEY),
        (WebhookRequest(_raw().headers, MESSAGE + b"!", "message/rfc822", NOW), KEY),
    ],
)
def test_an_unproved_request_is_refused(request_: WebhookRequest, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        raw.authenticate(request_, secret)


def test_one_good_signature_among_several_is_enough() -> None:
    good = _raw()
    many = _with(good, webhook_signature=f"v1,bad v2,odd {good.headers['webhook-signature']}")

    raw.authenticate(many, KEY)


def test_a_key_that_is_not_base64_is_a_wrong_setting() -> None:
    with pytest.raises(MailMisconfigured, match="EMAIL_INBOUND_SECRET"):
        raw.authenticate(_raw(), "whsec_%%%")


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_body_beyond_the_limit_is_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(TooLarge):
        PROVIDERS[name].authenticate(WebhookRequest({}, b"x" * (MAX_BODY + 1), "text/plain", NOW), "secret")


def test_the_message_itself_may_be_the_body() -> None:
    assert raw.extract(_raw()) == RawInbound(MESSAGE, True, None, (), "raw", "msg_1")


def test_json_brings_the_envelope_inside_what_is_signed() -> None:
    body = json.dumps({"from": "a@x.example", "to": ["b@y.example"], "raw_b64": base64.b64encode(MESSAGE).decode()})

    found = raw.extract(_raw(body.encode(), "application/json; charset=utf-8"))

    assert (found.raw, found.envelope_from, found.envelope_to) == (MESSAGE, "a@x.example", ("b@y.example",))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"[" * 100_000,
        b'{"from": 1, "to": [], "raw_b64": ""}',
        b'{"from": "", "to": [1], "raw_b64": ""}',
        b'{"from": "", "to": [], "raw_b64": "%"}',
    ],
)
def test_other_json_is_a_bad_webhook(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        raw.extract(_raw(body, "application/json"))


def test_another_content_type_is_a_bad_webhook() -> None:
    with pytest.raises(BadWebhook, match="content type"):
        raw.extract(_raw(kind="text/plain"))


def _mailgun(fields: dict[str, str], *, key: str = "k1", at: float = NOW) -> WebhookRequest:
    stamp = str(int(at))
    signed = {"timestamp": stamp, "token": "t" * 50, "signature": mailgun.signature(key, stamp, "t" * 50)}
    return WebhookRequest({}, urlencode(fields | signed).encode(), "application/x-www-form-urlencoded", NOW)


def _multipart(parts: list[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """A multipart form of (name, file name, content)."""
    body = b""
    for name, file, content in parts:
        names = f'name="{name}"' + (f'; filename="{file}"' if file else "")
        body += b"--b0undary\r\nContent-Disposition: form-data; " + names.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--b0undary--\r\n", "multipart/form-data; boundary=b0undary"


def test_mailgun_brings_the_message_in_a_field_of_any_size() -> None:
    large = letter("x" * (3 * 1024 * 1024))
    stamp = str(int(NOW))
    body, kind = _multipart(
        [
            ("recipient", "", b"agent@bot.example"),
            ("sender", "", b"ann@corp.example"),
            ("timestamp", "", stamp.encode()),
            ("token", "", b"tok"),
            ("signature", "", mailgun.signature("k1", stamp, "tok").encode()),
            ("body-mime", "", large),
        ]
    )
    request = WebhookRequest({}, body, kind, NOW)

    mailgun.authenticate(request, "k0,k1")
    found = mailgun.extract(request)

    assert found.raw == large
    assert (found.envelope_from, found.envelope_to) == ("ann@corp.example", ("agent@bot.example",))
    assert (found.event_id, found.raw_exact) == ("tok", False)


@pytest.mark.parametrize(
    "request_",
    [
        _mailgun({}, key="other"),
        _mailgun({}, at=NOW - 10 * 3600),
        WebhookRequest({}, b"", "application/x-www-form-urlencoded", NOW),
        WebhookRequest({}, b"{}", "application/json", NOW),
        WebhookRequest({}, b"--x", "multipart/form-data; boundary=b", NOW),
        WebhookRequest({}, b"a=b&" * 5000, "application/x-www-form-urlencoded", NOW),
    ],
)
def test_mailgun_without_a_fitting_triple_is_refused(request_: WebhookRequest) -> None:
    with pytest.raises(Unauthenticated):
        mailgun.authenticate(request_, "k1")


def test_mailguns_parsed_form_is_put_together_again() -> None:
    headers = [["From", "Ann <ann@corp.example>"], ["Message-Id", "<1@x.example>"], ["Subject", "Grüße\r\nX-Evil: 1"]]
    stamp = str(int(NOW))
    body, kind = _multipart(
        [
            ("message-headers", "", json.dumps(headers).encode()),
            ("body-plain", "", "Schöne Grüße".encode()),
            ("body-html", "", b"<p>Hi</p>"),
            ("attachment-1", "a.txt", b"content"),
            ("timestamp", "", stamp.encode()),
            ("token", "", b"tok"),
            ("signature", "", mailgun.signature("k1", stamp, "tok").encode()),
        ]
    )

    found = mailgun.extract(WebhookRequest({}, body, kind, NOW))
    mail = read(found.raw)

    assert not found.raw_exact
    assert (mail.new_text, mail.message_id, mail.subject) == ("Schöne Grüße", "<1@x.example>", "Grüße X-Evil: 1")
    assert [(one.name, one.content) for one in mail.attachments] == [("a.txt", b"content")]
    assert not mail.values("x-evil")


def test_a_tracking_event_of_mailgun_is_a_bad_webhook() -> None:
    with pytest.raises(BadWebhook, match="tracking"):
        mailgun.extract(_mailgun({"event": "opened"}))


def _postmark(content: object, credentials: str = "user:pass") -> WebhookRequest:
    authorization = "Basic " + base64.b64encode(credentials.encode()).decode()
    return WebhookRequest({"authorization": authorization}, json.dumps(content).encode(), "application/json", NOW)


POSTMARK = {
    "FromFull": {"Email": "ann@corp.example"},
    "From": "Ann <ann@corp.example>",
    "To": "agent@bot.example",
    "OriginalRecipient": "agent+a.tok@bot.example",
    "MessageID": "22c74902-a0c1-4511-804f-341342852c90",
    "Subject": "Hi",
    "TextBody": "Hello.",
    "Headers": [
        {"Name": "Return-Path", "Value": "<ann@corp.example>"},
        {"Name": "Message-ID", "Value": "<1@x.example>"},
        {"Name": "In-Reply-To", "Value": "<0@x.example>"},
        {"Name": "From", "Value": "other@evil.example"},
    ],
    "Attachments": [{"Name": "a.txt", "Content": "Y29udGVudA==", "ContentType": "text/plain"}],
}


def test_postmark_is_known_by_its_credentials() -> None:
    postmark.authenticate(_postmark({}), "user:old,user:pass")


@pytest.mark.parametrize("credentials", ["user:wrong", "user", "", "user:pass,", "é:é"])
def test_postmark_with_other_credentials_is_refused(credentials: str) -> None:
    with pytest.raises(Unauthenticated):
        postmark.authenticate(_postmark({}, credentials), "user:pass")


@pytest.mark.parametrize("header", ["", "Basic", "Basic %%%", "Bearer dXNlcjpwYXNz", "Basic dXNlcjpwYXNz=x"])
def test_postmark_with_a_broken_header_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        postmark.authenticate(WebhookRequest({"authorization": header}, b"{}", "application/json", NOW), "user:pass")


def test_postmarks_raw_message_is_taken_where_it_is_switched_on() -> None:
    found = postmark.extract(_postmark(POSTMARK | {"RawEmail": MESSAGE.decode()}))

    assert found.raw == MESSAGE
    assert (found.envelope_from, found.envelope_to) == ("ann@corp.example", ("agent+a.tok@bot.example",))
    assert found.event_id == POSTMARK["MessageID"]


def test_postmarks_parsed_message_is_put_together_again_with_one_from() -> None:
    found = postmark.extract(_postmark(POSTMARK))
    mail = read(found.raw)

    assert not found.raw_exact
    assert mail.sender is not None
    assert (mail.sender.address, mail.new_text, mail.in_reply_to) == ("ann@corp.example", "Hello.", ("<0@x.example>",))
    assert [(one.name, one.content) for one in mail.attachments] == [("a.txt", b"content")]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"RecordType": "Bounce"}', b"{" * 100_000])
def test_another_postmark_event_is_a_bad_webhook(body: bytes) -> None:
    with pytest.raises(BadWebhook):
        postmark.extract(WebhookRequest({}, body, "application/json", NOW))
