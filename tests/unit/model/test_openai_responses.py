"""The Responses API, both ways."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelUnavailable
from agent.events import Usage
from agent.openai_responses import answer, body
from agent.ports import ModelTurn, ResultTurn
from tests.unit.model.builders import RAW_CALL, REASONING, a_call, a_request, a_thread

TOOL = {
    "type": "function",
    "name": "look_up_order",
    "description": "Look up an order.",
    "parameters": {
        "type": "object",
        "properties": {"number": {"type": "integer", "description": "As printed on the invoice."}},
        "required": ["number"],
        "additionalProperties": False,
    },
    "strict": False,
}
HEAD = {
    "model": "gpt-test",
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "instructions": "Be kind.",
    "tools": [TOOL],
}
CHAT_ANSWER_ON = [
    {"role": "assistant", "content": "And 8."},
    {"type": "function_call", "call_id": "call_b", "name": "look_up_order", "arguments": '{"number": 8}'},
    {"type": "function_call", "call_id": "call_c", "name": "odd_name", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_b", "output": "lost"},
    {"type": "function_call_output", "call_id": "call_c", "output": "Failed: no"},
    {"role": "user", "content": "Thanks"},
]
RESULT = {"type": "function_call_output", "call_id": "call_a", "output": "shipped"}


def test_a_whole_thread_becomes_this_request() -> None:
    question = {"role": "user", "content": "Where is 7?"}
    assert body(a_request(*a_thread())) == {
        **HEAD,
        "input": [question, REASONING, RAW_CALL, RESULT, *CHAT_ANSWER_ON],
    }


def test_without_reasoning_every_answer_is_retold() -> None:
    told = [{"role": "assistant", "content": "Let me see."}, RAW_CALL, RESULT]
    assert body(a_request(*a_thread()), {"reasoning"})["input"][1:4] == told  # type: ignore[index] # a list


@pytest.mark.parametrize("field", ["include", "store"])
def test_a_field_that_a_server_refuses_can_be_left_out(field: str) -> None:
    assert body(a_request(), {field}) == {
        name: value for name, value in (HEAD | {"input": []}).items() if name != field
    }


def test_without_tools_there_is_no_empty_list_of_them() -> None:
    assert "tools" not in body(replace(a_request(), tools=()))


def message(*parts: JsonObject, **more: JsonValue) -> JsonObject:
    """A message item of these parts."""
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [*parts], **more}


def words(text: str) -> JsonObject:
    """A part of plain text."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def a_raw_call(call_id: JsonValue = "call_a", arguments: JsonValue = '{"number": 7}', **more: JsonValue) -> JsonObject:
    """A call as the API sends it."""
    raw = {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": "look_up_order", "status": "completed"}
    return raw | {"arguments": arguments} | more


def a_response(*output: JsonObject, **more: JsonValue) -> JsonObject:
    """A response with that output."""
    return {"id": "resp_1", "status": "completed", "model": "gpt-test-1", "error": None, "output": [*output], **more}


def test_text_model_and_usage_are_read() -> None:
    usage: JsonObject = {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 4}}
    read = answer(a_response(message(words("Hello "), words("you")), usage=usage))
    assert (read.text, read.stop, read.model, read.api) == ("Hello you", "end", "gpt-test-1", "responses")
    assert read.usage == Usage(input=9, output=3, cached=4)
    assert read.calls == ()


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": "many"}, {"input_tokens": True}, [1]])
def test_a_usage_that_is_missing_or_odd_counts_as_nothing(usage: JsonValue) -> None:
    assert answer(a_response(message(words("Hi")), usage=usage)).usage == Usage()


def test_calls_come_with_the_items_to_give_back() -> None:
    said = message(words("Let me see."), phase="commentary")
    raw = {**REASONING, "status": None, "content": None}
    read = answer(a_response(raw, said, a_raw_call()))
    assert read.stop == "calls"
    assert [(call.id, call.provider_id, call.arguments) for call in read.calls] == [("call_a", "call_a", {"number": 7})]
    assert read.items == (
        REASONING,
        said | {"content": [{"type": "output_text", "text": "Let me see.", "annotations": []}]},
        RAW_CALL,
    )


