"""Bytes of any declared charset to text that a database takes; never raises, whatever the label says.

`errors="replace"` does not save from an unknown label: the look-up fails first. So the label goes through a table, then
UTF-8 is tried, then windows-1252 with replacement, as browsers do.
"""

import codecs
import re

_ALIASES = {
    "uft-8": "utf-8",
    "utf8": "utf-8",
    "utf-8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-1": "windows-1252",  # what senders mean by it; WHATWG's encoding table says so too
    "latin1": "windows-1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "x-unknown": "utf-8",
    "unknown-8bit": "utf-8",
    "default": "utf-8",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "windows-31j": "cp932",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "windows-874": "cp874",
    "tis-620": "cp874",
}
_NEVER = frozenset({"idna", "punycode", "raw_unicode_escape", "unicode_escape", "undefined", "mbcs", "oem"})
_CODE_PAGE = re.compile(r"^(?:cp-|cp_|x-cp|windows-?|ibm-)(\d{3,5})$")
# NUL breaks databases; other C0 controls break terminals and prompts. Tab and newlines stay.
_CONTROLS = dict.fromkeys([*range(9), 11, *range(14, 32), 127, 0xFEFF])


def decode(content: bytes, label: str | None) -> str:
    """The text of `content`, by its declared charset where that works, without NUL and other control characters."""
    for codec in (_codec(label), "utf-8"):
        if codec is None:
            continue
        try:
            return clean(content.decode(codec))
        except (UnicodeError, LookupError, ValueError):
            continue
    return clean(content.decode("windows-1252", errors="replace"))


def decode_field(value: bytes) -> str:
    """The text of a raw header value or envelope string, which has no label: UTF-8 (RFC 6532), else windows-1252."""
    return decode(value, None)


def clean(text: str) -> str:
    """`text` without control characters and lone surrogates, with all line ends as LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def _codec(label: str | None) -> str | None:
    """The name of a codec for a declared charset, or None when there is no such text codec."""
    if not label:
        return None
    name = label.strip().strip("\"'").lower().partition("*")[0][:64]
    code_page = _CODE_PAGE.match(name)
    name = f"cp{code_page.group(1)}" if code_page else _ALIASES.get(name, name)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    # Codecs from bytes to bytes (zip, base64) make a bomb of a body; `decode` would refuse most, not all.
    if found.replace("-", "_") in _NEVER or not codecs.lookup(found)._is_text_encoding:  # noqa: SLF001 -- no public way to ask
        return None
    return found
