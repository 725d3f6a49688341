"""Text for people to decide on: nothing in it is invisible, and none of it turns the reading direction. Pure.

Two texts that differ must look different (Unicode Technical Reports 36 and 39), so every character that is drawn as
nothing, or that reorders its neighbours, is shown as a box with its code point.
"""

import json
import re
import unicodedata

from markupsafe import Markup
from pydantic import JsonValue

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef"
"""Drawn as nothing though Unicode calls them letters or marks. U+FE0F is left out: it makes an emoji colourful."""
_FILLER = re.compile(f"[{_FILLERS}]")
_BOX = Markup('<span class="mark" title="{name}">U+{code}</span>')


def has_hidden(text: str) -> bool:
    """Whether anything in it cannot be seen. Line breaks and tabs count as seen."""
    return any(_is_hidden(each) for each in _suspects(text))


def marked(text: str) -> Markup:
    """The text escaped for HTML, with a box for each character that cannot be seen."""
    if not has_hidden(text):
        return Markup.escape(text)
    return Markup("").join(_box(each) if _is_hidden(each) else each for each in text)


def as_json(value: JsonValue) -> str:
    """The value as JSON for reading and editing; what cannot be seen is written as an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return "".join(_escape(each) if _is_hidden(each) else each for each in text) if has_hidden(text) else text


def _suspects(text: str) -> list[str]:
    """Few characters to look at closely, in texts of any length."""
    lines = (line for line in re.split(r"[\n\t]", text) if not line.isprintable() or _FILLER.search(line))
    return [each for line in lines for each in line]


def _is_hidden(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) in _HIDDEN or _FILLER.match(character) is not None


def _box(character: str) -> Markup:
    return _BOX.format(name=unicodedata.name(character, "a character without a name"), code=f"{ord(character):04X}")


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"  # noqa: PLR2004 - ASCII
