"""The tables of blocks, views and totals: which block may stand where, its keys, its limits. Data only.

Sources: Slack's Block Kit reference, slack_sdk's models, and bolt-js issues 2509 and 2867 for the totals. Blocks that
Slack's Python SDK does not model (data_table, chart blocks) are not known here and are refused.
"""

from typing import Final

from sandbox.slack.elements import ACCESSORIES, ACTIONS, CONTEXT_ACTIONS, INPUTS, MULTI_SELECTS, RICH, SELECTS
from sandbox.slack.schema import (
    EITHER,
    Fields,
    Flag,
    Many,
    Record,
    String,
    Text,
    Typed,
    choice,
    names,
    plain,
)

MESSAGE_BLOCKS_MOST: Final = 50
VIEW_BLOCKS_MOST: Final = 100
MARKDOWN_TOTAL: Final = 12_000
"""All markdown blocks of a message together, and one markdown_text or one chunk of a stream."""
BLOCK_TEXT_TOTAL: Final = 13_000
"""All text of all blocks of a message; Slack's own bound moves between 13,100 and 13,300."""
TABLE_CELLS_TOTAL: Final = 10_000
POST_TEXT_MOST: Final = 40_000
"""chat.postMessage cuts the text here."""
POST_TEXT_WHOLE: Final = 4_000
"""chat.update refuses more; chat.postMessage splits the text anywhere."""
METADATA_MOST: Final = 16_000
STATUS_LIFE: Final = 120.0
LOADING_MESSAGES_MOST: Final = 10
SESSION_TITLE_MOST: Final = 200
PROMPTS_MOST: Final = 4
STREAM_LIFE: Final = 306.0
"""Seconds a stream lives, however busy it is; measured by others on a live workspace."""
TRIGGER_LIFE: Final = 3.0
RESPONSE_URL_LIFE: Final = 1800.0
RESPONSE_URL_USES: Final = 5
VIEW_STACK_MOST: Final = 3

EVERYWHERE: Final = names("section divider image actions context header rich_text video alert card container carousel")
MESSAGE_BLOCKS: Final = EVERYWHERE | names("markdown table plan task_card context_actions file")
VIEW_BLOCKS: Final = EVERYWHERE | names("input")
CHILD_BLOCKS: Final = MESSAGE_BLOCKS - names("container")

BLOCKS: Final[dict[str, Fields]] = {
    "section": {
        "text": Text(3000),
        "fields": Many(Text(2000), most=10),
        "accessory": Typed(ACCESSORIES),
        "expand": Flag(),
    },
    "divider": {},
    "header": {"text": plain(150, needed=True)},
    "image": {
        "alt_text": String(2000, needed=True),
        "image_url": String(3000),
        "slack_file": Record("slack_file"),
        "title": plain(2000),
    },
    "actions": {"elements": Many(Typed(ACTIONS), most=25, needed=True)},
    "context": {"elements": Many(Typed(names("image") | EITHER), most=10, needed=True)},
    "context_actions": {"elements": Many(Typed(CONTEXT_ACTIONS), most=5, needed=True)},
    "input": {
        "label": plain(2000, needed=True),
        "element": Typed(INPUTS, needed=True),
        "hint": plain(2000),
        "dispatch_action": Flag(),
        "optional": Flag(),
    },
    "markdown": {"text": String(12_000, needed=True, shortest=1)},
    "rich_text": {"elements": Many(Typed(RICH), needed=True)},
    "file": {"external_id": String(255, needed=True), "source": choice("remote", needed=True)},
    "video": {
        "alt_text": String(2000, needed=True),
        "title": plain(200, needed=True),
        "title_url": String(3000),
        "thumbnail_url": String(3000, needed=True),
        "video_url": String(3000, needed=True),
        "author_name": String(50),
        "description": plain(200),
        "provider_name": String(50),
        "provider_icon_url": String(3000),
    },
    "table": {
        "rows": Many(Many(Typed(names("raw_text raw_number rich_text")), most=20), most=100, needed=True),
        "column_settings": Many(Record("column_setting"), most=20),
    },
    "task_card": {
        "task_id": String(255, needed=True),
        "title": String(256, needed=True),
        "status": choice("pending in_progress complete error", needed=True),
        "details": Typed(names("rich_text")),
        "output": Typed(names("rich_text")),
        "sources": Many(Typed(names("url")), least=0),
    },
    "plan": {"title": String(256, needed=True), "tasks": Many(Typed(names("task_card")), most=50, least=0)},
    "alert": {"text": Text(3000, needed=True), "level": choice("default info warning error success")},
    "card": {
        "title": Text(150),
        "subtitle": Text(150),
        "body": Text(200),
        "icon": Typed(names("image")),
        "hero_image": Typed(names("image")),
        "actions": Many(Typed(names("button")), most=5),
    },
    "carousel": {"elements": Many(Typed(names("card")), most=10, needed=True)},
    "container": {
        "title": plain(150),
        "rich_text_title": Typed(names("rich_text")),
        "subtitle": Text(150),
        "child_blocks": Many(Typed(CHILD_BLOCKS), most=10, needed=True),
        "width": choice("narrow standard wide full"),
        "icon": Typed(names("image")),
        "is_collapsible": Flag(),
        "default_collapsed": Flag(),
        "has_header_divider": Flag(),
    },
}

ONE_OF: Final[dict[str, tuple[str, ...]]] = {
    "section": ("text", "fields"),
    "image": ("image_url", "slack_file"),
    "card": ("hero_image", "title", "actions", "body"),
    "container": ("title", "rich_text_title"),
    "static_select": ("options", "option_groups"),
    "multi_static_select": ("options", "option_groups"),
}
"""Kinds of which at least one of these keys must be there."""

PLAIN_OPTIONS: Final = SELECTS | MULTI_SELECTS | names("overflow")
"""Whose options take no mrkdwn."""

_VIEW: Final[Fields] = {
    "blocks": Many(Typed(VIEW_BLOCKS), most=VIEW_BLOCKS_MOST, least=1, needed=True),
    "private_metadata": String(3000),
    "callback_id": String(255),
    "external_id": String(255),
}
VIEWS: Final[dict[str, Fields]] = {
    "modal": {
        **_VIEW,
        "title": plain(24, needed=True),
        "submit": plain(24),
        "close": plain(24),
        "clear_on_close": Flag(),
        "notify_on_close": Flag(),
        "submit_disabled": Flag(),
    },
    "home": _VIEW,
}

CHUNKS: Final[dict[str, Fields]] = {
    "markdown_text": {"text": String(12_000, needed=True)},
    "plan_update": {"title": String(256, needed=True)},
    "task_update": {
        "id": String(255, needed=True),
        "title": String(256, needed=True),
        "status": choice("pending in_progress complete error", needed=True),
        "details": String(12_000),
        "output": String(12_000),
        "sources": Many(Typed(names("url")), least=0),
    },
    "blocks": {"blocks": Many(Typed(MESSAGE_BLOCKS), most=MESSAGE_BLOCKS_MOST, needed=True)},
}