def test_what_an_answer_says_is_given_back_as_it_was() -> None:
    read = answer(a_response(REASONING, a_raw_call()))
    turn = ModelTurn(read.text, read.calls, read.api, read.items)
    given = body(a_request(turn, ResultTurn(read.calls[0], "shipped")))["input"]
    assert given == [REASONING, RAW_CALL, RESULT]


def test_reasoning_that_holds_nothing_is_not_given_back() -> None:
    read = answer(a_response({"type": "reasoning", "id": "rs_1", "summary": []}, message(words("Hi"))))
    assert [item["type"] for item in read.items] == ["message"]


def test_open_reasoning_of_a_local_model_is_given_back() -> None:
    reasoning: JsonObject = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm"}],
    }
    assert answer(a_response(reasoning, a_raw_call())).items[0] == reasoning


def test_two_calls_of_one_id_come_out_distinct_in_calls_and_items() -> None:
    read = answer(a_response(REASONING, a_raw_call(), a_raw_call(arguments='{"number": 8}')))
    assert [call.provider_id for call in read.calls] == ["call_a", "call_a-2"]
    assert [item["call_id"] for item in read.items[1:]] == ["call_a", "call_a-2"]


def test_what_has_no_reasoning_in_it_is_not_kept_twice() -> None:
    assert answer(a_response(a_raw_call())).items == ()


def test_an_id_that_the_thread_has_used_is_not_used_again() -> None:
    assert answer(a_response(a_raw_call()), {"call_a"}).calls[0].provider_id == "call_a-2"


def test_a_malformed_call_says_why_and_goes_back_empty() -> None:
    read = answer(a_response(REASONING, a_raw_call(arguments='{"number": ')))
    assert read.stop == "calls"
    assert "not JSON" in read.calls[0].malformed
    assert read.items[1]["arguments"] == "{}"


def test_a_refusal_is_told_in_the_models_words_and_runs_nothing() -> None:
    read = answer(a_response(message({"type": "refusal", "refusal": "I cannot do that."}), a_raw_call()))
    assert (read.stop, read.text, read.calls, read.items) == ("refusal", "I cannot do that.", (), ())


def test_a_filtered_answer_is_a_refusal() -> None:
    details: JsonObject = {"reason": "content_filter"}
    read = answer(a_response(message(words("Half")), status="incomplete", incomplete_details=details))
    assert (read.stop, read.text) == ("refusal", "Half")


def test_a_cut_answer_keeps_its_text_and_drops_its_calls() -> None:
    details: JsonObject = {"reason": "max_output_tokens"}
    output = (REASONING, message(words("I will")), a_raw_call())
    read = answer(a_response(*output, status="incomplete", incomplete_details=details))
    assert (read.stop, read.text, read.calls, read.items) == ("length", "I will", (), ())


def test_the_final_answer_is_the_text_where_the_model_marks_one() -> None:
    read = answer(
        a_response(message(words("Looking."), phase="commentary"), message(words("7."), phase="final_answer"))
    )
    assert read.text == "7."
    assert len(read.items) == 2


def test_items_of_unknown_kinds_are_passed_over() -> None:
    read = answer(a_response({"type": "weather_call", "id": "w_1"}, message(words("Hi"))))
    assert (read.text, len(read.items)) == ("Hi", 1)


@pytest.mark.parametrize("status", ["failed", "cancelled", "queued", "in_progress"])
def test_an_unfinished_answer_is_none(status: str) -> None:
    with pytest.raises(ModelUnavailable, match=status):
        answer(a_response(status=status))


@pytest.mark.parametrize("payload", [{}, {"output": None}, {"output": "Hi"}, {"choices": [{"message": {}}]}])
def test_an_answer_without_output_is_none(payload: JsonObject) -> None:
    with pytest.raises(ModelUnavailable, match="without output"):
        answer(payload)


def test_an_answer_of_nothing_is_empty() -> None:
    read = answer(a_response())
    assert (read.text, read.calls, read.stop) == ("", (), "end")


def test_a_call_of_ours_is_never_named_by_our_id() -> None:
    call = a_call()
    assert "call_ours" not in str(body(a_request(ModelTurn("", (call,), "chat"), ResultTurn(call, "x"))))
