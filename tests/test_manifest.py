"""manifest.yml against Slack's schema, and against what the schema cannot see: scopes, views, listeners, methods.

The rules of our own come from Slack's reference pages for each event and method, and from what a wrong manifest does:
without interactivity's URL buttons do nothing, without a writable Messages tab nobody can write to the app.
"""

import importlib.util
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.fixtures import ROOT, fixture_dir

MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
FEATURES, SETTINGS = MANIFEST["features"], MANIFEST["settings"]
BOT_EVENTS: list[str] = SETTINGS["event_subscriptions"]["bot_events"]
SCOPES: dict[str, list[str]] = MANIFEST["oauth_config"]["scopes"]
ALL_SCOPES = {*SCOPES["bot"], *SCOPES.get("bot_optional", [])}

EVENT_SCOPE = {
    "agent_session_stopped": "assistant:write",
    "app_context_changed": "assistant:write",
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "app_uninstalled": None,
    "member_joined_channel": "channels:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "tokens_revoked": None,
}
METHOD_SCOPE = {
    "agents_threads_setTitle": "assistant:write",
    "agents_sessions_setStatus": "chat:write",
    "api_test": None,
    "assistant_threads_setStatus": "assistant:write",
    "assistant_threads_setSuggestedPrompts": "assistant:write",
    "assistant_threads_setTitle": "assistant:write",
    "auth_revoke": None,
    "auth_test": None,
    "bots_info": "users:read",
    "chat_appendStream": "chat:write",
    "chat_delete": "chat:write",
    "chat_getPermalink": None,
    "chat_postEphemeral": "chat:write",
    "chat_postMessage": "chat:write",
    "chat_startStream": "chat:write",
    "chat_stopStream": "chat:write",
    "chat_update": "chat:write",
    "conversations_history": "channels:history",
    "conversations_info": "channels:read",
    "conversations_members": "channels:read",
    "conversations_open": "im:write",
    "conversations_replies": "channels:history",
    "files_info": "files:read",
    "oauth_v2_access": None,
    "reactions_add": "reactions:write",
    "reactions_remove": "reactions:write",
    "usergroups_users_list": "usergroups:read",
    "users_info": "users:read",
    "users_lookupByEmail": "users:read.email",
    "views_open": None,
    "views_publish": None,
    "views_push": None,
    "views_update": None,
}
FAMILIES = {method.split("_", 1)[0] for method in METHOD_SCOPE} | {"files", "pins", "team", "usergroups", "dnd"}
CALL = re.compile(rf"client\.((?:{'|'.join(sorted(FAMILIES))})_\w+)\(")


def listeners() -> tuple[str, ...]:
    """The types of event that Bolt listeners are registered for; skips while there are no listeners."""
    if importlib.util.find_spec("bot.slack.listeners") is None:
        pytest.skip("bot.slack.listeners is not written yet")
    events: tuple[str, ...] = import_module("bot.slack.listeners").EVENTS
    return events


def methods_called(folder: Path) -> set[str]:
    """The Web API methods that the code in `folder` calls on a client, as the client spells them."""
    return {name for path in folder.rglob("*.py") for name in CALL.findall(path.read_text())}


def test_the_manifest_is_valid_under_slacks_schema() -> None:
    schema = json.loads((fixture_dir("slack/manifest-schema") / "manifest.schema.2.0.0.json").read_text())

    errors = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(MANIFEST)]

    assert errors == []


def test_the_schema_is_one_that_refuses() -> None:
    schema = json.loads((fixture_dir("slack/manifest-schema") / "manifest.schema.2.0.0.json").read_text())
    wrong = {**MANIFEST, "display_information": {"name": "x" * 36}, "surprise": True}

    assert len(list(jsonschema.Draft7Validator(schema).iter_errors(wrong))) == 2


def test_it_names_the_schema_version_that_agent_view_needs() -> None:
    assert MANIFEST["_metadata"] == {"major_version": 2}


def test_it_has_the_agent_view_and_not_the_older_assistant_view() -> None:
    assert "agent_view" in FEATURES
    assert "assistant_view" not in FEATURES


def test_people_can_write_in_the_messages_tab() -> None:
    assert FEATURES["app_home"]["messages_tab_enabled"] is True
    assert FEATURES["app_home"]["messages_tab_read_only_enabled"] is False


def test_the_colour_is_one() -> None:
    assert re.fullmatch(r"#[0-9a-fA-F]{6}", MANIFEST["display_information"]["background_color"])


def test_http_mode_names_the_same_address_for_events_and_buttons() -> None:
    url = SETTINGS["event_subscriptions"]["request_url"]

    assert SETTINGS["socket_mode_enabled"] is False
    assert SETTINGS["interactivity"] == {"is_enabled": True, "request_url": url}
    assert url == "https://twokey.example.com/slack/events"


def test_tokens_are_not_rotated_since_that_cannot_be_undone() -> None:
    assert SETTINGS["token_rotation_enabled"] is False


@pytest.mark.parametrize("event", BOT_EVENTS)
def test_each_event_has_the_scope_without_which_slack_does_not_send_it(event: str) -> None:
    assert event in EVENT_SCOPE, f"{event} is not an event that this test knows: add it with its scope"
    assert EVENT_SCOPE[event] in {*SCOPES["bot"], None}


def test_no_list_of_the_manifest_names_anything_twice() -> None:
    for names in (BOT_EVENTS, SCOPES["bot"], SCOPES["bot"] + SCOPES["bot_optional"]):
        assert len(names) == len(set(names))


def test_each_event_has_a_listener_and_each_listener_its_event() -> None:
    subscribed = {event.split(".")[0] for event in BOT_EVENTS}  # message.im and its kin all arrive as `message`

    assert {event.split(".")[0] for event in listeners()} == subscribed


def test_each_web_api_method_we_call_has_its_scope() -> None:
    called = methods_called(ROOT / "bot")

    unknown = called - METHOD_SCOPE.keys()
    assert not unknown, f"not known to this test: add each with its scope: {sorted(unknown)}"
    missing = {name: scope for name in called if (scope := METHOD_SCOPE[name]) not in {*ALL_SCOPES, None}}
    assert missing == {}
