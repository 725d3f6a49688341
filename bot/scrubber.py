"""Takes secrets out of what is about to be logged: by the name of the field, by their look, and by being known.

A log is copied, mailed and pasted into tickets; what is in it has left the house. Message bodies are kept out by not
logging them; two vendors put values into their error texts, and those are cut here.
"""

import re
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

GONE = "[secret]"
_LEAST = 6
"""A known secret shorter than this is not looked for: it would black out ordinary words."""

_FIELD = re.compile(
    r"(?:^|[_.-])(?:token|secret|password|passwd|passphrase|authorization|cookie|credentials?|signature|csrf|nonce|"
    r"api[_-]?key|private[_-]?key|secret[_-]?key|whsec)s?$",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"_tokens$", re.IGNORECASE)
"""`input_tokens` is a number of them."""

_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[\w-]{6,}|\bxapp-[\w-]{6,}"), GONE),
    (re.compile(r"\b(?:sk|rk)-[\w-]{12,}"), GONE),
    (re.compile(r"\bwhsec_[\w+/=-]{8,}"), GONE),
    (re.compile(r"\b([Bb]earer)\s+[\w.~+/=-]{8,}"), rf"\1 {GONE}"),
    (re.compile(r"\b(authorization\W{1,4}basic\s+)[\w+/=-]+", re.IGNORECASE), rf"\1{GONE}"),
    (re.compile(r"\b([a-z][a-z0-9+.-]{1,30}://)[^\s/@\"']{1,500}@", re.IGNORECASE), rf"\1{GONE}@"),
    # The links and reply addresses of approvals (approvals.token): whoever has one is half way to a decision.
    (re.compile(r"(/approvals/|/inbox/sign-in/)[\w-]{16,}\.[\w.-]+"), rf"\1{GONE}"),
    (re.compile(r"(\+[at]\.[a-z2-7]{20}\.)[a-z2-7]{16}\b", re.IGNORECASE), rf"\1{GONE}"),
    # Pydantic and SQLAlchemy quote, each on one line, the values that they complain about.
    (re.compile(r"input_value=[^\n]{0,400}?, input_type="), f"input_value={GONE}, input_type="),
    (re.compile(r"\[parameters: [^\n]*"), f"[parameters: {GONE}]"),
)

EventDict = MutableMapping[str, Any]
Processor = Callable[[Any, str, EventDict], EventDict]


def scrubber(secrets: Iterable[str]) -> Processor:
    """A structlog processor that removes secrets, those named among them, at whatever depth."""
    known = sorted({secret for secret in secrets if len(secret) >= _LEAST}, key=len, reverse=True)
    exact = re.compile("|".join(map(re.escape, known))) if known else None

    def clean(text: str) -> str:
        if exact is not None:
            text = exact.sub(GONE, text)
        for look, instead in _LOOKS:
            text = look.sub(instead, text)
        return text

    def scrub(_: object, __: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            event[key] = _scrubbed(value, key, clean)
        return event

    return scrub


def _scrubbed(value: object, key: str, clean: Callable[[str], str]) -> object:
    """The same value without secrets. Numbers and truths are none; whatever else is no text becomes one first."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _FIELD.search(key) and not _COUNTS.search(key):
        return GONE
    match value:
        case str():
            return clean(value)
        case bytes() | bytearray():
            return clean(value.decode("utf-8", "replace"))
        case dict():
            return {clean(str(name)): _scrubbed(each, str(name), clean) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_scrubbed(each, "", clean) for each in value]
        case _:
            return clean(str(value))
