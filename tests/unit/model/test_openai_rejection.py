"""What servers say when they give no answer, and what people then read."""

import json

import pytest
from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelRefused, ModelUnavailable
from agent.openai_rejection import (
    BROKEN,
    MAX_MESSAGE,
    NO_ANSWER,
    Rejection,
    error_of,
    fields_named,
    message_in,
    rejection_in,
    without_secrets,
)
from agent.ports import ModelTurn, ResultTurn, UserTurn
from tests.unit.model.builders import a_call, a_request

SERVER = "https://api.example/v1"


@pytest.mark.parametrize(
    "rejection, words",
    [
        (Rejection(400), ["OPENAI_MODEL", "OPENAI_API"]),
        (Rejection(401), ["OPENAI_API_KEY", SERVER]),
        (Rejection(403), ["OPENAI_API_KEY", "gpt-test"]),
        (Rejection(404), ["OPENAI_MODEL", "OPENAI_BASE_URL", "OPENAI_API=chat", "gpt-test", SERVER]),
        (Rejection(405), ["OPENAI_BASE_URL"]),
        (Rejection(308), ["OPENAI_BASE_URL", "elsewhere"]),
        (Rejection(422), ["OPENAI_MODEL"]),
        (Rejection(413), ["longer than gpt-test can read"]),
        (Rejection(400, code="context_length_exceeded"), ["longer than gpt-test can read"]),
        (Rejection(429, code="insufficient_quota"), ["no credit left"]),
    ],
)
def test_a_refusal_for_good_says_what_to_do(rejection: Rejection, words: list[str]) -> None:
    error = error_of(rejection, "gpt-test", SERVER)
    assert isinstance(error, ModelRefused)
    assert all(each in str(error) for each in words)


@pytest.mark.parametrize("status", [NO_ANSWER, BROKEN, 408, 409, 429, 500, 503, 599])
def test_what_may_pass_is_told_as_such(status: int) -> None:
    error = error_of(Rejection(status, "overloaded", request_id="req_1"), "gpt-test", SERVER)
    assert isinstance(error, ModelUnavailable)
    assert SERVER in str(error)
    assert "overloaded" in str(error)
    assert "req_1" in str(error)
    assert (str(status) in str(error)) is (status > 0)


