"""The marks that mail clients leave around quotes, signatures and forwards, as questions about one line.

Every pattern is anchored, has no two unbounded repetitions side by side, and sees a line cut at 1,000 characters with
its runs of spaces collapsed, so that each answer takes time linear in the line. The words cover about 30 languages.
"""

# ruff: noqa: RUF001 -- dashes and colons of many scripts

import re

from bot.mail import reply_words as words

MAX_KEY = 1000

# The last word of "On …, X wrote:"; several languages put it in the middle instead.
_VERBS = "|".join(map(re.escape, words.VERBS))
_VERB = re.compile(
    rf"(?:^|[\s>\"”»)\]|:,]|(?<=[^\x00-\u2fff]))(?:{_VERBS})(?=$|[\s:：.,(\-–—]|[^\x00-\u2fff])", re.IGNORECASE
)
_VERB_END = re.compile(
    rf"(?:^|[\s>\"”»)\]|:,]|(?<=[^\x00-\u2fff]))(?:{_VERBS})\s?[:：]?(?: ?[-–—]{{2,10}})?$", re.IGNORECASE
)
_OPENERS = re.compile(
    rf"[-–—]{{0,10}} ?(?:(?:{words.OPENERS})\s|(?:{words.DAYS})[^\W\d_]{{0,10}}[.,]?\s|\d{{1,4}}[\s./年\-])",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[:.h]\d{2}\b"
    r"|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d{1,4}\s?[年월]|\b\d{1,2}\. ?[^\W\d_]{3,12}\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? \d{1,2}\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,253}")
_SENTENCE_END = re.compile(r"[.!?…。]$")

_ORIGINAL_WORDS = re.compile(rf"(?:{'|'.join(words.ORIGINAL)}) ?:?$", re.IGNORECASE)
_FORWARD_WORDS = re.compile(rf"(?:{'|'.join(words.FORWARD)})\b.{{0,80}}$", re.IGNORECASE)
_FORWARD_COLON = re.compile(rf"(?:{'|'.join(words.FORWARD)}) ?[:：]$", re.IGNORECASE)
_RULE_CHARACTERS = "-–—_=*# "

_FROM_KEYS = frozenset(words.FROM_KEYS)
_OTHER_KEYS = frozenset(words.OTHER_KEYS)
_KEY = re.compile(r"[*_ ]{0,3}([^\W\d_][^:：*]{0,24}?)[* _]{0,3}[:：](?: ?\*{1,2})?")

_MOBILE = re.compile(rf"[(<*_\[]{{0,3}}(?:{words.MOBILE})", re.IGNORECASE)
_MOBILE_END = re.compile(r"^.{0,30}\bfrom mobile$|(?:から送信|에서 보냄|發送|傳送|发送|gönderildi)$", re.IGNORECASE)
_EXCUSE = re.compile(r"typo|excuse|pardon|brevity|mistake|spelling|forgive|kürze|tippfehler|fautes", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;.!?] ?\S")
_LINK = re.compile(r"<[^<>]{1,500}>|\]?\(?https?://\S{1,500}|\]")
_RULE = re.compile(r"[-–—_=*~#\u2500-\u257f]{3,1000}$|(?:[-_*] ){2,100}[-_*]$")


def key_of(line: str) -> str:
    """A line as the marks see it: cut, spaces collapsed, emphasis stars off its ends."""
    return " ".join(line[:MAX_KEY].replace("\u00a0", " ").replace("\u200e", "").split()).strip("*").strip()


def is_attribution(joined: str) -> bool:
    """Whether a few joined lines say who wrote what follows, and when or from which address."""
    if len(joined) > 400:  # noqa: PLR2004 -- the longest seen has 210
        return False
    told = bool(_ADDRESS.search(joined) or _DATE.search(joined))
    if not told:
        return False
    if _VERB_END.search(joined):
        return True
    return (
        joined.endswith((":", "："))
        and bool(_VERB.search(joined))
        and bool(opens_attribution(joined) or _ADDRESS.search(joined))
    )


def ends_attribution(key: str) -> bool:
    """Whether a line may be the last of an attribution: a cheap test made before joining lines."""
    return key.endswith((":", "：")) or bool(_VERB_END.search(key))


def opens_attribution(key: str) -> bool:
    """Whether a line begins like an attribution: On, Le, Am, a weekday, a figure."""
    return bool(_OPENERS.match(key))


def names_time_or_address(joined: str) -> bool:
    """Whether lines hold a date or an address; enough of an attribution when `>` lines follow."""
    return bool(_ADDRESS.search(joined) or _DATE.search(joined))


def names_time_and_address(joined: str) -> bool:
    """Whether lines hold both a date and an address: an attribution in a language we have no verb for."""
    return bool(_ADDRESS.search(joined)) and bool(_DATE.search(joined))


def ends_sentence(key: str) -> bool:
    """Whether a line ends as prose does."""
    return bool(_SENTENCE_END.search(key)) and not _DATE.search(key[-12:])


def header_key(key: str) -> str:
    """`from` or `other` for a field of a quoted header block, `any` for what only looks like a field, else nothing."""
    found = _KEY.match(key)
    if not found:
        return ""
    name = found.group(1).strip().lower()
    if name in _FROM_KEYS:
        return "from"
    return "other" if name in _OTHER_KEYS else "any"


def is_original(key: str) -> bool:
    """Whether a line is `-----Original Message-----` in some language."""
    return key[:1] in _RULE_CHARACTERS and bool(_ORIGINAL_WORDS.match(key.strip(_RULE_CHARACTERS)))


def is_forward(key: str) -> bool:
    """Whether a line is `---------- Forwarded message ----------` or `Begin forwarded message:` in some language."""
    if key[:1] in _RULE_CHARACTERS and _FORWARD_WORDS.match(key.strip(_RULE_CHARACTERS)):
        return True
    return bool(_FORWARD_COLON.match(key))


def is_rule(key: str) -> bool:
    """Whether a line is only dashes, underscores or the like."""
    return bool(_RULE.match(key))


def is_mobile_signature(key: str) -> bool:
    """Whether a line is what a phone adds: `Sent from my …`. With a comma and more after it, it is prose."""
    if not (_MOBILE.match(key) or _MOBILE_END.search(key)):
        return False
    plain = _LINK.sub("", key)
    return len(plain) <= 100 and (not _CLAUSE.search(plain) or bool(_EXCUSE.search(plain)))  # noqa: PLR2004 -- one line
