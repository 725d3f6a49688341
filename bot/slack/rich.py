"""The bricks of Slack's blocks that show text exactly as it is: plain text objects and rich text. Pure.

Neither is parsed for mentions, links or formatting (docs.slack.dev/reference/block-kit/blocks/rich-text-block), so a
text from outside needs no escaping in them and can gain no style that is not given to it here.
"""

from datetime import datetime

from pydantic import JsonValue

from agent.conversation import JsonObject
from bot.slack.text import moment, sound


def plain(text: str) -> JsonObject:
    """A plain text object. Colons stay colons: no `:emoji:` from outside."""
    return {"type": "plain_text", "text": sound(text) or " ", "emoji": False}


def header(text: str) -> JsonObject:
    """A heading."""
    return {"type": "header", "text": plain(text)}


def context(*elements: JsonObject) -> JsonObject:
    """A line of small print."""
    return {"type": "context", "elements": list(elements)}


def expires(at: datetime) -> JsonObject:
    """Until when it can be decided, for small print: everybody reads it in their own time zone."""
    return {"type": "mrkdwn", "text": f"Expires {moment(at)}"}


def option(label: str, value: str) -> JsonObject:
    """One of those that can be chosen."""
    return {"text": plain(label), "value": value}


def rich(*elements: JsonObject) -> JsonObject:
    """A rich text block."""
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: JsonObject) -> JsonObject:
    """One paragraph."""
    return {"type": "rich_text_section", "elements": list(elements)}


def preformatted(text: str) -> JsonObject:
    """A box of text as it is, line breaks and all."""
    return {"type": "rich_text_preformatted", "elements": [words(text)]}


def words(text: str) -> JsonObject:
    """Words of no style."""
    return {"type": "text", "text": sound(text) or " "}


def bold(text: str) -> JsonObject:
    """The card's own labels."""
    return words(text) | {"style": {"bold": True}}


def italic(text: str) -> JsonObject:
    """The card's own remarks."""
    return words(text) | {"style": {"italic": True}}


def code(text: str, *, strike: bool = False) -> JsonObject:
    """A value, as it is."""
    style: JsonObject = {"code": True, "strike": True} if strike else {"code": True}
    return words(text) | {"style": style}


def date(at: datetime) -> JsonObject:
    """A moment: everybody reads it in their own time zone."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{date_short_pretty} at {time}",
        "fallback": f"{at:%Y-%m-%d %H:%M} UTC",
    }


def size_of(blocks: JsonValue | list[JsonObject]) -> int:
    """Characters of text that stand anywhere in these blocks, as Slack counts them for the whole of a message."""
    if isinstance(blocks, list):
        return sum(size_of(each) for each in blocks)
    if not isinstance(blocks, dict):
        return 0
    own = blocks.get("text")
    return (len(own) if isinstance(own, str) else 0) + sum(map(size_of, blocks.values()))


def link(url: str, text: str) -> JsonObject:
    """A link of our own; never to an address from outside."""
    return {"type": "link", "url": url, "text": text}
