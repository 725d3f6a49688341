"""A tool's arguments as a form: what is not touched does not change, what is typed has the tool's types."""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Meta
from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.tool import tool
from bot.parameters import BadFields
from bot.slack.form import Field, fields_of
from bot.slack.inputs import INPUT, inputs_of
from bot.slack.typed import arguments_of, problems_by_field
from sandbox.slack.blocks import check_view


@tool
def ship(  # noqa: PLR0913, PLR0917 - one of each kind
    order_id: str,
    parcels: Annotated[int, Meta(ge=1, le=9)],
    weight: float,
    express: bool,
    service: Literal["post", "courier"],
    items: list[str],
    note: str = "",
    insured: bool | None = None,
    carrier: Literal["a", "b"] | None = None,
    deadline: str | None = None,
) -> str:
    """Ship an order.

    Args:
        order_id: Which order.
    """
    del parcels, weight, express, service, items, note, insured, carrier, deadline
    return order_id


GIVEN: JsonObject = {
    "order_id": "4711",
    "parcels": 2,
    "weight": 1e-7,
    "express": False,
    "service": "courier",
    "items": ["lamp", "shelf"],
}


def fields(arguments: JsonObject = GIVEN) -> tuple[Field, ...]:
    return fields_of(ship.parameters, arguments)


def typed(fields: tuple[Field, ...], **changes: str | None) -> dict[str, Any]:
    """What Slack sends back for a form that was left as it is, but for the changes."""
    values: dict[str, Any] = {}
    for field, block in zip(fields, inputs_of(fields), strict=True):
        if block["type"] != "input":
            continue
        element: Any = block["element"]
        if "options" in element:
            option = element.get("initial_option")
            if field.name in changes:
                option = next(
                    (o for o in element["options"] if o["value"] == changes[field.name]), {"value": changes[field.name]}
                )
            values[field.block_id] = {INPUT: {"type": element["type"], "selected_option": option}}
        else:
            value = changes.get(field.name, element.get("initial_value"))
            values[field.block_id] = {INPUT: {"type": element["type"], "value": value}}
    return values


def view(fields: tuple[Field, ...]) -> JsonObject:
    text: JsonObject = {"type": "plain_text", "text": "x"}
    return {"type": "modal", "title": text, "submit": text, "blocks": list(inputs_of(fields))}


def test_every_type_has_its_field() -> None:
    kinds = {field.name: field.kind for field in fields()}
    assert kinds == {
        "order_id": "text",
        "parcels": "whole",
        "weight": "number",
        "express": "yes_no",
        "service": "one_of",
        "items": "json",
        "note": "text",
        "insured": "yes_no",
        "carrier": "one_of",
        "deadline": "text",
    }


def test_slack_takes_the_form() -> None:
    check_view(view(fields()))
    block = inputs_of(fields())[1]
    assert block["element"] == {
        "type": "number_input",
        "action_id": "value",
        "is_decimal_allowed": False,
        "initial_value": "2",
        "min_value": "1",
        "max_value": "9",
    }


def test_a_form_left_as_it_is_gives_back_what_was_proposed() -> None:
    assert arguments_of(fields(), GIVEN, typed(fields())) == GIVEN


def test_what_is_typed_has_the_tools_types() -> None:
    changes = {
        "order_id": "4712",
        "parcels": "3",
        "weight": "2.50",
        "express": "yes",
        "service": "0",
        "items": '["lamp"]',
        "note": "fragile",
        "insured": "no",
        "carrier": "1",
        "deadline": "tomorrow",
    }
    changed = arguments_of(fields(), GIVEN, typed(fields(), **changes))
    assert changed == {
        "order_id": "4712",
        "parcels": 3,
        "weight": 2.5,
        "express": True,
        "service": "post",
        "items": ["lamp"],
        "note": "fragile",
        "insured": False,
        "carrier": "b",
        "deadline": "tomorrow",
    }
    ship.check(changed)


def test_what_is_emptied_is_left_out_null_or_empty_as_the_tool_allows() -> None:
    before: JsonObject = {**GIVEN, "note": "x", "insured": True, "carrier": "a", "deadline": "y"}
    form = fields(before)
    changes = {"order_id": None, "note": None, "insured": "unset", "carrier": "unset", "deadline": None}
    after = arguments_of(form, before, typed(form, **changes))
    assert after["order_id"] == ""
    assert "note" not in after
    assert after["insured"] is after["carrier"] is after["deadline"] is None


