"""conversations.open, info, replies, history, members, list and users.conversations."""

from collections.abc import Sequence
from typing import TypeVar

from sandbox.slack.directory import CHANNEL_SCOPES, LISTED_AS, Channel
from sandbox.slack.messages import Message
from sandbox.slack.methods.ask import Ask
from sandbox.slack.refused import Json, Refused

_OPEN_MOST = 8
T = TypeVar("T")


def open_(ask: Ask) -> Json:
    """The direct conversation with one person; several make a group conversation."""
    if ask.get("channel"):
        return {"ok": True, "channel": {"id": ask.channel().id}}
    people = [user for user in str(ask.get("users")).split(",") if user]
    if not people:
        raise Refused("users_list_not_supplied")
    if len(people) > _OPEN_MOST:
        raise Refused("too_many_users")
    for user_id in people:
        if ask.workspace.directory.user(user_id).deleted:
            raise Refused("user_disabled")
    ask.need("im:write" if len(people) == 1 else "mpim:write")
    channel = ask.workspace.open_im(people[0], ask.install) if len(people) == 1 else _group(ask, people)
    full = channel.as_json() if ask.get("return_im", False) else {"id": channel.id}
    return {"ok": True, "channel": full}


def _group(ask: Ask, people: Sequence[str]) -> Channel:
    everybody = frozenset(people) | {ask.install.bot_user}
    channels = ask.workspace.directory.channels
    for channel in channels.values():
        if channel.kind == "mpim" and channel.members == everybody:
            return channel
    made = Channel(ask.workspace.ids("G").upper(), "mpdm", ask.install.team_id, "mpim", everybody)
    channels[made.id] = made
    return made


def describe(ask: Ask) -> Json:
    """conversations.info"""
    channel = ask.channel()
    ask.need_for(channel, "read")
    body = channel.as_json() | {"is_member": ask.install.bot_user in channel.members}
    if ask.get("include_num_members", False):
        body["num_members"] = len(channel.members)
    return {"ok": True, "channel": body}


def replies(ask: Ask) -> Json:
    """The root and its replies, oldest first. A reply's own ts gives just that reply, as at Slack."""
    channel = _readable(ask)
    message = ask.message(channel, error="thread_not_found")
    thread = [message] if message.is_reply else ask.workspace.messages.thread(channel.id, message.ts)
    return _messages(ask, _between(ask, thread), default=1000)


def history(ask: Ask) -> Json:
    """What stands in the conversation itself, newest first, without the replies in threads."""
    channel = _readable(ask)
    top = [
        m for m in ask.workspace.messages.in_channel(channel.id) if not m.is_reply or m.subtype == "thread_broadcast"
    ]
    return _messages(ask, _between(ask, top[::-1]), default=100)


def members(ask: Ask) -> Json:
    """conversations.members"""
    channel = ask.channel()
    ask.need_for(channel, "read")
    page, cursor = paged(ask, sorted(channel.members))
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


def list_(ask: Ask) -> Json:
    """conversations.list and, of one member, users.conversations."""
    kinds = []
    for name in str(ask.get("types") or "public_channel").split(","):
        if name not in LISTED_AS:
            raise Refused("invalid_types")
        kinds.append(LISTED_AS[name])
        ask.need(f"{CHANNEL_SCOPES[LISTED_AS[name]]}:read")
    directory = ask.workspace.directory
    member = str(ask.get("user") or ask.install.bot_user) if ask.method == "users.conversations" else ""
    found = [
        channel
        for channel in directory.channels.values()
        if channel.kind in kinds
        and directory.visible(channel, ask.install)
        and (not member or member in channel.members)
        and not (channel.is_archived and ask.get("exclude_archived", False))
    ]
    page, cursor = paged(ask, [channel.as_json() for channel in found])
    return {"ok": True, "channels": page, "response_metadata": {"next_cursor": cursor}}


def paged(ask: Ask, items: Sequence[T], default: int = 100) -> tuple[list[T], str]:
    """One page and the cursor of the next."""
    start = str(ask.get("cursor") or "0").removeprefix("next:")
    if not start.isdigit():
        raise Refused("invalid_cursor")
    end = int(start) + (ask.get("limit", 0) or default)
    return list(items[int(start) : end]), f"next:{end}" if end < len(items) else ""


def _readable(ask: Ask) -> Channel:
    channel = ask.channel()
    ask.need_for(channel, "history")
    if ask.install.bot_user not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _between(ask: Ask, messages: list[Message]) -> list[Message]:
    """Those after `oldest` and before `latest`; the bounds themselves only when asked for."""
    oldest, latest = str(ask.get("oldest") or "0"), str(ask.get("latest") or "9" * 10)
    for name, bound in (("oldest", oldest), ("latest", latest)):
        if not bound.replace(".", "", 1).isdigit():
            raise Refused(f"invalid_ts_{name}")
    exact = ask.get("inclusive", False)
    bounds = {oldest, latest}
    return [m for m in messages if float(oldest) <= float(m.ts) <= float(latest) and (exact or m.ts not in bounds)]


def _messages(ask: Ask, messages: list[Message], *, default: int) -> Json:
    page, cursor = paged(ask, messages, default=default)
    with_metadata = ask.get("include_all_metadata", False)
    bodies = [m.as_json() | ({"metadata": m.metadata} if with_metadata and m.metadata else {}) for m in page]
    for body in bodies:
        if body.get("thread_ts", body["ts"]) != body["ts"]:
            continue
        said = ask.workspace.messages.thread(messages[0].channel, body["ts"])[1:]
        if said:
            body |= {"reply_count": len(said), "latest_reply": said[-1].ts, "thread_ts": body["ts"]}
    return {
        "ok": True,
        "messages": bodies,
        "has_more": bool(cursor),
        "response_metadata": {"next_cursor": cursor},
    }
