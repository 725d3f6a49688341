"""How a webhook proves whom it is from, as Standard Webhooks say: those that come in, and those that we send. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: HMAC-SHA256 over
`id.timestamp.body`, base64, in `webhook-signature` as a space-separated list of `v1,<signature>`. The key is base64
after `whsec_`, or any other text as it stands.
"""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
HOW_TO_MAKE_ONE = "Make one: python3 -c \"import base64,os; print('whsec_'+base64.b64encode(os.urandom(32)).decode())\""


def signature(key: str, message_id: str, timestamp: str, body: bytes) -> str:
    """One signature: `v1,` and the base64 of the HMAC. Raises ValueError for a key whose base64 is none."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_bytes(key), signed, hashlib.sha256).digest()).decode()


def key_bytes(key: str) -> bytes:
    """The key's bytes. Raises ValueError when what follows `whsec_` is not base64."""
    if not key.startswith(PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("what follows whsec_ must be base64") from error


def is_key(secret: str) -> bool:
    """Whether it is a key as the standard wants it: base64 of 24 to 64 bytes, after `whsec_` if that is written."""
    try:
        return 24 <= len(base64.b64decode(secret.removeprefix(PREFIX), validate=True)) <= 64  # noqa: PLR2004 - its bounds
    except ValueError:
        return False
