"""How Slack keeps the blocks it was given, and hands them back: ids and defaults filled in, as in recorded payloads."""

from typing import Any, Final

from sandbox.slack.elements import ELEMENTS
from sandbox.slack.messages import IdMaker
from sandbox.slack.refused import Json

_DEFAULTS: Final[dict[str, Json]] = {
    "plain_text": {"emoji": True},
    "mrkdwn": {"verbatim": False},
    "input": {"optional": False, "dispatch_action": False},
    "plain_text_input": {"multiline": False},
}
_ACTING: Final = frozenset(kind for kind, fields in ELEMENTS.items() if "action_id" in fields)


def stored(blocks: list[Json], ids: IdMaker) -> tuple[Json, ...]:
    """These blocks as Slack keeps them: each block and each element that can be used has its id."""
    return tuple({**as_stored(block, ids), "block_id": block.get("block_id") or ids("b")} for block in blocks)


def as_stored(content: Json, ids: IdMaker) -> Json:
    """Any object of blocks, elements or views, and all that is in it."""
    kind = str(content.get("type", ""))
    kept: Json = {**_DEFAULTS.get(kind, {}), **{key: _inner(key, value, ids) for key, value in content.items()}}
    if kind in _ACTING and "action_id" not in kept:
        kept["action_id"] = ids("a")
    return kept


def _inner(key: str, value: Any, ids: IdMaker) -> Any:  # noqa: ANN401 - JSON
    if key in {"blocks", "child_blocks"} and isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return list(stored(value, ids))
    if isinstance(value, list):
        return [_inner("", item, ids) for item in value]
    return as_stored(value, ids) if isinstance(value, dict) else value