@pytest.mark.parametrize(
    "name, text, problem",
    [
        ("parcels", "2.5", "whole number"),
        ("parcels", "²", "whole number"),
        ("parcels", None, "needed"),
        ("weight", "1,5", "a number"),
        ("weight", "NaN", "a number"),
        ("items", "lamp", "not JSON"),
        ("items", "[NaN]", "not JSON"),
        ("items", '["\\ud800"]', "cannot be kept"),
        ("items", "[" * 5000, "JSON"),
        ("items", "", "needed"),
        ("service", "7", "has changed"),
        ("service", "x", "has changed"),
    ],
)
def test_what_cannot_be_read_is_told_beside_its_field(name: str, text: str | None, problem: str) -> None:
    form = fields()
    with pytest.raises(BadFields) as caught:
        arguments_of(form, GIVEN, typed(form, **{name: text}))
    assert list(caught.value.problems) == [field.block_id for field in form if field.name == name]
    assert problem in next(iter(caught.value.problems.values())) or "nested" in str(caught.value)


def test_a_form_of_another_version_of_the_tool_is_refused() -> None:
    with pytest.raises(BadFields, match="changed"):
        arguments_of(fields(), GIVEN, {})


def test_text_too_long_for_slack_is_kept_as_it_is() -> None:
    before: JsonObject = {**GIVEN, "order_id": "x" * 3001}
    form = fields(before)
    assert "too long to edit" in json.dumps(inputs_of(form))
    check_view(view(form))
    assert arguments_of(form, before, typed(form)) == before


def test_a_value_that_does_not_fit_its_field_is_shown_as_json() -> None:
    form = fields({**GIVEN, "parcels": "two", "weight": True, "service": "rocket", "express": "yes"})
    assert {field.name for field in form if field.kind == "json"} == {
        "parcels",
        "weight",
        "service",
        "express",
        "items",
    }
    check_view(view(form))


def test_arguments_without_a_parameter_are_kept() -> None:
    before: JsonObject = {**GIVEN, "extra": {"a": 1}}
    assert arguments_of(fields(before), before, typed(fields(before))) == before


def test_a_tool_with_very_many_parameters_still_fits_a_modal() -> None:
    parameters: JsonObject = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(200)}}
    check_view(view(fields_of(parameters, {})))


def test_references_and_constants_are_followed() -> None:
    parameters: JsonObject = {
        "properties": {
            "size": {"$ref": "#/$defs/Size"},
            "unit": {"const": "kg"},
            "odd": {"$ref": "#/$defs/Odd"},
            "many": {"enum": [str(n) for n in range(150)]},
        },
        "$defs": {"Size": {"enum": ["s", "m"], "type": "string"}, "Odd": {"$ref": "#/$defs/Odd"}},
    }
    form = fields_of(parameters, {"size": "m", "unit": "kg"})
    assert [(field.name, field.kind) for field in form] == [
        ("size", "one_of"),
        ("unit", "one_of"),
        ("odd", "json"),
        ("many", "json"),
    ]
    check_view(view(form))


def test_the_tools_objections_stand_beside_their_fields() -> None:
    form = fields()
    found = problems_by_field(form, "parcels: too many; items.0: too short; all of it: too odd")
    assert found == {
        form[1].block_id: "parcels: too many",
        form[5].block_id: "items.0: too short",
        form[0].block_id: "all of it: too odd",
    }
    assert problems_by_field((), "x: y") == {}


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=50))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5
)
SCHEMAS: st.SearchStrategy[JsonValue] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": -(10**80)},
        {"type": "number", "maximum": 1e300},
        {"type": "boolean"},
        {"enum": ["", "a", 1, True, None]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"anyOf": [{"type": "number"}, {"type": "string"}]},
        {"type": "array"},
        {"type": ["string", "null"]},
        {},
        True,
    ]
)


@given(st.dictionaries(st.text(min_size=1, max_size=300), st.tuples(SCHEMAS, st.booleans(), VALUES), max_size=8))
def test_any_schema_and_any_value_make_a_form_that_slack_takes_and_that_changes_nothing_by_itself(
    shape: dict[str, tuple[JsonValue, bool, JsonValue]],
) -> None:
    parameters: JsonObject = {
        "properties": {name: schema for name, (schema, _, _) in shape.items()},
        "required": [name for name, (_, required, _) in shape.items() if required],
    }
    arguments: JsonObject = {name: value for name, (_, _, value) in shape.items()}
    form = fields_of(parameters, arguments)
    if form:
        check_view(view(form))
    assert json.dumps(arguments_of(form, arguments, typed(form))) == json.dumps(arguments)
