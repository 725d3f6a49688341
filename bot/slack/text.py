"""Text on its way to Slack and from it. Pure.

Whatever a model, a mail or a tool wrote is data: on its way out none of it may become a mention, a broadcast or a link
that hides where it goes. One place escapes, once. Rules:

- Slack reads `<!here>`, `<@U…>`, `<#C…>` and `<url|label>` even inside Markdown, and also in code. Escaping the angle
  brackets makes them inert and is shown as the bracket; `&` is left alone there, for escaping it breaks addresses
  (PostHog/posthog#95054, measured on a live workspace).
- Slack may turn `[label](target)` into `<target|label>`, so a target that is no web address is spelt out as text; one
  whose label is not the address shows its host; pictures become links, for showing one would fetch it.
- In mrkdwn `&`, `<` and `>` are escaped (docs.slack.dev/messaging/formatting-message-text).
"""

import re
import unicodedata
from datetime import datetime
from urllib.parse import urlsplit

from approvals.visible import oddities, spelt

LABEL_MOST = 300
"""Characters of a line of ours that holds something from outside."""

_FENCE = re.compile(r"^[ \t]*(?P<marker>`{3,}|~{3,})(?P<rest>.*)$")
_QUOTE = re.compile(r"^(?:[ \t]{0,3}>)+")
_LINK = re.compile(
    r"""(?P<image>!?)\[(?P<label>[^\[\]\n]*)\]\([ \t]*<?(?P<target>[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?"""
    r"""(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'))?[ \t]*\)"""
)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>|]+)>", re.IGNORECASE)
_DEFINITION = re.compile(r"^([ \t]{0,3}\[[^\[\]\n]+\]):", re.MULTILINE)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^`]*(?<!`)\1(?!`)")


def sound(text: str) -> str:
    """The text without what JSON and Slack cannot carry: lone surrogates and control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isprintable():
        return text
    return "".join(_carried(character) for character in text)


def _carried(character: str) -> str:
    match unicodedata.category(character):
        case "Cs":
            return "\ufffd"
        case "Cc":
            return character if character in "\n\t" else ""
        case _:
            return character


def escape(text: str) -> str:
    """Any text as mrkdwn that shows it as it is, short of emphasis."""
    return sound(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def visible(text: str) -> str:
    """The text with every character that cannot be seen, or passes for another, spelt as its code point."""
    return spelt(text, _code)


def _code(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def glimpse(text: str, most: int) -> tuple[str, int]:
    """The beginning of the text, made visible in at most so many characters, and how many of its own are missing."""
    head = text[:most]
    odd = oddities(head)
    shown, size = [], 0
    for place, each in enumerate(head):
        piece = _code(each) if place in odd else each
        size += len(piece)
        if size > most:
            break
        shown.append(piece)
    return "".join(shown), len(text) - len(shown)


def one_line(text: str, most: int) -> str:
    """The text for a label: visible, without line breaks, and with an ellipsis where it was cut."""
    whole = text.strip()
    head = whole[: most * 2]
    flat = " ".join(visible(head).split())
    return flat if len(flat) <= most and len(head) == len(whole) else flat[: most - 1] + "…"


def titled(title: str, most: int) -> str:
    """What a card is about, as a label."""
    return one_line(title, most) or "(untitled)"


def moment(at: datetime) -> str:
    """Slack's date token: everybody reads it in their own time zone. Only ever made of a datetime."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


# --- Markdown from the model ----------------------------------------------------------------------------------------


def inert(markdown: str) -> str:
    """The same Markdown with nothing in it that notifies anybody, fetches anything or hides where it leads."""
    prose: list[str] = []
    found: list[str] = []
    fence = ""
    for line in sound(markdown).split("\n"):
        before, fence = fence, fence_after(line, fence)
        if before or fence:
            found += [_open_links(prose)] if prose else []
            prose = []
            found.append(line)
        else:
            prose.append(line)
    found += [_open_links(prose)] if prose else []
    return "\n".join(_without_tokens(line) for line in "\n".join(found).split("\n"))


def fence_after(line: str, fence: str) -> str:
    """The marker of the code fence that is open after this line, given the one open before; empty for none.

    CommonMark 0.31, section 4.5."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    marker, rest = match["marker"], match["rest"]
    if fence:
        closes = marker[0] == fence[0] and len(marker) >= len(fence) and not rest.strip()
        return "" if closes else fence
    return "" if marker[0] == "`" and "`" in rest else marker


def _without_tokens(line: str) -> str:
    """Angle brackets escaped, save those that begin a quotation."""
    quote = _QUOTE.match(line)
    kept = quote[0] if quote else ""
    return kept + line[len(kept) :].replace("<", "&lt;").replace(">", "&gt;")


def _open_links(lines: list[str]) -> str:
    """The links of some lines of prose made plain; code spans are left as they are."""
    text = "\n".join(lines)
    found: list[str] = []
    end = 0
    for code in _CODE_SPAN.finditer(text):
        found += [_plain_links(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join(found) + _plain_links(text[end:])


def _plain_links(text: str) -> str:
    text = _AUTOLINK.sub(lambda match: match[1].removeprefix("mailto:"), text)
    text = _DEFINITION.sub(r"\1 :", text)
    return _LINK.sub(_plain_link, text)


def _plain_link(match: re.Match[str]) -> str:
    label = match["label"].strip() or ("image" if match["image"] else "link")
    target = match["target"].replace("|", "%7C")
    host = _host(target)
    if not host:
        address = target.removeprefix("mailto:")
        return label if label == address else f"{label} ({address})" if address else label
    if label in {target, host} or _host(label) == host:
        return f"[{label}]({target})"
    return f"[{label}]({target}) ({host})"


def _host(url: str) -> str:
    """The host of a web address as the network spells it; empty for anything else."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return host.encode("idna").decode() if parts.scheme in {"http", "https"} else ""
    except (ValueError, UnicodeError):
        return ""


# --- text from Slack ------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"<([^<>]*)>|&(lt|gt|amp);")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&"}


def more_calls(count: int) -> str:
    """So many calls of a plan besides."""
    return "1 more call" if count == 1 else f"{count} more calls"


def decoded(text: str, bot_user: str) -> str:
    """What a person wrote, from Slack's spelling of it: entities decoded once, tokens readable, our mention gone."""
    if bot_user:
        text = re.sub(rf"<@{re.escape(bot_user)}(?:\|[^<>]*)?>[ \t]*", "", text)
    return _TOKEN.sub(_readable, text).strip()


def mentions(text: str, bot_user: str) -> bool:
    """Whether Slack's text calls us by name."""
    return bool(bot_user) and (f"<@{bot_user}>" in text or f"<@{bot_user}|" in text)


def _readable(match: re.Match[str]) -> str:
    if match[2]:
        return _ENTITIES[match[2]]
    target, _, label = re.sub(r"&(lt|gt|amp);", lambda entity: _ENTITIES[entity[1]], match[1]).partition("|")
    match target[:1]:
        case "@" | "#":
            return target[0] + (label or target[1:])
        case "!":
            return label or "@" + target[1:].partition("^")[0]
        case _:
            return _readable_link(target, label)


def _readable_link(target: str, label: str) -> str:
    bare = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in {target, bare} or target in {f"http://{label}", f"https://{label}"}:
        return bare
    return f"{label} ({target})"
