"""Signed tokens: the link in an approval mail, the reply address, the form on a page, and what signs a person in.

Each is good for one purpose, one approval and one person; possession alone never decides, because mails are forwarded:
the gate asks the policy again, and the page asks for the person themselves. Pure: secrets and the time are handed in.
Of several secrets the first signs and all of them verify, so that a key can be changed without breaking what is
already in people's mailboxes.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from itsdangerous import BadData, URLSafeSerializer

from agent.errors import TwokeyError

MIN_SECRET_LENGTH = 32
_MAC_LENGTH = 16
"""Characters of base32: 80 bits, of which a guess over mail gets no nearer to one."""
CODE_DIGITS = 8
_ID_LENGTH = 20
MAX_AGENT_LOCAL_PART = 64 - len("+a.") - _ID_LENGTH - len(".") - _MAC_LENGTH
"""RFC 5321 section 4.5.3.1.1: a local part has at most 64 octets, and ours must carry the token too."""

_ID = re.compile(rf"([a-z]+)_[a-z2-7]{{{_ID_LENGTH}}}")
_REPLY = re.compile(rf"[^@+\s]+\+(a|t)\.([a-z2-7]{{{_ID_LENGTH}}})\.([a-z2-7]{{{_MAC_LENGTH}}})@[^@\s]+")


class BadToken(TwokeyError):
    """This link is not valid."""

    def __init__(self, kind: Literal["expired", "forged"]) -> None:
        self.kind = kind
        super().__init__("This link has expired." if kind == "expired" else "")


@dataclass(frozen=True, slots=True)
class LinkClaim:
    """What a link says, once its signature is checked."""

    approval_id: str
    person: str
    expires: datetime


def link_token(approval_id: str, person: str, secrets: Sequence[str], expires: datetime) -> str:
    """The token of a link that lets this person see, and after a POST decide, this approval."""
    return str(_serializer(secrets).dumps([approval_id, person, int(expires.timestamp())]))


def read_link_token(token: str, secrets: Sequence[str], now: datetime) -> LinkClaim:
    """What the link says. Raises BadToken; a forged token is never called expired."""
    try:
        approval_id, person, expires = _serializer(secrets).loads(token)
    except (BadData, ValueError, TypeError):
        raise BadToken("forged") from None
    claim = LinkClaim(str(approval_id), str(person), datetime.fromtimestamp(int(expires), UTC))
    if claim.expires <= now:
        raise BadToken("expired")
    return claim


Purpose = Literal["sign-in", "session"]


def sealed(purpose: Purpose, sign_in: str, secrets: Sequence[str]) -> str:
    """The id of a sign-in, signed: as the end of the link that was mailed, or as what the browser keeps."""
    return str(_serializer(secrets, purpose).dumps(sign_in))


def unsealed(purpose: Purpose, text: str, secrets: Sequence[str]) -> str:
    """The id that was signed for this purpose. Raises BadToken."""
    try:
        found = _serializer(secrets, purpose).loads(text)
    except (BadData, ValueError, TypeError):
        raise BadToken("forged") from None
    return str(found)


def code(sign_in: str, nonce: str, secrets: Sequence[str]) -> str:
    """Eight digits that are mailed to a person, and good in the one browser whose cookie has the nonce."""
    return _digits(_checked(secrets)[0], sign_in, nonce)


def check_code(typed: str, sign_in: str, nonce: str, secrets: Sequence[str]) -> bool:
    """Whether those are the digits, however they were spaced. No cookie means no."""
    given = re.sub(r"[\s-]", "", typed).encode()
    found = [hmac.compare_digest(given, _digits(each, sign_in, nonce).encode()) for each in _checked(secrets)]
    return bool(nonce) and any(found)


def _digits(secret: str, sign_in: str, nonce: str) -> str:
    text = json.dumps(["twokey.v1", "code", sign_in, nonce]).encode()
    number = int.from_bytes(hmac.new(secret.encode(), text, hashlib.sha256).digest()[:8], "big")
    return f"{number % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def _serializer(secrets: Sequence[str], purpose: str = "link") -> URLSafeSerializer:
    """itsdangerous signs with the last of its keys; ours are in the order of SECRET_KEY."""
    return URLSafeSerializer(
        list(reversed(_checked(secrets))),
        salt=f"twokey.{purpose}.v1",
        serializer=json,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def reply_token(approval_id: str, person: str, secrets: Sequence[str], shown: str = "") -> str:
    """The MAC in the reply address of the approval mail that this person gets. Survives case folding. `shown` is a word
    for what that mail shows; mails of older releases were bound to none."""
    return _mac(_checked(secrets)[0], *_reply(approval_id, person, shown))


def check_reply_token(mac: str, approval_id: str, person: str, secrets: Sequence[str], shown: str = "") -> bool:
    """Whether the MAC is the one that was sent to this person for this approval, by a mail that showed this."""
    return _check(mac, _reply(approval_id, person, shown), secrets)


def _reply(approval_id: str, person: str, shown: str) -> tuple[str, ...]:
    return ("reply", approval_id, person, shown) if shown else ("reply", approval_id, person)


def thread_token(thread_id: str, secrets: Sequence[str]) -> str:
    """The MAC in the address that ordinary answers to a thread go to."""
    return _mac(_checked(secrets)[0], "thread", thread_id)


def check_thread_token(mac: str, thread_id: str, secrets: Sequence[str]) -> bool:
    """Whether the MAC is that thread's. Whether its sender may write there is another question."""
    return _check(mac, ("thread", thread_id), secrets)


