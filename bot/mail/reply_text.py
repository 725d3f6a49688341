"""The text of a reply without what it quotes: one pass that names each line, one that cuts. Linear in the text.

A leaked quote is worse than a lost line, for our own prompt ("answer approve …") is in every quote. In order:
1. our delimiter line, an Outlook header block, `Original Message` or an attribution without `>` below it ends it;
2. `>` lines and their attribution are taken out wherever they stand, so answers below and between quotes stay;
3. `-- ` and `Sent from my …` begin a signature;
4. a forward is not new text: it is kept apart, whole;
5. quoted lines equal to lines that we sent are dropped, whatever the client did to the marks.
Confidence is low when a bound was hit, when nothing is left, or when what is left still looks like part of a quote.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.mail import reply_marks as marks
from bot.mail.email import ReplyText

MAX_TEXT = 256 * 1024
MAX_LINES = 5_000
MAX_ATTRIBUTION_LINES = 6
MAX_ATTRIBUTION = 300
MAX_HEADER_LINES = 10
MAX_SIGNATURE_LINES = 15
WRAPPED_AT = 60
MIN_SENT_LINE = 12
"""Shorter lines of ours are never matched, lest the answer "approve" be taken for an echo."""


class _Kind(Enum):
    TEXT = auto()
    BLANK = auto()
    QUOTE = auto()
    ATTRIBUTION = auto()
    CUT = auto()
    FORWARD = auto()
    SIGNATURE = auto()
    MOBILE = auto()


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a text beside what the marks see of them and what each is."""

    raw: list[str]
    keys: list[str]
    kinds: list[_Kind]


def split_reply(
    text: str, *, sent_lines: Collection[str] = (), delimiter: str = "", forwarding: bool = False
) -> ReplyText:
    """The parts of a reply. `delimiter` is the mark in our mails; `forwarding`: the subject begins with Fwd."""
    bounded = text[:MAX_TEXT]
    raw = bounded.split("\n")[:MAX_LINES]
    beyond = bounded.split("\n")[MAX_LINES:]
    whole = len(bounded) == len(text) and not beyond
    lines = _named(raw, delimiter)
    reply = _cut(lines, forwarding=forwarding)
    if not whole:
        reply = replace(reply, quoted_text="\n".join([reply.quoted_text, *beyond]), confidence="low")
    return without_sent(reply, sent_lines)


def without_sent(reply: ReplyText, sent_lines: Collection[str]) -> ReplyText:
    """The reply with lines of our own moved to the quote; confidence falls, as the cut had missed them."""
    sent = {line_key(line) for line in sent_lines}
    sent = {key for key in sent if len(key) >= MIN_SENT_LINE}
    lines = reply.new_text.split("\n")
    kept = [line for line in lines if line_key(line) not in sent]
    if len(kept) == len(lines):
        return reply
    echoed = [line for line in lines if line_key(line) in sent]
    quoted = "\n".join(filter(None, [*echoed, reply.quoted_text]))
    return replace(reply, new_text=_tidy(kept), quoted_text=quoted, confidence="low")


def line_key(line: str) -> str:
    """A line reduced to its letters and figures, so that quote marks, wrapping spaces and emphasis do not matter."""
    return " ".join(re.sub(r"[\W_]+", " ", line[: marks.MAX_KEY]).split()).casefold()


def _named(raw: list[str], delimiter: str) -> _Lines:
    keys = [marks.key_of(line) for line in raw]
    kinds = [_kind(line, key, delimiter) for line, key in zip(raw, keys, strict=True)]
    lines = _Lines(raw, keys, kinds)
    for at in range(len(raw)):
        if kinds[at] is _Kind.TEXT and _starts_header_block(lines, at):
            kinds[at] = _Kind.CUT
    for at in range(len(raw)):
        if kinds[at] in {_Kind.TEXT, _Kind.QUOTE}:
            _mark_attribution(lines, at)
    _mark_wrapped_quotes(lines)
    return lines


