"""chat.startStream, appendStream, stopStream: text that appears as it is written.

A stream lives 306 seconds however busy it is; the length limit is for each call, not for the whole.
"""

from dataclasses import replace

from sandbox.slack import events, limits
from sandbox.slack.blocks import check_chunks, check_message
from sandbox.slack.directory import Channel
from sandbox.slack.messages import Message, Stream
from sandbox.slack.methods import chat
from sandbox.slack.methods.ask import Ask, check_persona, metadata_of
from sandbox.slack.refused import Json, Refused
from sandbox.slack.stored import stored
from sandbox.slack.workspace import Session, Workspace

_STATUSES = ("processing", "active", "suspended", "closed")


def start(ask: Ask) -> Json:
    """Begin; puts the session into `processing`. In channels the reader must be named."""
    channel = ask.writable()
    root = ask.root(channel)
    if channel.kind != "im":
        for key in ("recipient_team_id", "recipient_user_id"):
            if not ask.get(key):
                raise Refused(f"missing_{key}")
    if ask.get("recipient_user_id"):
        ask.workspace.directory.user(ask.get("recipient_user_id"))
    extra = check_persona(ask)
    empty = chat.mine(ask, channel, root)
    message = replace(empty, stream=Stream(ask.workspace.clock()), extra=extra)
    message = ask.workspace.messages.put(_longer(ask, message))
    ask.workspace.set_status(channel.id, root, None)
    before = ask.workspace.sessions.get((channel.id, root), Session("processing"))
    ask.workspace.set_session(channel.id, root, replace(before, status="processing"))
    chat.show(ask, message, channel)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


def append(ask: Ask) -> Json:
    """Write on."""
    channel = ask.channel()
    message = _running(ask, channel)
    if not ask.get("markdown_text") and not ask.get("chunks", []):
        raise Refused("no_text")
    ask.workspace.messages.put(_longer(ask, message))
    ask.workspace.feed.tell("message", channel=channel.id, ts=message.ts)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


def stop(ask: Ask) -> Json:
    """End; the blocks given come last, and the session moves to `session_status` or `active`."""
    channel = ask.channel()
    before = _running(ask, channel)
    status = ask.get("session_status") or "active"
    if status not in _STATUSES:
        raise Refused("invalid_arguments", "[ERROR] unknown status [json-pointer:/session_status]")
    last = stored(check_message(ask.get("blocks", [])), ask.workspace.ids)
    longer = _longer(ask, before)
    message = replace(longer, blocks=longer.blocks + last, stream=Stream(ask.workspace.clock(), "stopped"))
    message = ask.workspace.messages.put(replace(message, metadata=metadata_of(ask) or before.metadata))
    session = ask.workspace.sessions.get((channel.id, message.thread_ts), Session(status))
    ask.workspace.set_session(channel.id, message.thread_ts, replace(session, status=status))
    ask.workspace.feed.tell("message", channel=channel.id, ts=message.ts)
    ask.workspace.echo(events.changed(message, before, channel, ask.workspace.messages.next_ts()), channel)
    return {"ok": True, "channel": channel.id, "ts": message.ts, "message": message.as_json()}


def end_by_user(workspace: Workspace, channel: str, root: str) -> None:
    """The stop button: no stream of that thread takes anything more."""
    for message in workspace.messages.thread(channel, root):
        if message.stream is not None and not message.stream.ended:
            workspace.messages.change(message, stream=replace(message.stream, ended="stopped_by_user"))


def _running(ask: Ask, channel: Channel) -> Message:
    message = ask.message(channel)
    if message.bot_id != ask.install.bot_id:
        raise Refused("message_not_owned_by_app")
    stream = message.stream
    if stream is not None and stream.ended == "stopped_by_user":
        raise Refused("stopped_by_user")
    expired = stream is not None and ask.workspace.clock() - stream.started > ask.workspace.app.stream_life
    if stream is None or stream.ended or expired:
        raise Refused("message_not_in_streaming_state")
    return message


def _longer(ask: Ask, message: Message) -> Message:
    """The message with what this call adds: markdown as text, blocks as blocks, tasks and plans by their id."""
    added = str(ask.get("markdown_text"))
    chunks = check_chunks(ask.get("chunks", []))
    if len(added) > limits.MARKDOWN_TOTAL:
        raise Refused("msg_too_long")
    text = message.text + added + "".join(chunk["text"] for chunk in chunks if chunk["type"] == "markdown_text")
    blocks = {block["block_id"]: block for block in message.blocks if block["type"] != "markdown"}
    for chunk in chunks:
        for block in _blocks_of(ask, chunk):
            known = blocks.get(block["block_id"], {})
            blocks[block["block_id"]] = {**known, **block}
    if len(blocks) > limits.MESSAGE_BLOCKS_MOST:
        raise Refused("msg_blocks_too_many")
    written = [{"type": "markdown", "text": text, "block_id": "stream"}] if text else []
    return replace(message, text=text, blocks=(*written, *blocks.values()))


def _blocks_of(ask: Ask, chunk: Json) -> list[Json]:
    match chunk["type"]:
        case "blocks":
            return list(stored(check_message(chunk["blocks"]), ask.workspace.ids))
        case "task_update":
            plain = {key: value for key, value in chunk.items() if key not in {"type", "id"}}
            return [{"type": "task_card", "block_id": f"task:{chunk['id']}", "task_id": chunk["id"], **plain}]
        case "plan_update":
            return [{"type": "plan", "block_id": "plan", "title": chunk["title"], "tasks": []}]
        case _:
            return []
