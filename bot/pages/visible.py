"""Text on the page that people decide on: what cannot be seen, or passes for another, is a box with its code. Pure."""

import json
import unicodedata

from markupsafe import Markup
from pydantic import JsonValue

from approvals.visible import oddities, spelt

_BOX = Markup('<span class="mark" title="{name}">U+{code}</span>')


def marked(text: str) -> Markup:
    """The text escaped for HTML, with a box for each character that cannot be seen or passes for another."""
    odd = oddities(text)
    if not odd:
        return Markup.escape(text)
    return Markup("").join(_box(each) if place in odd else each for place, each in enumerate(text))


def as_json(value: JsonValue) -> str:
    """The value as JSON for reading and editing; what cannot be seen is written as an escape."""
    return spelt(json.dumps(value, ensure_ascii=False, indent=2), _escape)


def _box(character: str) -> Markup:
    return _BOX.format(name=unicodedata.name(character, "a character without a name"), code=f"{ord(character):04X}")


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"  # noqa: PLR2004 - ASCII