def _kind(line: str, key: str, delimiter: str) -> _Kind:
    """What one line is, seen alone."""
    if not key:
        return _Kind.BLANK
    quoted = key.startswith((">", "|"))
    if delimiter and delimiter in line and not quoted:
        return _Kind.CUT
    if marks.is_forward(key.lstrip("> ")):
        return _Kind.FORWARD
    if quoted:
        return _Kind.QUOTE
    if marks.is_original(key):
        return _Kind.CUT
    if key in {"--", "—"} or line.rstrip("\r") == "-- ":
        return _Kind.SIGNATURE
    return _Kind.MOBILE if marks.is_mobile_signature(key) else _Kind.TEXT


def _starts_header_block(lines: _Lines, at: int) -> bool:
    """Three `Key: value` lines within ten, the first or second a From, another one a known field."""
    if not marks.header_key(lines.keys[at]):
        return False
    found: list[str] = []
    for key in lines.keys[at : at + MAX_HEADER_LINES]:
        if kind := marks.header_key(key):
            found.append(kind)
        elif not key and len(found) > 1:
            break
    return "from" in found[:2] and found[0] != "any" and "other" in found and len(found) >= 3  # noqa: PLR2004 -- the rule


def _mark_attribution(lines: _Lines, end: int) -> None:
    """Names the lines of an attribution that ends here, if one does."""
    key = lines.keys[end]
    quoted_end = lines.kinds[end] is _Kind.QUOTE
    if quoted_end:
        key = key.lstrip("> ")
        if not key or lines.keys[end].startswith(("> >", ">>")) or len(key) > 20:  # noqa: PLR2004 -- `> wrote:` alone
            return
    followed = _next_kind(lines, end + 1) is _Kind.QUOTE
    if not (marks.ends_attribution(key) or (followed and marks.names_time_and_address(key))):
        return
    start = _attribution_start(lines, end, key, followed=followed and not quoted_end)
    for at in range(start, end + 1):
        lines.kinds[at] = _Kind.ATTRIBUTION


def _attribution_start(lines: _Lines, end: int, last: str, *, followed: bool) -> int:
    """The first line of the attribution that ends at `end`; `end + 1` when there is none."""
    joined, start, blanks = last, end + 1, 0
    if _is_attribution(joined, followed=followed):
        start = end
    for at in range(end - 1, max(-1, end - MAX_ATTRIBUTION_LINES), -1):
        key = lines.keys[at]
        blanks += not key
        if blanks > 1 or lines.kinds[at] not in {_Kind.TEXT, _Kind.BLANK} or marks.ends_sentence(key):
            break
        joined = f"{key} {joined}" if key else joined
        opens = marks.opens_attribution(key)
        if _is_attribution(joined, followed=followed) and key and (start > end or opens):
            start = at
        if opens and start <= end:
            break
    # `John Doe` on one line and `<john@doe.example> wrote:` on the next.
    if start <= end and start and lines.keys[start].startswith("<") and lines.kinds[start - 1] is _Kind.TEXT:
        start -= 1
    return start


def _is_attribution(joined: str, *, followed: bool) -> bool:
    """Whether joined lines are an attribution: by a verb, or by what they name when `>` lines follow."""
    if marks.is_attribution(joined):
        return True
    if not followed or len(joined) > MAX_ATTRIBUTION or not marks.names_time_or_address(joined):
        return False
    if marks.names_time_and_address(joined):
        return True
    return joined.endswith((":", "\uff1a")) and marks.opens_attribution(joined)


def _next_kind(lines: _Lines, at: int) -> _Kind | None:
    """What the next line with anything on it is, two empty ones at most being passed over."""
    return next((kind for kind in lines.kinds[at : at + 3] if kind is not _Kind.BLANK), None)


def _mark_wrapped_quotes(lines: _Lines) -> None:
    """A line between quoted ones is the rest of one wrapped without `>` if that is long; else it is an answer."""
    kinds = lines.kinds
    for at in range(1, len(kinds) - 1):
        if kinds[at] is _Kind.TEXT and kinds[at - 1] is _Kind.QUOTE and kinds[at + 1] is _Kind.QUOTE:
            kinds[at] = _Kind.QUOTE if len(lines.raw[at - 1]) >= WRAPPED_AT else _Kind.TEXT


