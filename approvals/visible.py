"""Text for people to decide on: which of its characters cannot be seen, or look like others. Pure.

Two texts that differ must look different (Unicode Technical Reports 36 and 39), so each surface spells, in its own way,
every character that is drawn as nothing or that reorders its neighbours, and every letter that looks like a Latin one
in a word that has Latin letters, too. Which ones those are is said here, once. A word that is of another script
altogether is left alone, whatever it looks like: people write in those.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef"
"""Drawn as nothing though Unicode calls them letters or marks. U+FE0F is left out: it makes an emoji colourful."""
_FILLER = re.compile(f"[{_FILLERS}]")
_SEEN = re.compile(r"[\n\t]")
_WORD = re.compile(r"\w+")
_LATIN = re.compile(r"[A-Za-z]")
_TWINS = frozenset(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455"  # Cyrillic
    "\u04bb\u0501\u051b\u051d\u0475\u04cf"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u04c0\u0474\u050c\u051a\u051c"
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7\u0391\u0392\u0395\u0396\u0397\u0399\u039a"  # Greek
    "\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0561\u0563\u0566\u0570\u0578\u057d\u0581\u0585\u054d\u0555"  # Armenian
    "\u0251\u0261\u0131\u0269\u026a\u0280\u029f\u1d00\u1d04\u1d0f\u1d18"  # of phonetics
)
"""Letters of other scripts, and of phonetics, that look like one of a to z or A to Z."""
_STYLED = frozenset({"Lu", "Ll", "Nd"})


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
    """The text with each character that cannot be seen, or passes for another, spelt by `spell`."""
    odd = oddities(text)
    return "".join(spell(each) if place in odd else each for place, each in enumerate(text)) if odd else text


def bracketed(text: str) -> str:
    """The same where there is only text, as in mails and on terminals: spelt as `[U+200B]`."""
    return spelt(text, lambda each: f"[U+{ord(each):04X}]")


def oddities(text: str) -> frozenset[int]:
    """The places of what cannot be seen, and of what passes for another. Quick on texts that are as they should be."""
    hidden = {place for place, each in enumerate(text) if is_hidden(each)} if has_hidden(text) else set()
    return frozenset(hidden | set(_lookalikes(text)))


def _lookalikes(text: str) -> Iterator[int]:
    if text.isascii():
        return
    for word in _WORD.finditer(text):
        if not word[0].isascii() and _LATIN.search(word[0]):
            yield from (word.start() + place for place, each in enumerate(word[0]) if _passes_for_another(each))


def _passes_for_another(character: str) -> bool:
    """Whether it looks like a Latin letter or digit and is none: by its shape, or as a styled form of one."""
    if character.isascii():
        return False
    if character in _TWINS:
        return True
    return unicodedata.category(character) in _STYLED and unicodedata.normalize("NFKC", character).isascii()
