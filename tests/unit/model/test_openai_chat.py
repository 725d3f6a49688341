"""Chat Completions, both ways."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelUnavailable
from agent.events import Usage
from agent.openai_chat import answer, body
from agent.ports import ModelTurn, ResultTurn
from tests.unit.model.builders import a_request, a_thread
from tests.unit.model.test_openai_responses import TOOL


def a_call_of(call_id: JsonValue, arguments: JsonValue, name: str = "look_up_order", **more: JsonValue) -> JsonObject:
    """A call as the API spells it."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


SEVEN, EIGHT = a_call_of("call_a", '{"number": 7}'), a_call_of("call_b", '{"number": 8}')


def test_a_whole_thread_becomes_this_request() -> None:
    function = {name: value for name, value in TOOL.items() if name not in {"type", "strict"}}
    assert body(a_request(*a_thread())) == {
        "model": "gpt-test",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Where is 7?"},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [SEVEN]},
            {"role": "tool", "tool_call_id": "call_a", "content": "shipped"},
            {
                "role": "assistant",
                "content": "And 8.",
                "tool_calls": [EIGHT, a_call_of("call_c", "{}", "odd_name")],
            },
            {"role": "tool", "tool_call_id": "call_b", "content": "lost"},
            {"role": "tool", "tool_call_id": "call_c", "content": "Failed: no"},
            {"role": "user", "content": "Thanks"},
        ],
        "tools": [{"type": "function", "function": function}],
    }


def test_without_tools_and_instructions_only_what_was_said_is_sent() -> None:
    request = replace(a_request(ModelTurn("Hi", api="chat"), instructions=""), tools=())
    assert body(request) == {"model": "gpt-test", "messages": [{"role": "assistant", "content": "Hi"}]}


def a_completion(message: JsonValue, reason: str = "stop", **more: JsonValue) -> JsonObject:
    """A completion with one choice."""
    return {"model": "m-1", "choices": [{"index": 0, "finish_reason": reason, "message": message}], **more}


def said(content: JsonValue = None, *calls: JsonObject, **more: JsonValue) -> JsonObject:
    """An assistant's message."""
    return {
        "role": "assistant",
        "content": content,
        "refusal": None,
        **({"tool_calls": [*calls]} if calls else {}),
        **more,
    }


def test_text_model_and_usage_are_read() -> None:
    usage: JsonObject = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
    read = answer(a_completion(said("Hello"), usage=usage))
    assert (read.text, read.stop, read.model, read.api, read.items) == ("Hello", "end", "m-1", "chat", ())
    assert read.usage == Usage(input=9, output=3, cached=4)


def test_content_in_parts_is_joined() -> None:
    assert answer(a_completion(said([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]))).text == "ab"


@pytest.mark.parametrize("reason", ["tool_calls", "stop"])
def test_calls_are_read_whatever_the_finish_reason_says(reason: str) -> None:
    read = answer(a_completion(said(None, SEVEN, EIGHT), reason))
    assert read.stop == "calls"
    assert [(call.provider_id, call.arguments) for call in read.calls] == [
        ("call_a", {"number": 7}),
        ("call_b", {"number": 8}),
    ]
    assert read.items == ()


def test_ids_come_out_distinct_even_where_a_server_sends_none() -> None:
    calls = [a_call_of(each, "{}") for each in ("", None, "call", "a", "a")]
    read = answer(a_completion(said(None, *calls)), {"a"})
    assert [call.provider_id for call in read.calls] == ["call", "call-2", "call-3", "a-2", "a-3"]


def test_arguments_that_are_an_object_already_are_taken() -> None:
    assert answer(a_completion(said(None, a_call_of("a", {"number": 7})))).calls[0].arguments == {"number": 7}


def test_a_call_that_lacks_its_function_is_malformed() -> None:
    assert answer(a_completion(said(None, {"id": "a", "type": "function"}))).calls[0].malformed


def test_a_refusal_is_told_in_the_models_words_and_runs_nothing() -> None:
    read = answer(a_completion(said(None, SEVEN, refusal="I cannot.")))
    assert (read.stop, read.text, read.calls, read.items) == ("refusal", "I cannot.", (), ())


def test_a_filtered_answer_is_a_refusal() -> None:
    assert answer(a_completion(said("Half", SEVEN), "content_filter")).stop == "refusal"


def test_a_cut_answer_keeps_its_text_and_drops_its_calls() -> None:
    read = answer(a_completion(said("I will", a_call_of("call_a", '{"num')), "length"))
    assert (read.stop, read.text, read.calls) == ("length", "I will", ())


def test_fields_of_the_servers_own_are_given_back_with_the_call() -> None:
    signed = a_call_of("call_a", '{"number": 7}', extra_content={"google": {"thought_signature": "s"}})
    read = answer(a_completion(said(None, signed, reasoning_content="Hm", audio=None)))
    turn = ModelTurn(read.text, read.calls, read.api, read.items)
    given = {"role": "assistant", "content": "", "tool_calls": [signed], "reasoning_content": "Hm"}
    assert body(a_request(turn, ResultTurn(read.calls[0], "x")))["messages"][1] == given  # type: ignore[index] # a list
    retold = {"role": "assistant", "content": "", "tool_calls": [SEVEN]}
    assert body(a_request(turn), {"reasoning"})["messages"][1] == retold  # type: ignore[index] # a list


def test_reasoning_of_an_answer_without_calls_is_not_kept() -> None:
    assert answer(a_completion(said("Hi", reasoning_content="Hm"))).items == ()


@pytest.mark.parametrize(
    "payload",
    [{}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": "Hi"}]}, {"choices": {}}, {"output": []}],
)
def test_an_answer_without_a_message_is_none(payload: JsonObject) -> None:
    with pytest.raises(ModelUnavailable, match="without a message"):
        answer(payload)
