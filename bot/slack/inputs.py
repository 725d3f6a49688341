"""Input blocks of Slack modals, those of a form's fields among them, and what stands in them afterwards. Pure."""

from typing import cast

from agent.conversation import JsonObject
from approvals.card import as_text
from bot.slack.form import NO, NOT_SET, YES, Field
from bot.slack.payloads import an_object, text_at
from bot.slack.rich import context, option, plain
from bot.slack.text import one_line

INPUT = "value"
"""The action id of every one of them."""
_LONG = 80
_OPTION_MOST = 75


def input_block(
    block_id: str, label: str, element: JsonObject, hint: str = "", *, optional: bool = False
) -> JsonObject:
    """A labelled element."""
    block: JsonObject = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element | {"action_id": INPUT},
        "optional": optional,
    }
    return block | ({"hint": plain(hint)} if hint else {})


def state_of(values: JsonObject, block_id: str) -> JsonObject:
    """What stands in a block. `values` is `view.state.values` of a submission."""
    return an_object(an_object(values.get(block_id)).get(INPUT))


def typed_in(values: JsonObject, block_id: str) -> str:
    """The text that was typed; empty for none."""
    return text_at(state_of(values, block_id), "value")


def chosen_in(values: JsonObject, block_id: str) -> str:
    """The value of the option that was chosen; empty for none."""
    return text_at(state_of(values, block_id).get("selected_option"), "value")


# --- the fields of a form -------------------------------------------------------------------------------------------


def inputs_of(fields: tuple[Field, ...]) -> list[JsonObject]:
    """The blocks of the form."""
    return [_input(field) if field.is_editable else _kept(field) for field in fields]


def _kept(field: Field) -> JsonObject:
    text = f"{one_line(field.name, 100)}: {len(field.shown)} characters, too long to edit in Slack; kept as it is."
    return context(plain(text))


def _input(field: Field) -> JsonObject:
    label = one_line(field.name, 150) or "(unnamed)"
    hint = one_line(field.hint + (" (as JSON)" if field.kind == "json" else ""), 300).strip()
    optional = field.may_be_unset or (field.kind == "text" and field.value == "")
    return input_block(field.block_id, label, _element(field), hint, optional=optional)


def _element(field: Field) -> JsonObject:
    match field.kind:
        case "text" | "json":
            return _text_input(field)
        case "whole" | "number":
            return _number_input(field)
        case "yes_no":
            return _yes_no(field)
        case "one_of":
            return _one_of(field)


def _text_input(field: Field) -> JsonObject:
    is_long = field.kind == "json" or len(field.shown) > _LONG or "\n" in field.shown
    element: JsonObject = {"type": "plain_text_input", "multiline": is_long}
    return element | ({"initial_value": field.shown} if field.shown else {})


def _number_input(field: Field) -> JsonObject:
    element: JsonObject = {"type": "number_input", "is_decimal_allowed": field.kind == "number"}
    given = {"initial_value": field.shown, "min_value": field.least, "max_value": field.most}
    return element | cast("JsonObject", {key: text for key, text in given.items() if text})


def _yes_no(field: Field) -> JsonObject:
    return _chosen_from([option("Yes", YES), option("No", NO)], field) | {"type": "radio_buttons"}


def _one_of(field: Field) -> JsonObject:
    options = [
        option(one_line(as_text(each), _OPTION_MOST) or "(empty)", str(n)) for n, each in enumerate(field.options)
    ]
    return _chosen_from(options, field) | {"type": "static_select"}


def _chosen_from(options: list[JsonObject], field: Field) -> JsonObject:
    options += [option("(not set)", NOT_SET)] if field.may_be_unset else []
    element: JsonObject = {"options": list(options)}
    first = [each for each in options if each["value"] == field.chosen]
    return element | ({"initial_option": first[0]} if first else {})
