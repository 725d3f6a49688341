"""Markdown that a model wrote, as a text part and as an HTML part that a mail client may show without harm.

No images: a client loads them unasked, and the address of one can carry a secret out. Links are http, https and mailto
only, and where the words of a link hide its target, the target stands beside it.
"""

import html
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported when the first mail is written: they cost 40 ms of the start
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


MAX_MARKDOWN = 200_000
_TAGS = frozenset(
    "p br hr strong em s code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 a table thead tbody tr th td".split()  # noqa: SIM905 -- a list would take 30 lines
)
_SCHEMES = frozenset({"http", "https", "mailto"})
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.{0,500}?)\s*#*$")
_IMAGE = re.compile(r"!\[([^\]\n]{0,500})\]\([^)\s]{0,2000}(?:\s[^)\n]{0,200})?\)")
_LINK = re.compile(r"\[([^\]\n]{1,500})\]\(<?([^)\s<>]{1,2000})>?(?:\s[^)\n]{0,200})?\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^*_\n]{1,500})(?<=\S)\1")


def to_text(markdown: str) -> str:
    """Markdown lightly cleaned for reading: headings, bold and links as words, code and lists as they are."""
    lines: list[str] = []
    fenced = False
    for line in markdown[:MAX_MARKDOWN].split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        lines.append(line if fenced or _FENCE.match(line) else _plain(line))
    return "\n".join(lines)


def to_html(markdown: str) -> str:
    """Markdown as clean HTML: raw HTML in it is shown as text, images become their alternative text."""
    import nh3  # noqa: PLC0415 -- see the head

    parser = _parser()
    tokens = parser.parse(markdown[:MAX_MARKDOWN])
    for token in tokens:
        if token.children:
            token.children = _safe_children(token.children)
    rendered = str(parser.renderer.render(tokens, parser.options, {}))
    return nh3.clean(
        rendered,
        tags=set(_TAGS),
        attributes={"a": {"href"}},
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer",
    )


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- see the head

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def _plain(line: str) -> str:
    line = _HEADING.sub(r"\1", line) if line.lstrip().startswith("#") else line
    line = _LINK.sub(_link_text, _IMAGE.sub(r"\1", line))
    return _STRONG.sub(r"\2", line)


def _link_text(found: re.Match[str]) -> str:
    words, target = found.group(1), found.group(2)
    return target if words == target else f"{words} <{target}>"


def _safe_children(children: "list[Token]") -> "list[Token]":
    """Inline tokens without images, and with the target written after each link whose words are not the target."""
    kept: list[Token] = []
    target, words = "", ""
    for token in children:
        if token.type == "image":
            kept.append(_text(token.content))
            words += token.content
            continue
        if token.type == "link_open":
            target, words = str(token.attrGet("href") or ""), ""
        elif token.type == "link_close":
            kept.append(token)
            if target and html.unescape(words).strip() != target.removeprefix("mailto:"):
                kept.append(_text(f" <{target.removeprefix('mailto:')}>"))
            continue
        else:
            words += token.content
        kept.append(token)
    return kept


def _text(content: str) -> "Token":
    from markdown_it.token import Token  # noqa: PLC0415 -- see the head

    return Token("text", "", 0, content=content)
