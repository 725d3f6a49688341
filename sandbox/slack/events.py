"""What Slack writes into the events and interactions it sends: pure builders of payloads. No I/O, no clock, no ids.

Shapes follow recorded payloads and Slack's own types (@slack/types), trimmed of what no bot reads.
"""

import re

from sandbox.slack.directory import Channel, Installation, Team, User
from sandbox.slack.messages import Message
from sandbox.slack.refused import Json

SUBSCRIBED_AS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


def envelope(event: Json, install: Installation, app_id: str, *, event_id: str, at: int, shared: bool = False) -> Json:
    """The outer body of an event."""
    return {
        "token": "verification-token-not-used",
        "team_id": install.team_id,
        "context_team_id": install.team_id,
        "context_enterprise_id": None,
        "api_app_id": app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": at,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": install.team_id,
                "user_id": install.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{event_id}",
    }


def subscription_of(event: Json) -> str:
    """The name under which an app subscribes to this event."""
    kind = str(event["type"])
    return SUBSCRIBED_AS[event["channel_type"]] if kind == "message" else kind


def said(message: Message, channel: Channel, author: User | None) -> Json:
    """`message`: somebody, or a bot, said something."""
    event = message.as_json() | {
        "channel": channel.id,
        "channel_type": channel.kind,
        "event_ts": message.ts,
    }
    if author is not None and author.team_id != channel.team_id:
        event |= {"user_team": author.team_id, "source_team": author.team_id}
    return event


def mentioned(message: Message, channel: Channel, author: User) -> Json:
    """`app_mention`: the same message, told as a mention; it has no channel type."""
    event = said(message, channel, author)
    del event["channel_type"]
    return event | {"type": "app_mention"}


def changed(now: Message, before: Message, channel: Channel, event_ts: str) -> Json:
    """`message_changed`: an edit by hand, by the bot, or by Slack itself (a link preview)."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": now.as_json(),
        "previous_message": before.as_json(),
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def deleted(before: Message, channel: Channel, event_ts: str) -> Json:
    """`message_deleted`."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "previous_message": before.as_json(),
        "deleted_ts": before.ts,
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def home_opened(user: str, channel: str, tab: str, event_ts: str) -> Json:
    """`app_home_opened`: the person opened the app's Home or Messages tab."""
    return {"type": "app_home_opened", "user": user, "channel": channel, "tab": tab, "event_ts": event_ts}


def session_stopped(user: str, channel: str, thread_ts: str, event_ts: str) -> Json:
    """`agent_session_stopped`: the person pressed the stop button."""
    return {
        "type": "agent_session_stopped",
        "user": user,
        "channel": channel,
        "thread_ts": thread_ts,
        "event_ts": event_ts,
    }


def rich_text(text: str) -> Json:
    """The rich text block that Slack's client adds to what a person types."""
    parts: list[Json] = []
    for number, piece in enumerate(_MENTION.split(text)):
        if number % 2:
            parts.append({"type": "user", "user_id": piece})
        elif piece:
            parts.append({"type": "text", "text": piece})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}


def actor(user: User, team: Team) -> Json:
    """The `user` and `team` of an interaction; `team` is where the app is installed."""
    return {
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "token": "verification-token-not-used",
    }


def container(message: Message) -> Json:
    """Where a click on a message happened."""
    body: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.seen_by),
    }
    return body | ({"thread_ts": message.thread_ts} if message.thread_ts else {})
