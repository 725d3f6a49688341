"""chat.postMessage, postEphemeral, update, delete. https://docs.slack.dev/reference/methods"""

from sandbox.slack import events, limits
from sandbox.slack.directory import Channel
from sandbox.slack.messages import Message
from sandbox.slack.methods.ask import Ask, check_persona, content_of, metadata_of
from sandbox.slack.refused import Json, Refused


class Slower(Exception):
    """One message a second in each channel: the answer is 429 with Retry-After."""


def post_message(ask: Ask) -> Json:
    """Say something in a conversation; a status line of that thread goes away."""
    channel = ask.writable()
    content, root = content_of(ask), ask.root(channel)
    metadata, extra = metadata_of(ask), check_persona(ask)
    _pace(ask, channel)
    message = mine(ask, channel, root)
    message = ask.workspace.messages.change(
        message,
        text=content.text,
        blocks=content.blocks,
        attachments=content.attachments,
        metadata=metadata,
        extra=extra,
        subtype="thread_broadcast" if root and ask.get("reply_broadcast", False) else "",
    )
    if ask.get("unfurl_links", None) is not False and "http" in content.text:
        ask.workspace.warn("links_will_unfurl", method=ask.method, ts=message.ts)
    if root:
        ask.workspace.set_status(channel.id, root, None)
    show(ask, message, channel)
    return {"ok": True, "channel": channel.id, "ts": message.ts, "message": message.as_json()}


def show(ask: Ask, message: Message, channel: Channel) -> None:
    """Tell the page and, as Slack does, the bot itself."""
    ask.workspace.feed.tell("message", channel=channel.id, ts=message.ts)
    ask.workspace.echo(events.said(message, channel, None), channel)


def post_ephemeral(ask: Ask) -> Json:
    """Say something to one person only."""
    channel = ask.writable()
    reader = ask.workspace.directory.user(ask.get("user"))
    if reader.id not in channel.members:
        raise Refused("user_not_in_channel")
    content, root = content_of(ask), ask.root(channel)
    message = mine(ask, channel, root, seen_by=reader.id)
    ask.workspace.messages.change(message, text=content.text, blocks=content.blocks, extra=check_persona(ask))
    ask.workspace.feed.tell("message", channel=channel.id, ts=message.ts, user=reader.id)
    return {"ok": True, "message_ts": message.ts}


def update(ask: Ask) -> Json:
    """Change an own message. Text without blocks removes the blocks; blocks without text keep the text."""
    channel = ask.channel()
    before = _own(ask, channel, "cant_update_message")
    if before.stream is not None and not before.stream.ended:
        raise Refused("streaming_state_conflict")
    content = content_of(ask, text_most=limits.POST_TEXT_WHOLE)
    only_text = "blocks" not in ask.arguments
    message = ask.workspace.messages.change(
        before,
        text=content.text or before.text,
        blocks=content.blocks,
        attachments=content.attachments if "attachments" in ask.arguments else before.attachments,
        metadata=metadata_of(ask) if "metadata" in ask.arguments else before.metadata,
        edited=(ask.install.bot_user, ask.workspace.messages.next_ts()) if only_text else before.edited,
    )
    ask.workspace.feed.tell("message", channel=channel.id, ts=message.ts)
    ask.workspace.echo(events.changed(message, before, channel, ask.workspace.messages.next_ts()), channel)
    return {"ok": True, "channel": channel.id, "ts": message.ts, "text": message.text, "message": message.as_json()}


def delete(ask: Ask) -> Json:
    """Delete an own message."""
    channel = ask.channel()
    before = _own(ask, channel, "cant_delete_message")
    ask.workspace.messages.drop(before)
    ask.workspace.feed.tell("message", channel=channel.id, ts=before.ts)
    ask.workspace.echo(events.deleted(before, channel, ask.workspace.messages.next_ts()), channel)
    return {"ok": True, "channel": channel.id, "ts": before.ts}


def _own(ask: Ask, channel: Channel, error: str) -> Message:
    message = ask.message(channel)
    if message.bot_id != ask.install.bot_id:
        raise Refused(error)
    return message


def mine(ask: Ask, channel: Channel, root: str, seen_by: str = "") -> Message:
    """A new message by this bot, in a thread when `root` is given."""
    install = ask.install
    parent = ask.workspace.messages.get(channel.id, root) if root else None
    return Message(
        ts=ask.workspace.messages.next_ts(),
        channel=channel.id,
        user=install.bot_user,
        thread_ts=root,
        parent_user=parent.user if parent else "",
        team=install.team_id,
        bot_id=install.bot_id,
        app_id=ask.workspace.app.id,
        seen_by=seen_by,
    )


def _pace(ask: Ask, channel: Channel) -> None:
    now, before = ask.workspace.clock(), ask.workspace.posted.get(channel.id)
    if ask.workspace.app.rate_limited and before is not None and now - before < 1:
        raise Slower
    ask.workspace.posted[channel.id] = now