def _cut(lines: _Lines, *, forwarding: bool) -> ReplyText:
    """The parts, from the names of the lines."""
    end, forward = _end_of_reply(lines.kinds, forwarding=forwarding)
    new, quoted, signature, sure = _sorted(lines, end)
    while new and (not new[-1].strip() or marks.is_rule(marks.key_of(new[-1]))):
        new.pop()
    own = _tidy(new)
    rest = lines.raw[end:]
    if not own and _is_header_first(lines, end):
        forward = True
    return ReplyText(
        new_text=own,
        quoted_text=_tidy(quoted if forward else [*quoted, *rest]),
        signature=_tidy(signature),
        forwarded=_tidy([_unquoted(line) for line in rest]) if forward else "",
        confidence="high" if own and sure and not _leftovers(new) else "low",
    )


def _end_of_reply(kinds: list[_Kind], *, forwarding: bool) -> tuple[int, bool]:
    """Where the sender's own part ends for good, and whether a forward begins there."""
    quotes_before = False
    for at, kind in enumerate(kinds):
        if kind is _Kind.CUT:
            return at, forwarding
        if kind is _Kind.FORWARD and not quotes_before:
            return at, True
        if kind is _Kind.ATTRIBUTION and (at + 1 == len(kinds) or kinds[at + 1] is not _Kind.ATTRIBUTION):
            following = next((k for k in kinds[at + 1 : at + 4] if k is not _Kind.BLANK), None)
            if following is not _Kind.QUOTE:
                return _first_of_run(kinds, at), forwarding
        quotes_before = quotes_before or kind in {_Kind.QUOTE, _Kind.ATTRIBUTION}
    return len(kinds), False


def _first_of_run(kinds: list[_Kind], at: int) -> int:
    while at and kinds[at - 1] is _Kind.ATTRIBUTION:
        at -= 1
    return at


def _is_header_first(lines: _Lines, end: int) -> bool:
    """Whether a mail begins with somebody's header block: an Outlook forward, which carries no other mark."""
    return end < len(lines.kinds) and lines.kinds[end] is _Kind.CUT and bool(marks.header_key(lines.keys[end]))


def _sorted(lines: _Lines, end: int) -> tuple[list[str], list[str], list[str], bool]:
    """New, quoted and signature lines before `end`, and whether no line was taken away on a guess."""
    new: list[str] = []
    quoted: list[str] = []
    signature: list[str] = []
    target, sure = new, True
    for at in range(end):
        kind = lines.kinds[at]
        if kind in {_Kind.QUOTE, _Kind.ATTRIBUTION, _Kind.FORWARD}:
            quoted.append(lines.raw[at])
            target = new
            continue
        if target is not signature and _starts_signature(lines, at, end):
            target = signature
        elif target is signature and kind is _Kind.TEXT and _Kind.MOBILE in lines.kinds[max(0, at - 3) : at]:
            target, sure = quoted, False  # what stands below a phone's line is rarely the sender's own
        target.append(lines.raw[at])
    return new, quoted, signature, sure


def _starts_signature(lines: _Lines, at: int, end: int) -> bool:
    kind = lines.kinds[at]
    if kind is _Kind.MOBILE or lines.raw[at].rstrip("\r") == "-- ":
        return True
    if kind is not _Kind.SIGNATURE:
        return False
    below = 0
    for following in lines.kinds[at + 1 : end]:
        if following in {_Kind.QUOTE, _Kind.ATTRIBUTION}:
            break
        below += following is not _Kind.BLANK
        if below > MAX_SIGNATURE_LINES:
            return False
    return True


def _leftovers(new: list[str]) -> bool:
    """Whether new text still holds something that looks like the head of a quote."""
    keys = [marks.key_of(line) for line in new]
    return any(
        marks.header_key(key) == "from" or (marks.ends_attribution(key) and marks.names_time_or_address(key))
        for key in keys
    )


def _unquoted(line: str) -> str:
    return re.sub(r"^(?:> ?)", "", line)


def _tidy(lines: list[str]) -> str:
    """Lines joined, without trailing spaces and empty lines around them; leading spaces stay, for code and lists."""
    return re.sub(r"\A(?:[ \t]*\n)+", "", "\n".join(line.rstrip() for line in lines)).rstrip()