@pytest.mark.parametrize(
    "body, message",
    [
        ({"message": "no"}, "no"),
        ({"error": "no"}, "no"),
        ({"error": {"message": "no"}}, "no"),
        ({"detail": "no"}, "no"),
        ({"detail": [{"loc": ["body", "store"]}]}, '{"detail": [{"loc": ["body", "store"]}]}'),
        ("no", "no"),
        (" <html><body>502</body></html>", ""),
        ({}, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_the_words_are_found_in_bodies_of_many_shapes(body: JsonValue, message: str) -> None:
    assert message_in(body) == message


@pytest.mark.parametrize(
    "payload, status",
    [
        ({"error": {"code": "server_error", "message": "no"}, "output": [], "status": "failed"}, 500),
        ({"error": {"code": "rate_limit_exceeded", "message": "no"}, "output": []}, 429),
        ({"error": {"code": "invalid_prompt", "message": "no"}, "output": []}, 400),
        ({"error": {"code": 402, "message": "no"}}, 402),
        ({"error": {"code": 7, "message": "no"}}, 500),
        ({"error": "no"}, 500),
    ],
)
def test_an_error_that_came_with_status_200_is_one(payload: JsonObject, status: int) -> None:
    found = rejection_in(payload)
    assert found is not None
    assert (found.status, found.message) == (status, "no")


@pytest.mark.parametrize(
    "payload", [{"output": []}, {"error": None, "output": []}, {"error": {"a": 1}, "choices": [{}]}]
)
def test_an_answer_is_no_error(payload: JsonObject) -> None:
    assert rejection_in(payload) is None


@pytest.mark.parametrize(
    "rejection, fields",
    [
        (Rejection(400, "Unknown parameter: 'include'.", param="include"), {"include"}),
        (Rejection(400, "Encrypted content is not supported with this model.", param="include"), {"include"}),
        (Rejection(400, "Invalid value: 'reasoning.encrypted_content'.", param="include[0]"), {"include"}),
        (Rejection(422, '{"detail": [{"type": "extra_forbidden", "loc": ["body", "include"]}]}'), {"include"}),
        (Rejection(400, "Unrecognized request argument supplied: store"), {"store"}),
        (Rejection(422, '{"detail": [{"type": "extra_forbidden", "loc": ["body", "store"]}]}'), {"store"}),
        (Rejection(400, "The encrypted content for item rs_1 could not be verified."), {"reasoning"}),
        (Rejection(400, "no", code="invalid_encrypted_content"), {"reasoning"}),
        (
            Rejection(404, "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."),
            {"reasoning"},
        ),
        (Rejection(400, "Input item type 'reasoning' is unknown"), {"reasoning"}),
        (Rejection(400, "messages[2]: unknown field reasoning_content"), {"reasoning"}),
        (Rejection(400, "We could not find your book store."), set()),
        (Rejection(400, "temperature is not supported"), set()),
        (Rejection(500, "Unknown parameter: 'include'.", param="include"), set()),
        (Rejection(401, "Unknown parameter: 'include'.", param="include"), set()),
    ],
)
def test_a_field_that_a_refusal_names_is_known(rejection: Rejection, fields: set[str]) -> None:
    assert fields_named(rejection) == fields


KEY = "twokey-secret-1234"


def shown(message: str, *turns: UserTurn | ModelTurn | ResultTurn) -> str:
    """What is left of a message."""
    return without_secrets(Rejection(400, message), KEY, a_request(*turns)).message


def test_the_key_is_never_told() -> None:
    assert KEY not in shown(f"bad key {KEY}")
    assert (
        shown("Incorrect API key provided: sk-proj-****abcd. See there.") == "Incorrect API key provided: … See there."
    )


SECRET = 'Please refund order 4711 of Mrs. Müller,\nwho lives at "12 Mill Lane" and was born in 1931.'


@pytest.mark.parametrize("ascii_only", [True, False])
def test_an_echo_of_the_prompt_is_cut_out_however_it_is_escaped(ascii_only: bool) -> None:
    body = {"input": [{"role": "user", "content": SECRET}]}
    message = "Field required: " + json.dumps(body, ensure_ascii=ascii_only) + " at position 3"
    for echo in (message, f"Field required: {body!r}", f"Field required: {SECRET}"):
        told = shown(echo, UserTurn(SECRET))
        assert told.startswith("Field")
        for piece in ("4711", "ller", "Mill", "1931"):
            assert piece not in told


def test_results_and_arguments_and_raw_items_count_as_prompt() -> None:
    call = a_call(name="pay", iban="DE02 1203 0000 0000 2020 51")
    turns = (
        ModelTurn(
            "", (call,), "responses", ({"type": "reasoning", "summary": [{"text": "She is a careful customer"}]},)
        ),
        ResultTurn(call, "the balance is 12,000.00"),
    )
    assert "2020" not in shown('invalid: {"iban": "DE02 1203 0000 0000 2020 51"}', *turns)
    assert "customer" not in shown("invalid: She is a careful customer", *turns)
    assert "000.00" not in shown("invalid: the balance is 12,000.00", *turns)


def test_without_a_key_there_is_none_to_look_for() -> None:
    items: tuple[JsonObject, ...] = ({"type": "message", "status": None, "content": [1, "x"]},)
    request = a_request(ModelTurn("", (), "responses", items))
    assert without_secrets(Rejection(400, "no"), "", request).message == "no"


def test_a_plain_reason_is_kept_whole() -> None:
    assert shown("Unsupported parameter: 'temperature'.", UserTurn(SECRET)) == "Unsupported parameter: 'temperature'."


def test_a_long_reason_is_cut() -> None:
    assert len(shown("y" * 10_000)) == MAX_MESSAGE + 1
