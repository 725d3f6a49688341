"""Tool calls as models write them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.openai_call import MAX_ID, MAX_QUOTE, read_call, wire_arguments, wire_name


@pytest.mark.parametrize(
    "arguments, reason",
    [
        ("{", "not JSON"),
        ('{"a": 1} {"a": 2}', "not JSON"),
        ("[1]", "not a JSON object"),
        ("null", "not a JSON object"),
        ('"text"', "not a JSON object"),
        (7, "not a JSON object"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "9" * 5000 + "}", ""),
        ('{"a": "\\ud83d"}', "surrogate"),
        ('{"a":' * 300 + "1" + "}" * 300, ""),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
    ],
)
def test_arguments_that_are_no_json_object_say_why(arguments: JsonValue, reason: str) -> None:
    call = read_call("a", "look_up", arguments, set())
    assert call.arguments == {}
    assert reason in call.malformed
    assert call.malformed.startswith("The arguments could not be read: ")
    assert len(call.malformed) < MAX_QUOTE + 200
    call.malformed.encode()


@pytest.mark.parametrize("arguments", [None, "", "{}", {}])
def test_no_arguments_are_an_empty_object(arguments: JsonValue) -> None:
    call = read_call("a", "look_up", arguments, set())
    assert (call.arguments, call.malformed) == ({}, "")


@pytest.mark.parametrize("name", ["", None, 3, {}])
def test_a_call_without_a_name_is_malformed(name: JsonValue) -> None:
    assert read_call("a", name, "{}", set()).malformed == "The call names no tool."


def test_the_message_quotes_what_was_sent() -> None:
    assert "They were: {'a': 1}" in read_call("a", "look_up", "{'a': 1}", set()).malformed


@given(st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=80)), max_size=20))
def test_ids_are_distinct_short_and_taken_whatever_is_sent(wanted: list[JsonValue]) -> None:
    taken = {"call", "a"}
    ids = [read_call(each, "look_up", "{}", taken).provider_id for each in wanted]
    assert len({*ids, "call", "a"}) == len(ids) + 2
    assert taken == {*ids, "call", "a"}
    assert all(0 < len(each) <= MAX_ID for each in ids)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_arguments_survive_the_way_there_and_back(arguments: dict[str, JsonValue]) -> None:
    call = read_call("a", "look_up", json.dumps(arguments), set())
    assert call.arguments == arguments
    assert read_call("b", "look_up", wire_arguments(call), set()).arguments == arguments


@pytest.mark.parametrize(
    "name, sent",
    [("look_up", "look_up"), ("functions.look up", "functions_look_up"), ("", "unnamed"), ("x" * 70, "x" * 64)],
)
def test_names_go_back_in_characters_that_servers_take(name: str, sent: str) -> None:
    assert wire_name(name) == sent
