"""HTML to plain text for reading: visible words, links with their targets, quotes of known mail clients as `> ` lines.

Text that a person would not see (display:none, zero size, white, aria-hidden) carries orders to the model, so it is
dropped, and so are comments, styles, scripts and images. The standard library's parser is used because it neither
recurses nor loses text under deep nesting, as lxml does.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_HTML = 1024 * 1024
MAX_TEXT = 512 * 1024
MAX_DEPTH = 500

_SILENT = frozenset({"style", "script", "head", "title", "template", "noscript", "svg", "math", "object", "iframe"})
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "center",
    ]
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre"})
# Matched against a style without spaces, in lower case.
_HIDDEN_STYLE = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|text-indent:-\d{3,9}|(?:^|;)(?:left|top):-\d{3,9}"
    r"|(?:^|;)opacity:0(?:\.0{1,9})?(?:;|!|$)|(?:^|;)(?:max-)?(?:height|width):0(?:px|pt)?(?:;|!|$)"
    r"|(?:^|;)font-size:[01]?(?:\.\d{1,9})?(?:px|pt|em%|%)?(?:;|!|$)|(?:^|;)color:transparent"
)
_MARKUP = re.compile(r"<(?:!--|[!?])")
_WHITES = frozenset({"white", "#fff", "#ffffff"})
_WHITE_STYLE = re.compile(r"(?:^|;)color:(?:#fff(?:fff)?|white|rgba?\(255,255,255)(?:[;!,)]|$)")
_SHADED_STYLE = re.compile(r"background(?:-color)?:(?!#fff|white|transparent|none|inherit|initial)")
_QUOTE_CLASSES = frozenset(
    {"gmail_quote", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "zmail_extra", "gmail_attr"}
)
_QUOTE_IDS = frozenset({"olk_src_body_section", "mail-editor-reference-message-container"})
_REST_IDS = frozenset({"divrplyfwdmsg", "appendonsend", "stopspelling"})
_OUTLOOK_RULE = re.compile(r"border:none;border-top:solid#(?:e1e1e1|b5c4df)1\.0pt")


def html_to_text(html: str) -> str:
    """The visible text of an HTML body; bounded, never raises on bad markup, linear in its length."""
    walker = _Walker()
    walker.feed(_without_comments(html[:MAX_HTML]))
    walker.close()
    return walker.text()


def _without_comments(html: str) -> str:
    """HTML without comments, declarations and instructions; some patch releases parse unclosed ones in square time."""
    kept: list[str] = []
    at = 0
    while (start := _MARKUP.search(html, at)) is not None:
        kept.append(html[at : start.start()])
        closing = "-->" if start.group() == "<!--" else ">"
        end = html.find(closing, start.end() - (2 if closing == "-->" else 0))
        if end < 0:
            return "".join(kept)
        at = end + len(closing)
    return "".join([*kept, html[at:]])


@dataclass(slots=True)
class _Element:
    tag: str
    hidden: bool = False
    quoted: bool = False
    pre: bool = False
    shaded: bool = False
    """True on a background of its own, where white text can be read."""
    href: str = ""
    words: list[str] = field(default_factory=list)


class _Walker(HTMLParser):
    """Keeps a stack of open elements and writes lines; it owns nothing else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack = [_Element("")]
        self._rest_quoted = False
        self._line: list[str] = []
        self._line_quoted = False
        self._lines: list[str] = []
        self._size = 0

    def text(self) -> str:
        """All lines so far, at most one empty line between two."""
        self._break()
        return re.sub(r"\n(?:>?\n){2,}", "\n\n", "\n".join(self._lines)).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens an element, or writes what a void one shows."""
        element = self._element(tag, {name: value or "" for name, value in attrs})
        if tag in _BLOCKS:
            self._break(empty=tag in _PARAGRAPHS)
        if tag == "br":
            self._break(keep=True)
        if tag == "li":
            self._write("- ")
        if tag in {"td", "th"} and self._line:
            self._write(" ")
        if tag not in _VOID and len(self._stack) < MAX_DEPTH:
            self._stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Closes the nearest open element of that name and all within it."""
        if tag in _BLOCKS:
            self._break()
        for depth in range(len(self._stack) - 1, max(0, len(self._stack) - 50), -1):
            if self._stack[depth].tag == tag:
                for element in reversed(self._stack[depth:]):
                    self._write_target(element)
                del self._stack[depth:]
                break
        if tag in _BLOCKS:
            self._break(empty=tag in _PARAGRAPHS)

    def handle_data(self, data: str) -> None:
        """Writes visible text."""
        top = self._stack[-1]
        if top.tag == "a" and len(top.words) < 50:  # noqa: PLR2004 -- enough to compare with the target
            top.words.append(data)
        if top.pre:
            for number, line in enumerate(data.split("\n")):
                if number:
                    self._break(keep=True)
                self._write(line)
        else:
            lead, tail = (" " if data[:1].isspace() else ""), (" " if data[-1:].isspace() else "")
            self._write(f"{lead}{' '.join(data.split())}{tail}" if data.strip() else lead)

    def _element(self, tag: str, attrs: dict[str, str]) -> _Element:
        parent = self._stack[-1]
        style = re.sub(r"\s+", "", attrs.get("style", "")[:2000].lower())
        if attrs.get("id", "").lower() in _REST_IDS or _OUTLOOK_RULE.search(style):
            self._break()
            self._rest_quoted = True
        shaded = parent.shaded or _is_shaded(attrs, style)
        return _Element(
            tag,
            hidden=parent.hidden
            or tag in _SILENT
            or _is_hidden(attrs, style)
            or (_is_white(attrs, style) and not shaded),
            quoted=parent.quoted or self._rest_quoted or _is_quote(tag, attrs),
            pre=parent.pre or tag in {"pre", "textarea"},
            shaded=shaded,
            href=attrs.get("href", "")[:2000].strip() if tag == "a" else "",
        )

    def _write_target(self, element: _Element) -> None:
        target = element.href
        shown = "".join(element.words).strip()
        if target.startswith(("http://", "https://", "mailto:")) and not element.hidden and not _same(target, shown):
            self._write(f" <{target.removeprefix('mailto:')}>")

    def _write(self, words: str) -> None:
        top = self._stack[-1]
        if top.hidden or self._size > MAX_TEXT or not words or not (self._line or top.pre or words.strip()):
            return
        if not self._line:
            self._line_quoted = top.quoted
        self._line.append(words)
        self._size += len(words)

    def _break(self, *, empty: bool = False, keep: bool = False) -> None:
        """Ends the line; `empty` leaves a gap after it, `keep` writes it even when nothing is on it."""
        whole = "".join(self._line)
        line = whole.rstrip() if self._stack[-1].pre else " ".join(whole.split())
        if line or (keep and not self._stack[-1].hidden):
            quoted = self._line_quoted if line else self._stack[-1].quoted
            self._lines.append(f"{'> ' if quoted else ''}{line}".rstrip())
        if empty and self._lines and self._lines[-1]:
            self._lines.append("")
        self._line = []


