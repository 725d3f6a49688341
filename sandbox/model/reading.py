"""What a message asks for, read by a handful of plain rules. Pure, and no cleverer than it looks."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Wish = Literal["refund", "lookup", "team", "close", "thanks", "hello", "other"]

_TAGS: Final = re.compile(r"</?[A-Za-z_][^<>\n]*>|<@[A-Z0-9]+>")
_ORDER: Final = re.compile(r"(?<![\w.,\-:/@+])#?(\d{4,6})(?![\w\-:/@]|[.,]\d)")
_NAMED: Final = re.compile(r"\border\s*(?:no\.?|number|nr\.?)?\s*#?(\d{1,8})\b|#(\d{1,8})\b", re.IGNORECASE)
_MONEY: Final = re.compile(
    r"(?:€|\beur)\s*(\d+(?:[.,]\d{1,2})?)|(\d+(?:[.,]\d{1,2})?)\s*(?:€|eur\b|euros?\b)", re.IGNORECASE
)
_BECAUSE: Final = re.compile(r"\b(?:because|since|as)\s+((?:it|she|he|they|the|of)\b[^.!?\n]{3,160})", re.IGNORECASE)
_TROUBLES: Final = (
    (r"broken|broke\b|cracked|shattered", "arrived broken"),
    (r"damaged|scratched|dented", "arrived damaged"),
    (r"never (?:arrived|came)|not arrived|lost", "never arrived"),
    (r"\blate\b|too late|delayed", "arrived late"),
    (r"wrong (?:item|colou?r|size|one|lamp|shelf)", "wrong item"),
    (r"changed (?:my|her|his|their) mind|no longer (?:need|want)", "changed their mind"),
)
_TEAM: Final = re.compile(
    r"\bask (?:the |my |our )?(?:team|humans?|someone|somebody|a (?:human|person|colleague)|people)\b[\s,:]*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_EITHER: Final = re.compile(r"[,:]\s*([\w '&-]{1,40}?),?\s+or\s+([\w '&-]{1,40}?)\s*\?\s*$", re.IGNORECASE)
_WISHES: Final[tuple[tuple[Wish, str], ...]] = (
    ("team", _TEAM.pattern),
    ("close", r"\bthat(?:'s| is) all\b|\bclose (?:this|the (?:thread|case|ticket))\b|\bwe(?:'re| are) done\b"),
    ("refund", r"\brefund|\bmoney back\b|\breimburse|\bpay (?:\w+ ){0,3}back\b"),
    ("lookup", r"\border\b|\blook ?up\b|\bstatus\b|\bcheck\b|\bwhere is\b"),
    ("thanks", r"\bthank|\bthx\b|\bcheers\b|\bgreat\b|\bperfect\b"),
    ("hello", r"^\W*(?:hi|hello|hey|good (?:morning|evening|day|afternoon)|help)\b|what can you do|who are you"),
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask the team, with its choices where it names two."""

    text: str
    choices: tuple[str, ...] = ()


def plain(text: str) -> str:
    """The words without the tags and mentions that they were wrapped in."""
    return _TAGS.sub(" ", text).strip()


def orders_in(text: str) -> tuple[str, ...]:
    """Order numbers, in the order of mention, each once. A year is not one unless it is called an order."""
    words = plain(text)
    named = {(match[1] or match[2]): match.start() for match in reversed([*_NAMED.finditer(words)])}
    money = [match.span() for match in _MONEY.finditer(words)]
    for match in reversed([*_ORDER.finditer(words)]):
        in_money = any(start <= match.start() < end for start, end in money)
        if match[1][:2] not in {"19", "20"} and not in_money:
            named[match[1]] = match.start()
    return tuple(sorted(named, key=lambda number: named[number]))


def wish_of(text: str) -> Wish:
    """What is wanted most."""
    words = plain(text)
    for wish, pattern in _WISHES:
        if re.search(pattern, words, re.IGNORECASE):
            return wish
    return "other"


def amount_in(text: str) -> float | None:
    """A sum of money, if one is named."""
    match = _MONEY.search(plain(text))
    return float((match[1] or match[2]).replace(",", ".")) if match else None


def reason_in(text: str) -> str:
    """Why, in the asker's words where they say so."""
    words = plain(text)
    because = _BECAUSE.search(words)
    if because:
        return " ".join(because[1].split())
    for pattern, reason in _TROUBLES:
        if re.search(pattern, words, re.IGNORECASE):
            return reason
    return "asked for by the customer"


def question_in(text: str) -> Question:
    """What the team is to be asked."""
    match = _TEAM.search(plain(text))
    words = " ".join((match[1] if match else text).split())
    words = re.sub(r"^(?:about|whether|if|for)\s+", "", words, flags=re.IGNORECASE) or "What should I do here?"
    words = words[0].upper() + words[1:]
    if not words.endswith(("?", ".", "!")):
        words += "?"
    either = _EITHER.search(words)
    return Question(words, (either[1].strip(), either[2].strip()) if either else ())
