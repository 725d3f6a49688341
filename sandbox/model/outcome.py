"""What came of a call, read from the text sent back for it: JSON, JSON with a note after it, or a sentence. Pure."""

import json
import re
from dataclasses import dataclass, field
from typing import Final, Literal

from sandbox.model.refused import Json

Kind = Literal["done", "rejected", "expired", "cancelled", "failed"]

_STARTS: Final[tuple[tuple[Kind, str], ...]] = (
    ("rejected", r"(?:rejected|declined|denied|refused)\b"),
    ("expired", r"expired\b"),
    ("cancelled", r"(?:cancell?ed|stopped by)\b"),
    ("failed", r"(?:failed|error|unknown|this call was not made)\b"),
)
_ABSENT: Final = re.compile(r"\b(?:not found|no such|no order|unknown order|does not exist)\b", re.IGNORECASE)
_REASON: Final = re.compile(r"\breason\s*:\s*(.+)", re.IGNORECASE | re.DOTALL)
_CLASS: Final = re.compile(r"^\w+(?:Error|Exception): ")
_RAN: Final = "ran with these: "
_NO_REASON: Final = "none given"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended, why, what it gave, and the arguments that an approver put in place of the model's."""

    kind: Kind
    why: str = ""
    given: Json = field(default_factory=dict)
    changed: Json = field(default_factory=dict)
    text: str = ""

    @property
    def absent(self) -> bool:
        """Whether it failed because there is no such thing."""
        return self.kind == "failed" and bool(_ABSENT.search(self.text))


def outcome_of(output: str) -> Outcome:
    """Read a tool result."""
    given = _object(output.lstrip())
    words = str(given["error"]) if given.get("error") else "" if given else output
    start = output.find(_RAN)
    changed = _object(output[start + len(_RAN) :]) if start >= 0 else {}
    for kind, pattern in _STARTS:
        if re.match(rf"\W*{pattern}", words, re.IGNORECASE):
            return Outcome(kind, _why(words), given, changed, words)
    if given.get("error") or (" answered: " not in words and _ABSENT.search(words)):
        return Outcome("failed", _CLASS.sub("", words), given, changed, words)
    return Outcome("done", "", given, changed, output)


def _why(words: str) -> str:
    words = words.partition("\n[")[0]  # what follows is a note to the model
    match = _REASON.search(words)
    if match:
        return "" if match[1].strip() == _NO_REASON else match[1].strip()
    head, colon, rest = words.partition(":")
    return _CLASS.sub("", rest.strip()) if colon and len(head) < 20 else ""


def _object(text: str) -> Json:
    if not text.startswith("{"):
        return {}
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
