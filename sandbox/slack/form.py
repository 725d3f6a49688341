"""What Slack's client makes of a filled-in modal: `state.values`, with the checks the client does itself. No I/O.

`values` are given by block id: the bare value when the block has one input, or a dict by action id. Fields left out
keep their initial value.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.slack.refused import Json, NotPossible

_TYPED = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
_PICKED = {
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "initial_files"),
}
_ONE_OPTION = frozenset({"static_select", "radio_buttons", "external_select", "overflow"})


def filled(blocks: list[Json], values: Mapping[str, Any]) -> Json:
    """`state.values` of a submission; raises NotPossible where the client would not let the person submit."""
    inputs = {block["block_id"]: block for block in blocks if block["type"] == "input"}
    unknown = values.keys() - inputs.keys()
    if unknown:
        raise NotPossible(f"no such field: {', '.join(sorted(unknown))}")
    return {block_id: _block(block, values.get(block_id, ...)) for block_id, block in inputs.items()}


def _block(block: Json, value: Any) -> Json:  # noqa: ANN401 - whatever a person enters
    element = block["element"]
    if isinstance(value, dict) and set(value) == {element["action_id"]}:
        value = value[element["action_id"]]
    state = state_of(element, value)
    empty = all(entry in (None, "", []) for key, entry in state.items() if key != "type")
    if empty and not block.get("optional", False):
        raise NotPossible(f"{block['block_id']}: please complete this required field")
    return {element["action_id"]: state}


def state_of(element: Json, value: Any) -> Json:  # noqa: ANN401 - as above
    """The state of one element with this value in it; `...` leaves it as it was."""
    kind = element["type"]
    if kind in _TYPED:
        return _typed(element, element.get("initial_value") if value is ... else value)
    if kind in _PICKED:
        key, initial = _PICKED[kind]
        return {"type": kind, key: element.get(initial) if value is ... else value}
    if kind in _ONE_OPTION:
        chosen = element.get("initial_option") if value is ... else option_of(element, value)
        return {"type": kind, "selected_option": chosen}
    initial_options = element.get("initial_options", [])
    chosen = initial_options if value is ... else [option_of(element, one) for one in value or []]
    return {"type": kind, "selected_options": chosen}


def option_of(element: Json, value: str | None) -> Json | None:
    """The option with this value; raises NotPossible when the menu does not offer it."""
    if value is None:
        return None
    groups = element.get("option_groups", [])
    offered = [*element.get("options", []), *(option for group in groups for option in group["options"])]
    for option in offered:
        if option["value"] == value:
            return dict(option)
    raise NotPossible(f"{element.get('action_id')}: there is no option {value}")


def _typed(element: Json, value: str | None) -> Json:
    text = "" if value is None else str(value)
    if text and len(text) < element.get("min_length", 0):
        raise NotPossible(f"{element['action_id']}: shorter than {element['min_length']} characters")
    if len(text) > element.get("max_length", 3000):
        raise NotPossible(f"{element['action_id']}: longer than {element.get('max_length', 3000)} characters")
    if text and element["type"] == "number_input":
        _number(element, text)
    return {"type": element["type"], "value": text or None}


def _number(element: Json, text: str) -> None:
    try:
        number = float(text)
    except ValueError as error:
        raise NotPossible(f"{element['action_id']}: not a number") from error
    if not element["is_decimal_allowed"] and not number.is_integer():
        raise NotPossible(f"{element['action_id']}: not a whole number")
    low, high = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
    if not low <= number <= high:
        raise NotPossible(f"{element['action_id']}: not between {low} and {high}")
