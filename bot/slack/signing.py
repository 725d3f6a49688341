"""Whether a request over HTTP comes from Slack: looked at before Bolt sees it.

Bolt answers 500 for a timestamp that is no number and logs the whole body of a request whose signature is wrong; here
both are a 401 and a line without content (docs.slack.dev/authentication/verifying-requests-from-slack).
"""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import parse_qs

from slack_sdk.signature import SignatureVerifier

BODY_MOST = 1024 * 1024
_TIMESTAMP_MOST = 12


async def bounded(chunks: AsyncIterator[bytes], declared: str | None) -> bytes | None:
    """The body; None as soon as it is, or says it is, too large."""
    if declared is not None and declared.isascii() and declared.isdigit() and int(declared[:20]) > BODY_MOST:
        return None
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > BODY_MOST:
            return None
    return bytes(body)


def is_signed(verifier: SignatureVerifier, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the signature is right and no older than five minutes."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _TIMESTAMP_MOST and signature.isascii()):
        return False
    try:
        return verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError:
        return False  # Slack signs text


def is_ssl_check(body: bytes) -> bool:
    """Slack's unsigned question whether our certificate is in order; nothing is done but answer it."""
    return body.startswith(b"ssl_check=") and parse_qs(body.decode("latin-1")).get("ssl_check") == ["1"]
