"""The form of a call: the schema's fields, and what was typed as arguments again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.conversation import JsonObject
from bot.pages.form import Field, fields_of, read
from bot.parameters import BadFields
from tests.desk import ARGUMENTS, refund

SCHEMA = refund.parameters
texts = st.text(st.characters(codec="utf-8"))
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def fields(arguments: JsonObject = ARGUMENTS) -> dict[str, Field]:
    return {field.name: field for field in fields_of(SCHEMA, arguments)}


def changed(arguments: JsonObject, **typed: str) -> JsonObject:
    return read(fields_of(SCHEMA, arguments), arguments, {f"argument.{name}": text for name, text in typed.items()})


def test_each_kind_of_parameter_has_its_field() -> None:
    kinds = {name: field.kind for name, field in fields().items()}

    assert kinds == {
        "order_id": "text",
        "amount": "number",
        "currency": "choice",
        "notify": "choice",
        "copies": "whole",
        "note": "text",
        "tags": "json",
    }


@given(st.dictionaries(st.sampled_from(sorted(fields())) | texts, json_values, max_size=8), st.booleans())
def test_a_form_that_is_sent_back_untouched_changes_nothing(arguments: JsonObject, in_full: bool) -> None:
    """As browsers do: every line break comes back as CR LF, and a choice that shows nothing as its first option."""
    found = fields_of(SCHEMA, arguments)
    typed = {field.key: field.shown.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n") for field in found}
    for field in found:
        if field.kind == "choice":
            assert field.shown in [value for value, _ in field.options], field

    after = read(found, arguments, typed if in_full else {})

    assert json.dumps(after, sort_keys=True) == json.dumps(arguments, sort_keys=True)


@given(st.dictionaries(st.sampled_from([field.key for field in fields().values()]), texts, max_size=7))
def test_whatever_is_typed_is_read_or_refused_by_name_and_can_be_kept(typed: dict[str, str]) -> None:
    after: JsonObject = {}
    problems: dict[str, str] = {}
    try:
        after = read(fields_of(SCHEMA, ARGUMENTS), ARGUMENTS, typed)
    except BadFields as error:
        problems = error.problems

    assert set(problems) <= typed.keys()
    assert json.loads(json.dumps(after, allow_nan=False).encode()) == after


@pytest.mark.parametrize(
    "typed, after",
    [
        ({"amount": "12.50"}, {"amount": 12.5}),
        ({"amount": " 12 "}, {"amount": 12}),
        ({"copies": "3"}, {"copies": 3}),
        ({"currency": '"USD"'}, {"currency": "USD"}),
        ({"notify": "false"}, {"notify": False}),
        ({"order_id": ""}, {"order_id": ""}),
        ({"note": "two\r\nlines"}, {"note": "two\nlines"}),
        ({"tags": '["a", "\\u200b"]'}, {"tags": ["a", "\u200b"]}),
        ({"copies": "", "notify": "", "note": "", "tags": " "}, {}),
    ],
)
def test_what_is_typed_becomes_a_value_of_the_fields_kind(typed: dict[str, str], after: JsonObject) -> None:
    found = changed(ARGUMENTS, **typed)

    assert found == {**ARGUMENTS, **after}
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in {**ARGUMENTS, **after}.items()
    }


def test_emptying_an_optional_field_leaves_the_argument_out_or_makes_it_null_where_null_is_a_value() -> None:
    full: JsonObject = {**ARGUMENTS, "copies": 2, "note": "hello", "tags": ["a"], "notify": True}

    assert changed(full, copies="", note="", tags="", notify="") == {**ARGUMENTS, "note": None}


@pytest.mark.parametrize(
    "name, typed, says",
    [
        ("amount", "12,50", "must be a number"),
        ("amount", "", "needed"),
        ("amount", "1e999", "must be a number"),
        ("amount", "NaN", "must be a number"),
        ("copies", "1.5", "whole number"),
        ("copies", "9" * 5000, "whole number"),
        ("currency", '"GBP"', "Choose one"),
        ("notify", "1", "Choose one"),
        ("tags", "[1,", "not JSON"),
        ("tags", "[" * 100_000, "too deep"),
        ("tags", '"\\ud800"', "cannot be kept"),
        ("tags", "[Infinity]", "cannot be kept"),
        ("tags", "9" * 5000, "too large"),
    ],
)
def test_what_a_field_cannot_mean_is_refused_beside_it(name: str, typed: str, says: str) -> None:
    with pytest.raises(BadFields) as refused:
        changed(ARGUMENTS, **{name: typed})

    assert list(refused.value.problems) == [f"argument.{name}"]
    assert says in refused.value.problems[f"argument.{name}"]


@pytest.mark.parametrize("value", ["in\u200bvisible", "\u202egnp", "nul\x00", "cr\rlf"])
def test_text_with_characters_that_cannot_be_seen_is_edited_with_them_spelt_out(value: str) -> None:
    field = fields({**ARGUMENTS, "order_id": value})["order_id"]

    assert field.kind == "json"
    assert field.shown.isascii()
    assert field.shown.isprintable()
    assert json.loads(field.shown) == value


def test_a_value_that_does_not_fit_its_field_is_edited_as_json() -> None:
    odd = fields({"order_id": 7, "amount": "40", "currency": "GBP", "notify": 1, "note": ["x"], "extra": {"a": 1}})

    assert {odd[name].kind for name in ("order_id", "amount", "currency", "notify", "note", "extra")} == {"json"}
