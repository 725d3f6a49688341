"""Text for people to decide on: which of its characters cannot be seen. Pure.

Two texts that differ must look different (Unicode Technical Reports 36 and 39), so each surface spells, in its own way,
every character that is drawn as nothing or that reorders its neighbours. Which ones those are is said here, once.
"""

import re
import unicodedata
from collections.abc import Callable

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef"
"""Drawn as nothing though Unicode calls them letters or marks. U+FE0F is left out: it makes an emoji colourful."""
_FILLER = re.compile(f"[{_FILLERS}]")
_SEEN = re.compile(r"[\n\t]")


def is_hidden(character: str) -> bool:
    """Whether it cannot be seen. Line breaks and tabs count as seen."""
    if _SEEN.match(character):
        return False
    return unicodedata.category(character) in _HIDDEN or _FILLER.match(character) is not None


def has_hidden(text: str) -> bool:
    """Whether anything in the text cannot be seen. Quick on texts of any length that are as they should be."""
    suspects = (line for line in _SEEN.split(text) if not line.isprintable() or _FILLER.search(line))
    return any(is_hidden(each) for line in suspects for each in line)


def spelt(text: str, spell: Callable[[str], str]) -> str:
    """The text with each character that cannot be seen spelt by `spell`."""
    return "".join(spell(each) if is_hidden(each) else each for each in text) if has_hidden(text) else text