def _is_hidden(attrs: dict[str, str], style: str) -> bool:
    return "hidden" in attrs or attrs.get("aria-hidden", "").lower() == "true" or bool(_HIDDEN_STYLE.search(style))


def _is_white(attrs: dict[str, str], style: str) -> bool:
    return attrs.get("color", "").lower() in _WHITES or bool(_WHITE_STYLE.search(style))


def _is_shaded(attrs: dict[str, str], style: str) -> bool:
    colour = attrs.get("bgcolor", "").lower()
    return bool(colour and colour not in _WHITES) or bool(_SHADED_STYLE.search(style))


def _is_quote(tag: str, attrs: dict[str, str]) -> bool:
    classes = set(attrs.get("class", "")[:500].lower().split())
    if tag == "blockquote" and attrs.get("type", "").lower() == "cite":
        return True
    return bool(classes & _QUOTE_CLASSES) or attrs.get("id", "").lower() in _QUOTE_IDS


def _same(target: str, shown: str) -> bool:
    """Whether a link shows where it goes, so that writing it again says nothing."""
    plain = target.removeprefix("mailto:").removeprefix("https://").removeprefix("http://").rstrip("/").lower()
    return not shown or shown.lower().removeprefix("https://").removeprefix("http://").rstrip("/") == plain