def reply_address(agent_address: str, approval_id: str, person: str, secrets: Sequence[str], shown: str = "") -> str:
    """`agent+a.<approval>.<mac>@…`: where this person's answer to the approval mail goes."""
    return _plus(agent_address, "a", approval_id, reply_token(approval_id, person, secrets, shown))


def thread_address(agent_address: str, thread_id: str, secrets: Sequence[str]) -> str:
    """`agent+t.<thread>.<mac>@…`: where an answer to the agent's ordinary mail goes."""
    return _plus(agent_address, "t", thread_id, thread_token(thread_id, secrets))


def read_reply_address(address: str) -> tuple[str, str] | None:
    """Approval id and MAC, unchecked; None when the address is no reply address of an approval."""
    return _read(address, "a", "apr_")


def read_thread_address(address: str) -> tuple[str, str] | None:
    """Thread id and MAC, unchecked; None when the address is no reply address of a thread."""
    return _read(address, "t", "thr_")


def csrf_token(nonce: str, link: str, secrets: Sequence[str]) -> str:
    """What the form of the page behind `link` must send back; `nonce` is the random value in that browser's cookie."""
    return _mac(_checked(secrets)[0], "csrf", nonce, link)


def check_csrf(token: str, nonce: str, link: str, secrets: Sequence[str]) -> bool:
    """Whether the form came from a page of ours, in the browser that has the cookie. No cookie means no."""
    return bool(nonce) and _check(token, ("csrf", nonce, link), secrets)


def is_id(text: str, *kinds: str) -> bool:
    """Whether it can be the id of something of one of these kinds, such as `apr`: databases refuse some characters."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] in kinds


def _plus(agent_address: str, kind: str, thing_id: str, mac: str) -> str:
    local, _, domain = agent_address.rpartition("@")
    if not is_id(thing_id, "apr", "thr") or len(local) > MAX_AGENT_LOCAL_PART:
        raise ValueError(f"no reply address can be made of {agent_address} and {thing_id}")
    return f"{local}+{kind}.{thing_id[4:]}.{mac}@{domain}"


def _read(address: str, kind: str, prefix: str) -> tuple[str, str] | None:
    found = _REPLY.fullmatch(address.strip().strip("<>").lower())
    return (prefix + found[2], found[3]) if found and found[1] == kind else None


def _checked(secrets: Sequence[str]) -> Sequence[str]:
    if isinstance(secrets, str) or not secrets or any(len(secret) < MIN_SECRET_LENGTH for secret in secrets):
        raise ValueError(f"tokens are signed with one or more secrets of {MIN_SECRET_LENGTH} characters or more")
    return secrets


def _check(mac: str, parts: tuple[str, ...], secrets: Sequence[str]) -> bool:
    """Against every secret, whichever fits, so that the time says nothing."""
    given = mac.lower().encode()
    return any([hmac.compare_digest(given, _mac(secret, *parts).encode()) for secret in _checked(secrets)])  # noqa: C419 - a generator would stop at the first that fits


def _mac(secret: str, *parts: str) -> str:
    """A JSON list cannot be cut in two ways, as joined texts could."""
    text = json.dumps(["twokey.v1", *parts]).encode()
    digest = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:_MAC_LENGTH]
