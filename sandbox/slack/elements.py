"""The tables of block elements and of the untyped objects inside them: keys, types, limits. Data only.

From Slack's Block Kit reference (docs.slack.dev/reference/block-kit) and the limits in slack_sdk's own models. A key
that is not listed is refused: Slack answers `invalid_blocks` for additional properties.
"""

from typing import Final

from sandbox.slack.schema import (
    EITHER,
    Fields,
    Flag,
    Free,
    Many,
    Record,
    String,
    Text,
    Typed,
    Whole,
    choice,
    names,
    plain,
)

ACTION_ID: Final = String(255)
CONFIRM: Final = Record("confirm")
STYLE: Final = choice("primary danger")
OPTION: Final = Record("option")
OPTIONS: Final = Many(OPTION, most=100)
FEW_OPTIONS: Final = Many(OPTION, most=10, needed=True)
VISIBLE: Final = Many(String(64), most=100)

_INTERACTIVE: Final[Fields] = {"action_id": ACTION_ID, "confirm": CONFIRM}
_FIELD: Final[Fields] = {**_INTERACTIVE, "placeholder": plain(150), "focus_on_load": Flag()}
_TYPED_IN: Final[Fields] = {**_FIELD, "dispatch_action_config": Record("dispatch_action_config")}
_SELECT: Final[Fields] = {**_FIELD, "initial_option": OPTION}
_MULTI: Final[Fields] = {**_FIELD, "max_selected_items": Whole()}
_STATIC: Final[Fields] = {"options": OPTIONS, "option_groups": Many(Record("option_group"), most=100)}
_IDS: Final = Many(String(64), most=100, least=0)
_FILTER: Final[Fields] = {"default_to_current_conversation": Flag(), "filter": Free()}
_IMAGE: Final[Fields] = {
    "alt_text": String(2000, needed=True),
    "image_url": String(3000),
    "slack_file": Record("slack_file"),
}
_RICH_STYLE: Final[Fields] = {"style": Free()}

RICH_PARTS: Final = names("text link user usergroup channel emoji broadcast color date team")
RICH: Final = names("rich_text_section rich_text_list rich_text_preformatted rich_text_quote")
SELECTS: Final = names("static_select external_select users_select conversations_select channels_select")
MULTI_SELECTS: Final = frozenset(f"multi_{name}" for name in SELECTS)
PICKERS: Final = names("datepicker timepicker datetimepicker checkboxes radio_buttons")
INPUTS: Final = (
    SELECTS
    | MULTI_SELECTS
    | PICKERS
    | names("plain_text_input rich_text_input email_text_input url_text_input number_input file_input")
)
ACTIONS: Final = SELECTS | MULTI_SELECTS | PICKERS | names("button overflow workflow_button rich_text_input")
ACCESSORIES: Final = SELECTS | MULTI_SELECTS | PICKERS | names("button overflow image workflow_button")
CONTEXT_ACTIONS: Final = names("feedback_buttons icon_button")

