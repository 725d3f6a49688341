"""The Web API's methods: one module a family, one function a method, and the table that names them."""

from collections.abc import Callable
from typing import Final

from sandbox.slack.methods import agents, chat, conversations, files, reactions, streams, users, views
from sandbox.slack.methods.ask import Ask
from sandbox.slack.refused import Json

TABLE: Final[dict[str, Callable[[Ask], Json]]] = {
    "auth.test": users.auth_test,
    "chat.postMessage": chat.post_message,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.update": chat.update,
    "chat.delete": chat.delete,
    "chat.startStream": streams.start,
    "chat.appendStream": streams.append,
    "chat.stopStream": streams.stop,
    "conversations.open": conversations.open_,
    "conversations.info": conversations.describe,
    "conversations.replies": conversations.replies,
    "conversations.history": conversations.history,
    "conversations.members": conversations.members,
    "conversations.list": conversations.list_,
    "users.info": users.describe,
    "users.list": users.list_,
    "users.lookupByEmail": users.look_up_by_email,
    "users.conversations": conversations.list_,
    "usergroups.users.list": users.group_members,
    "views.open": views.open_,
    "views.push": views.push,
    "views.update": views.update,
    "views.publish": views.publish,
    "reactions.add": reactions.add,
    "reactions.remove": reactions.remove,
    "assistant.threads.setStatus": agents.set_status,
    "assistant.threads.setTitle": agents.set_title,
    "assistant.threads.setSuggestedPrompts": agents.set_prompts,
    "agents.sessions.setStatus": agents.set_session,
    "agents.sessions.rename": agents.rename,
    "files.getUploadURLExternal": files.upload_url,
    "files.completeUploadExternal": files.complete,
}
"""All but apps.connections.open, which belongs to the app and not to a team."""
