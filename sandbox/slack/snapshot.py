"""The workspace as one JSON-able value, for a page to draw. Pure: reads, and says what it reads.

    {"team": {id, name}, "app": {id, name, bot_user}, "users": [user…], "channels": [{…channel, "members": [id…],
     "messages": [message + "replies": [message…] + "status" + "session"]}], "ephemerals": [message + "seen_by"],
     "modals": {user: [view…]}, "homes": {user: view}, "prompts": [{channel, thread_ts, prompts}], "warnings": […]}

A message is Slack's message object plus `channel`, and `streaming` while it is being written. `status` is the line
"is thinking" of the thread, `session` the state of its agent session.
"""

from sandbox.slack.directory import Channel
from sandbox.slack.messages import Message
from sandbox.slack.refused import Json
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace


def snapshot(workspace: Workspace) -> Json:
    """Everything a page shows."""
    directory = workspace.directory
    install = next(iter(directory.installations.values()))
    people = {user: workspace.views.open_of(user) for user in directory.users}
    homes = {user: workspace.views.home_of(user) for user in directory.users}
    team = directory.teams[install.team_id]
    return {
        "team": {"id": team.id, "name": team.name},
        "app": {"id": workspace.app.id, "name": workspace.app.name, "bot_user": install.bot_user},
        "users": [user.as_json(home_team=team.id, with_email=True) for user in directory.users.values()],
        "channels": [_channel(workspace, channel) for channel in directory.channels.values()],
        "ephemerals": [shown(message) | {"seen_by": message.seen_by} for message in workspace.messages.ephemeral()],
        "modals": {user: [_view(workspace, view) for view in stack] for user, stack in people.items() if stack},
        "homes": {user: _view(workspace, view) for user, view in homes.items() if view},
        "prompts": [
            {"channel": channel, "thread_ts": root, "prompts": prompts}
            for (channel, root), prompts in workspace.prompts.items()
        ],
        "warnings": list(workspace.warnings),
    }


def shown(message: Message) -> Json:
    """One message."""
    streaming = message.stream is not None and not message.stream.ended
    return message.as_json() | {"channel": message.channel} | ({"streaming": True} if streaming else {})


def _channel(workspace: Workspace, channel: Channel) -> Json:
    everything = list(workspace.messages.in_channel(channel.id))
    replies: dict[str, list[Json]] = {}
    for message in everything:
        if message.is_reply:
            replies.setdefault(message.thread_ts, []).append(shown(message))
    top = [message for message in everything if not message.is_reply or message.subtype == "thread_broadcast"]
    messages = [shown(m) | {"replies": replies.get(m.ts, [])} | _state(workspace, channel.id, m.ts) for m in top]
    body = channel.as_json() | {"members": sorted(channel.members), "messages": messages}
    return body | _state(workspace, channel.id, "")


def _state(workspace: Workspace, channel: str, root: str) -> Json:
    status, session = workspace.status(channel, root), workspace.sessions.get((channel, root))
    return {
        "status": status.text if status else "",
        "loading_messages": list(status.loading_messages) if status else [],
        "session": session.status if session else "",
        "session_title": session.title if session else "",
        "session_initiator": session.initiator if session else "",
    }


def _view(workspace: Workspace, view: View) -> Json:
    bot_id = workspace.directory.installations[view.team_id].bot_id
    return view.as_json(workspace.app.id, bot_id) | {"errors": view.errors}