ELEMENTS: Final[dict[str, Fields]] = {
    "button": {
        **_INTERACTIVE,
        "text": plain(75, needed=True),
        "value": String(2000),
        "url": String(3000),
        "style": STYLE,
        "accessibility_label": String(75),
        "visible_to_user_ids": VISIBLE,
        "agent_prompt": String(4000),
        "agent_prompt_display": String(4000),
    },
    "workflow_button": {
        "action_id": ACTION_ID,
        "text": plain(75, needed=True),
        "workflow": Free(needed=True),
        "style": STYLE,
        "accessibility_label": String(75),
    },
    "icon_button": {
        **_INTERACTIVE,
        "icon": choice("trash", needed=True),
        "text": plain(75, needed=True),
        "value": String(2000),
        "accessibility_label": String(75),
        "visible_to_user_ids": VISIBLE,
    },
    "feedback_buttons": {
        "action_id": ACTION_ID,
        "positive_button": Record("feedback_button", needed=True),
        "negative_button": Record("feedback_button", needed=True),
    },
    "overflow": {**_INTERACTIVE, "options": Many(OPTION, most=5, needed=True)},
    "image": _IMAGE,
    "checkboxes": {
        **_INTERACTIVE,
        "focus_on_load": Flag(),
        "options": FEW_OPTIONS,
        "initial_options": Many(OPTION, most=10),
    },
    "radio_buttons": {**_INTERACTIVE, "focus_on_load": Flag(), "options": FEW_OPTIONS, "initial_option": OPTION},
    "datepicker": {**_FIELD, "initial_date": String(10)},
    "timepicker": {**_FIELD, "initial_time": String(5), "timezone": String(100)},
    "datetimepicker": {**_INTERACTIVE, "focus_on_load": Flag(), "initial_date_time": Whole()},
    "static_select": {**_SELECT, **_STATIC},
    "external_select": {**_SELECT, "min_query_length": Whole()},
    "users_select": {**_FIELD, "initial_user": String(64)},
    "channels_select": {**_FIELD, "initial_channel": String(64), "response_url_enabled": Flag()},
    "conversations_select": {
        **_FIELD,
        **_FILTER,
        "initial_conversation": String(64),
        "response_url_enabled": Flag(),
    },
    "multi_static_select": {**_MULTI, **_STATIC, "initial_options": OPTIONS},
    "multi_external_select": {**_MULTI, "min_query_length": Whole(), "initial_options": OPTIONS},
    "multi_users_select": {**_MULTI, "initial_users": _IDS},
    "multi_channels_select": {**_MULTI, "initial_channels": _IDS},
    "multi_conversations_select": {**_MULTI, **_FILTER, "initial_conversations": _IDS},
    "plain_text_input": {
        **_TYPED_IN,
        "initial_value": String(3000),
        "multiline": Flag(),
        "min_length": Whole(),
        "max_length": Whole(),
    },
    "rich_text_input": {**_TYPED_IN, "initial_value": Typed(names("rich_text"))},
    "email_text_input": {**_TYPED_IN, "initial_value": String(3000)},
    "url_text_input": {**_TYPED_IN, "initial_value": String(3000)},
    "number_input": {
        **_TYPED_IN,
        "is_decimal_allowed": Flag(needed=True),
        "initial_value": String(64),
        "min_value": String(64),
        "max_value": String(64),
    },
    "file_input": {"action_id": ACTION_ID, "filetypes": Many(String(64)), "max_files": Whole()},
    "url": {"url": String(3000, needed=True), "text": String(3000, needed=True)},
    "raw_text": {"text": String(10_000, needed=True)},
    "raw_number": {"value": Free(needed=True), "text": String(10_000)},
    "rich_text_section": {"elements": Many(Typed(RICH_PARTS), least=0, needed=True)},
    "rich_text_preformatted": {
        "elements": Many(Typed(RICH_PARTS), needed=True),
        "border": Whole(),
        "language": String(64),
    },
    "rich_text_quote": {"elements": Many(Typed(RICH_PARTS), needed=True), "border": Whole()},
    "rich_text_list": {
        "elements": Many(Typed(RICH), needed=True),
        "style": choice("bullet ordered", needed=True),
        "indent": Whole(),
        "offset": Whole(),
        "border": Whole(),
    },
    "text": {**_RICH_STYLE, "text": String(12_000, needed=True)},
    "link": {**_RICH_STYLE, "url": String(3000, needed=True), "text": String(12_000), "unsafe": Flag()},
    "user": {**_RICH_STYLE, "user_id": String(64, needed=True)},
    "usergroup": {**_RICH_STYLE, "usergroup_id": String(64, needed=True)},
    "team": {**_RICH_STYLE, "team_id": String(64, needed=True)},
    "channel": {**_RICH_STYLE, "channel_id": String(64, needed=True)},
    "emoji": {**_RICH_STYLE, "name": String(100, needed=True), "unicode": String(64), "skin_tone": Whole()},
    "broadcast": {**_RICH_STYLE, "range": choice("here channel everyone", needed=True)},
    "color": {"value": String(16, needed=True)},
    "date": {
        **_RICH_STYLE,
        "timestamp": Whole(needed=True),
        "format": String(300, needed=True),
        "url": String(3000),
        "fallback": String(300),
    },
}

RECORDS: Final[dict[str, Fields]] = {
    "confirm": {
        "title": plain(100, needed=True),
        "text": Text(300, EITHER, needed=True),
        "confirm": plain(30, needed=True),
        "deny": plain(30, needed=True),
        "style": STYLE,
    },
    "option": {
        "text": Text(75, EITHER, needed=True),
        "value": String(150, needed=True),
        "description": Text(75, EITHER),
        "url": String(3000),
    },
    "option_group": {"label": plain(75, needed=True), "options": Many(OPTION, most=100, needed=True)},
    "dispatch_action_config": {"trigger_actions_on": Many(choice("on_enter_pressed on_character_entered"))},
    "slack_file": {"id": String(64), "url": String(3000)},
    "feedback_button": {
        "text": plain(75, needed=True),
        "value": String(2000, needed=True),
        "accessibility_label": String(75),
    },
    "column_setting": {"align": choice("left center right"), "is_wrapped": Flag()},
}

TEXT_EXTRAS: Final[dict[str, str]] = {"plain_text": "emoji", "mrkdwn": "verbatim"}
"""The one further key each text object may carry, a boolean."""
