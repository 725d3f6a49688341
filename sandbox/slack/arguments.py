"""The table of Web API methods, their arguments and scopes, and how a request becomes arguments. No I/O.

An argument marked `!` is needed. Slack itself ignores many unknown arguments; the stand-in refuses them, so that a
typing error in the bot is seen here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.slack.refused import Json, Refused
from sandbox.slack.schema import names


@dataclass(frozen=True, slots=True)
class Method:
    """One method: which arguments it takes, which it needs, and any one of which scopes."""

    arguments: frozenset[str]
    needed: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    app_token: bool = False


def _method(arguments: str, scopes: str = "") -> Method:
    words = arguments.split()
    needed = tuple(word[:-1] for word in words if word.endswith("!"))
    return Method(frozenset(word.rstrip("!") for word in words), needed, tuple(scopes.split()))


_SAY = "text blocks attachments markdown_text icon_emoji icon_url username parse link_names as_user"
_LIST = "cursor limit"
_PAGE = f"channel! {_LIST} inclusive include_all_metadata latest oldest"
_AS = "icon_emoji icon_url username"

METHODS: Final[dict[str, Method]] = {
    "auth.test": _method(""),
    "chat.postMessage": _method(
        f"channel! {_SAY} thread_ts reply_broadcast unfurl_links unfurl_media container_id mrkdwn metadata",
        "chat:write",
    ),
    "chat.postEphemeral": _method(f"channel! user! {_SAY} thread_ts", "chat:write"),
    "chat.update": _method(
        "channel! ts! text blocks attachments markdown_text as_user file_ids link_names parse reply_broadcast metadata",
        "chat:write",
    ),
    "chat.delete": _method("channel! ts! as_user", "chat:write"),
    "chat.startStream": _method(
        "channel! thread_ts! markdown_text recipient_team_id recipient_user_id chunks task_display_mode icon_emoji"
        " icon_url username",
        "chat:write",
    ),
    "chat.appendStream": _method("channel! ts! markdown_text chunks", "chat:write"),
    "chat.stopStream": _method("channel! ts! markdown_text blocks metadata chunks session_status", "chat:write"),
    "conversations.open": _method("channel users return_im prevent_creation", "im:write mpim:write"),
    "conversations.info": _method("channel! include_locale include_num_members"),
    "conversations.replies": _method(f"{_PAGE} ts!"),
    "conversations.history": _method(_PAGE),
    "conversations.members": _method(f"channel! {_LIST}"),
    "conversations.list": _method(f"{_LIST} types exclude_archived"),
    "users.info": _method("user! include_locale", "users:read"),
    "users.list": _method(f"{_LIST} include_locale", "users:read"),
    "users.lookupByEmail": _method("email!", "users:read.email"),
    "users.conversations": _method(f"{_LIST} types exclude_archived user"),
    "views.open": _method("trigger_id! view! interactivity_pointer"),
    "views.push": _method("trigger_id! view! interactivity_pointer"),
    "views.update": _method("view! view_id external_id hash"),
    "views.publish": _method("user_id! view! hash"),
    "reactions.add": _method("channel! name! timestamp!", "reactions:write"),
    "reactions.remove": _method("channel! name! timestamp! file file_comment", "reactions:write"),
    "assistant.threads.setStatus": _method(
        f"channel_id! thread_ts! {_AS} status loading_messages", "chat:write assistant:write"
    ),
    "assistant.threads.setTitle": _method("channel_id! thread_ts! title!", "assistant:write"),
    "assistant.threads.setSuggestedPrompts": _method("channel_id! thread_ts title prompts!", "assistant:write"),
    "agents.sessions.setStatus": _method(
        f"channel_id! thread_ts {_AS} status! title initiator_user_id", "chat:write assistant:write"
    ),
    "agents.sessions.rename": _method("channel_id! thread_ts title!", "chat:write assistant:write"),
    "apps.connections.open": Method(frozenset(), (), ("connections:write",), app_token=True),
    "files.getUploadURLExternal": _method("filename! length! alt_txt snippet_type", "files:write"),
    "files.completeUploadExternal": _method(
        "files! channel_id channels initial_comment thread_ts blocks", "files:write"
    ),
    "usergroups.users.list": _method("usergroup! include_disabled", "usergroups:read"),
}

ANY_METHOD: Final = frozenset({"token", "team_id"})
"""Slack takes these everywhere."""

_JSON: Final = names("blocks attachments metadata view chunks prompts files loading_messages")
_WHOLE: Final = names("limit length")
_TRUTH: Final = names(
    "as_user unfurl_links unfurl_media reply_broadcast mrkdwn link_names return_im prevent_creation include_locale"
    " include_num_members inclusive include_all_metadata exclude_archived include_disabled"
)
_TRUTHS: Final = {"1": True, "true": True, "0": False, "false": False}
_FORMAT_ERRORS: Final = {
    "blocks": "invalid_blocks_format",
    "metadata": "invalid_metadata_format",
    "attachments": "invalid_attachments",
    "chunks": "invalid_chunks",
}


def arguments_of(name: str, given: Mapping[str, object]) -> Json:
    """The arguments of a call, each in its type; raises Refused with one message for each that is wrong."""
    method = METHODS[name]
    wrong = [_wrong(f"unknown argument: {key}", key) for key in sorted(given.keys() - method.arguments - ANY_METHOD)]
    wrong += [_wrong(f"missing required field: {key}", key) for key in method.needed if given.get(key) in (None, "")]
    arguments: Json = {}
    for key in given.keys() & method.arguments:
        try:
            arguments[key] = _read(key, given[key])
        except ValueError as error:
            if key in _FORMAT_ERRORS:
                raise Refused(_FORMAT_ERRORS[key]) from error
            wrong.append(_wrong(str(error), key))
    if wrong:
        raise Refused("invalid_arguments", *wrong)
    return arguments


def _wrong(words: str, key: str) -> str:
    return f"[ERROR] {words} [json-pointer:/{key}]"


def _read(key: str, value: object) -> object:
    if key in _JSON:
        return _json(value)
    if key in _WHOLE:
        return _whole(value)
    if key in _TRUTH:
        return _truth(value)
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - one error for any bad argument
    return value


def _json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError("must be JSON") from error


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdigit():
        raise ValueError("must be an integer")
    return int(value)


def _truth(value: object) -> bool:
    read = value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())
    if read is None:
        raise ValueError("must be a boolean")
    return read
