"""Cuts a long Markdown text into messages that Slack takes whole. Pure.

Slack takes 12,000 characters in all the Markdown of a message (`msg_blocks_too_long` beyond: bolt-js#2509, #2867). A
part ends between paragraphs where it can, else between lines, else between words. It never ends inside a link, an
entity or a character; a code fence that must be cut is closed in one part and opened again in the next.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.slack.text import fence_after, inert

MOST = 11_500
"""Of the 12,000: a little room for what Slack counts and we do not."""
_LONGEST_OPENING = 64
_LONGEST_MARKER = 32
"""A longer row of backticks is decoration, not code."""
_WORDS = re.compile(r"\[[^\[\]\n]*\]\([^()\s]*\)|\S+|\s+")
_JOINER = "\u200d"
_LONGEST_ENTITY = 5


def parts_of(markdown: str) -> tuple[str, ...]:
    """What the model said, as the texts of the messages to post, in order; none when it said nothing."""
    return split(inert(markdown))


def size(text: str) -> int:
    """Characters as UTF-16 counts them: the strictest count that Slack may use."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(markdown: str, most: int = MOST) -> tuple[str, ...]:
    """Parts of at most `most` characters, without blank lines at their ends."""
    if size(markdown) <= most:
        whole = markdown.strip("\n")
        return (whole,) if whole.strip() else ()
    part = _Part()
    found: list[str] = []
    for piece in _pieces(markdown, most - 2 * _LONGEST_OPENING):
        if part.lines and part.size_with(piece) > most:
            text, part = part.close(most)
            found.append(text)
        part.add(piece)
    found.append("".join(part.lines))
    return tuple(text for each in found if (text := each.strip("\n")).strip())


def _pieces(markdown: str, most: int) -> Iterator[str]:
    """Lines, with their ends; those longer than `most` in several pieces."""
    for line in re.findall(r"[^\n]*\n|[^\n]+", markdown):
        if size(line) <= most:
            yield line
            continue
        piece = ""
        for word in _WORDS.findall(line):
            if size(piece) + size(word) > most:
                yield from [piece] if piece else []
                *whole, piece = _torn(word, most)
                yield from whole
            else:
                piece += word
        yield from [piece] if piece else []


def _torn(word: str, most: int) -> list[str]:
    """A word that is too long by itself, in pieces."""
    found: list[str] = []
    while size(word) > most:
        at = _safe(word, most if word.isascii() else most // 2)
        found.append(word[:at])
        word = word[at:]
    return [*found, word]


def _safe(word: str, at: int) -> int:
    """The last place at or before `at` that is neither inside a drawn character nor inside an entity."""
    place = at
    while place > at // 2 and _joins(word[place - 1], word[place]):
        place -= 1
    entity = word.rfind("&", place - _LONGEST_ENTITY, place)
    return entity if entity > 0 and ";" not in word[entity:place] else place


def _joins(before: str, after: str) -> bool:
    return _JOINER in {before, after} or unicodedata.category(after)[0] == "M" or unicodedata.category(after) == "Sk"


@dataclass
class _Part:
    """A part as it grows. Only `split` has one."""

    lines: list[str] = field(default_factory=list)
    size: int = 0
    fence: str = ""
    """The marker of the fence that is open."""
    opening: str = ""
    """The line that opened it."""
    paragraph: int = 0
    """How many of the lines come before the last blank line outside code."""
    sized_at_paragraph: int = 0

    def size_with(self, piece: str) -> int:
        """How long the part would be with this piece, and its fence closed again."""
        fence = self._fence_after(piece)
        return self.size + size(piece) + (len(fence) + 1 if fence else 0)

    def add(self, piece: str) -> None:
        """Take it in."""
        before = self.fence
        self.fence = self._fence_after(piece)
        if self.fence and not before:
            self.opening = piece if len(piece) <= _LONGEST_OPENING and piece.endswith("\n") else f"{self.fence}\n"
        self.lines.append(piece)
        self.size += size(piece)
        if not self.fence and not piece.strip():
            self.paragraph, self.sized_at_paragraph = len(self.lines), self.size

    def _fence_after(self, piece: str) -> str:
        at_start = not self.lines or self.lines[-1].endswith("\n")
        fence = fence_after(piece.removesuffix("\n"), self.fence) if at_start else self.fence
        return fence if len(fence) <= _LONGEST_MARKER else ""

    def close(self, most: int) -> tuple[str, "_Part"]:
        """The text of this part, and the next part with what is carried over."""
        rest = _Part()
        if self.fence:
            rest.add(self.opening)
            end = "" if self.lines[-1].endswith("\n") else "\n"
            return "".join(self.lines) + end + self.fence, rest
        if self.sized_at_paragraph > most // 2:
            for line in self.lines[self.paragraph :]:
                rest.add(line)
            return "".join(self.lines[: self.paragraph]), rest
        return "".join(self.lines), rest
