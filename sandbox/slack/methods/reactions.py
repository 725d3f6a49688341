"""reactions.add and remove."""

import re

from sandbox.slack.messages import Message
from sandbox.slack.methods.ask import Ask
from sandbox.slack.refused import Json, Refused

_NAME = re.compile(r"^[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?$")


def add(ask: Ask) -> Json:
    """React as the bot."""
    message, mine = _target(ask)
    if mine in message.reactions:
        raise Refused("already_reacted")
    return _set(ask, message, (*message.reactions, mine))


def remove(ask: Ask) -> Json:
    """Take an own reaction back."""
    message, mine = _target(ask)
    if mine not in message.reactions:
        raise Refused("no_reaction")
    return _set(ask, message, tuple(one for one in message.reactions if one != mine))


def _target(ask: Ask) -> tuple[Message, tuple[str, str]]:
    channel = ask.channel()
    if not _NAME.match(ask.get("name")):
        raise Refused("invalid_name")
    return ask.message(channel, "timestamp"), (ask.get("name"), ask.install.bot_user)


def _set(ask: Ask, message: Message, reactions: tuple[tuple[str, str], ...]) -> Json:
    ask.workspace.messages.change(message, reactions=reactions)
    ask.workspace.feed.tell("message", channel=message.channel, ts=message.ts)
    return {"ok": True}
