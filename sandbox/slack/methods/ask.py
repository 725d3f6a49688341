"""What every method is given: the workspace, whose token asks, the arguments; and the checks most of them share."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.slack import limits
from sandbox.slack.blocks import check_message, text_length
from sandbox.slack.directory import CHANNEL_SCOPES, Channel, Installation
from sandbox.slack.messages import Message
from sandbox.slack.refused import Json, Refused
from sandbox.slack.stored import stored
from sandbox.slack.workspace import Workspace

_MASS_MENTION = re.compile(r"<!(here|channel|everyone|subteam)")


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of one method by one token."""

    method: str
    arguments: Json
    install: Installation
    workspace: Workspace

    def get(self, key: str, default: Any = "") -> Any:  # noqa: ANN401 - JSON
        """An argument."""
        return self.arguments.get(key, default)

    def channel(self, key: str = "channel") -> Channel:
        """The conversation named; raises Refused(channel_not_found)."""
        return self.workspace.directory.channel(self.get(key), self.install)

    def writable(self, key: str = "channel") -> Channel:
        """The conversation named, when the bot may write there; a user id means the direct conversation."""
        directory = self.workspace.directory
        if self.get(key) in directory.users:
            return self.workspace.open_im(self.get(key), self.install)
        channel = self.channel(key)
        if channel.is_archived:
            raise Refused("is_archived")
        if self.install.bot_user not in channel.members and "chat:write.public" not in self.install.scopes:
            raise Refused("not_in_channel")
        return channel

    def need(self, *scopes: str) -> None:
        """At least one of these scopes; raises Refused(missing_scope)."""
        if not self.install.scopes & set(scopes):
            raise Refused("missing_scope", needed=scopes[0], provided=",".join(sorted(self.install.scopes)))

    def need_for(self, channel: Channel, right: str) -> None:
        """The scope of this kind of conversation, e.g. `channels:history`."""
        self.need(f"{CHANNEL_SCOPES[channel.kind]}:{right}")

    def root(self, channel: Channel, error: str = "thread_not_found") -> str:
        """`thread_ts`, checked to be a message there, or empty."""
        thread_ts = str(self.get("thread_ts"))
        if thread_ts and self.workspace.messages.get(channel.id, thread_ts) is None:
            raise Refused(error)
        return thread_ts

    def message(self, channel: Channel, key: str = "ts", error: str = "message_not_found") -> Message:
        """The message named; raises Refused."""
        message = self.workspace.messages.get(channel.id, str(self.get(key)))
        if message is None or message.seen_by:
            raise Refused(error)
        return message


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shall say."""

    text: str
    blocks: tuple[Json, ...]
    attachments: tuple[Json, ...] = ()


def content_of(ask: Ask, *, text_most: int = limits.POST_TEXT_MOST) -> Content:
    """The content of a message out of text, blocks or markdown_text; raises Refused."""
    markdown = ask.get("markdown_text", None)
    if markdown is not None:
        return _markdown(ask, markdown)
    text, blocks = str(ask.get("text")), check_message(ask.get("blocks", []))
    attachments = ask.get("attachments", [])
    if not isinstance(attachments, list):
        raise Refused("invalid_attachments")
    if not text and not blocks and not attachments:
        raise Refused("no_text")
    if len(text) > text_most:
        if text_most < limits.POST_TEXT_MOST:
            raise Refused("msg_too_long")
        ask.workspace.warn("message_truncated", method=ask.method, length=len(text))
        text = text[:text_most]
    _notice(ask, text, blocks)
    return Content(text, stored(blocks, ask.workspace.ids), tuple(attachments))


def _markdown(ask: Ask, markdown: str) -> Content:
    if ask.get("text", None) is not None or ask.get("blocks", None) is not None:
        raise Refused("markdown_text_conflict")
    if not markdown:
        raise Refused("no_text")
    if len(markdown) > limits.MARKDOWN_TOTAL:
        raise Refused("msg_too_long")
    _notice(ask, markdown, [])
    return Content(markdown, stored([{"type": "markdown", "text": markdown}], ask.workspace.ids))


def _notice(ask: Ask, text: str, blocks: list[Json]) -> None:
    if any(map(_MASS_MENTION.search, (text, *_parsed(blocks)))):
        ask.workspace.warn("mass_mention", method=ask.method)
    if blocks and not text:
        ask.workspace.warn("missing_text_in_message", method=ask.method, length=text_length(blocks))
    if not blocks and "text" in ask.arguments and len(text) > limits.POST_TEXT_WHOLE:
        ask.workspace.warn("text_will_be_split", method=ask.method, length=len(text))


def metadata_of(ask: Ask) -> Json | None:
    """The metadata given, checked; None when none was given."""
    metadata = ask.get("metadata", None)
    if metadata in (None, {}):
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refused("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if len(str(metadata)) > limits.METADATA_MOST:
        raise Refused("metadata_too_large")
    return metadata


def check_persona(ask: Ask) -> tuple[tuple[str, Any], ...]:
    """A name or icon of its own for one message needs a scope of its own; gives what to add to the message."""
    persona = {key: ask.get(key) for key in ("username", "icon_emoji", "icon_url") if ask.get(key)}
    if persona:
        ask.need("chat:write.customize")
    return tuple(persona.items())


def _parsed(value: object) -> Iterator[str]:
    """The texts in which Slack looks for mentions: not those of plain text objects and of rich text."""
    if isinstance(value, list):
        for item in value:
            yield from _parsed(item)
    elif isinstance(value, dict):
        if value.get("type") in {"mrkdwn", "markdown"}:
            yield str(value.get("text"))
        for item in value.values():
            yield from _parsed(item)
