"""What Slack's client sends of a filled-in modal, and what it would not let a person submit."""

from typing import Any

import pytest

from sandbox.slack.form import filled, state_of
from sandbox.slack.refused import NotPossible

Json = dict[str, Any]
OPTIONS = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in ("eur", "usd")]


def field(kind: str, *, optional: bool = False, **element: object) -> list[Json]:
    """One input block."""
    entry = {"type": kind, "action_id": "a", **element}
    return [{"type": "input", "block_id": "b", "optional": optional, "element": entry}]


def state(blocks: list[Json], *values: object) -> Json:
    """The state of its one element, with this value or untouched."""
    element: Json = filled(blocks, dict(zip("b", values, strict=False)))["b"]["a"]
    return element


@pytest.mark.parametrize(
    "blocks,value,expected",
    [
        (field("plain_text_input"), "hello", {"value": "hello"}),
        (field("number_input", is_decimal_allowed=True, min_value="0"), "4.5", {"value": "4.5"}),
        (field("static_select", options=OPTIONS), "usd", {"selected_option": OPTIONS[1]}),
        (field("static_select", option_groups=[{"options": OPTIONS}]), "eur", {"selected_option": OPTIONS[0]}),
        (field("radio_buttons", options=OPTIONS), "eur", {"selected_option": OPTIONS[0]}),
        (field("checkboxes", options=OPTIONS), ["eur", "usd"], {"selected_options": OPTIONS}),
        (field("datepicker"), "2026-11-24", {"selected_date": "2026-11-24"}),
        (field("users_select"), "U0ADA", {"selected_user": "U0ADA"}),
        (field("multi_users_select"), ["U0ADA"], {"selected_users": ["U0ADA"]}),
    ],
    ids=lambda value: value[0]["element"]["type"] if isinstance(value, list) and isinstance(value[0], dict) else "",
)
def test_each_kind_of_field_has_slacks_own_shape(blocks: list[Json], value: object, expected: Json) -> None:
    assert state(blocks, value) == {"type": blocks[0]["element"]["type"], **expected}


@pytest.mark.parametrize(
    "blocks,expected",
    [
        (field("plain_text_input", initial_value="x"), {"value": "x"}),
        (field("plain_text_input", optional=True), {"value": None}),
        (field("static_select", options=OPTIONS, initial_option=OPTIONS[0]), {"selected_option": OPTIONS[0]}),
        (field("checkboxes", options=OPTIONS, initial_options=OPTIONS[:1]), {"selected_options": OPTIONS[:1]}),
        (field("checkboxes", options=OPTIONS, optional=True), {"selected_options": []}),
        (field("timepicker", initial_time="10:00"), {"selected_time": "10:00"}),
    ],
)
def test_a_field_left_alone_keeps_what_it_began_with(blocks: list[Json], expected: Json) -> None:
    assert state(blocks) == {"type": blocks[0]["element"]["type"], **expected}


@pytest.mark.parametrize(
    "blocks,value,problem",
    [
        (field("plain_text_input"), "", "required"),
        (field("checkboxes", options=OPTIONS), [], "required"),
        (field("plain_text_input", min_length=3), "no", "shorter than 3"),
        (field("plain_text_input", max_length=3), "four", "longer than 3"),
        (field("plain_text_input"), "x" * 3001, "longer than 3000"),
        (field("number_input", is_decimal_allowed=False), "4.5", "not a whole number"),
        (field("number_input", is_decimal_allowed=False), "four", "not a number"),
        (field("number_input", is_decimal_allowed=True, max_value="10"), "10.01", "not between"),
        (field("static_select", options=OPTIONS), "gbp", "no option gbp"),
    ],
)
def test_the_client_holds_back_what_is_wrong(blocks: list[Json], value: object, problem: str) -> None:
    with pytest.raises(NotPossible, match=problem):
        state(blocks, value)


def test_a_value_may_be_named_by_its_action_and_an_unknown_field_is_refused() -> None:
    assert state(field("plain_text_input"), {"a": "x"})["value"] == "x"
    with pytest.raises(NotPossible, match="no such field: c"):
        filled(field("plain_text_input", optional=True), {"c": "x"})


def test_a_menu_says_the_one_line_that_was_chosen() -> None:
    menu = {"type": "overflow", "action_id": "a", "options": OPTIONS}
    assert state_of(menu, "usd") == {"type": "overflow", "selected_option": OPTIONS[1]}
