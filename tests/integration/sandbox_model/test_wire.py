"""The model server through OpenAI's own client: both APIs, streamed and not, its refusals, faults and scripts."""

import json
from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses import ResponseCompletedEvent, ResponseFunctionToolCall, ResponseOutputMessage
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from sandbox.model import KEY, MODEL, Fault, ModelServer, script
from sandbox.model.chat_in import PARAMETERS as CHAT_PARAMETERS
from sandbox.model.responses_in import PARAMETERS

SCHEMA = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
TOOL = {"type": "function", "name": "lookup_order", "description": "Look up", "parameters": SCHEMA, "strict": False}
CHAT_TOOL = {"type": "function", "function": {"name": "lookup_order", "parameters": SCHEMA}}
ASK = [{"role": "user", "content": "refund order 1042"}]
ENCRYPTED = ["reasoning.encrypted_content"]


@pytest.fixture
async def server() -> ModelServer:
    return ModelServer()


@pytest.fixture
async def client(server: ModelServer) -> AsyncIterator[AsyncOpenAI]:
    async with server.serve() as url, AsyncOpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as made:
        yield made


async def _respond(client: AsyncOpenAI, **more: object) -> openai.types.responses.Response:
    asked = {"model": MODEL, "input": ASK, "tools": [TOOL], "store": False, **more}
    return await client.responses.create(**asked)  # type: ignore[call-overload, no-any-return]  # wrong ones too


async def _chat(client: AsyncOpenAI, **more: object) -> openai.types.chat.ChatCompletion:
    asked = {"model": MODEL, "messages": ASK, "tools": [CHAT_TOOL], **more}
    return await client.chat.completions.create(**asked)  # type: ignore[call-overload, no-any-return]  # wrong ones too


async def test_the_models_list_names_what_it_is(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["sandbox-rules-1"]


async def test_responses_gives_a_call_and_takes_its_result(client: AsyncOpenAI) -> None:
    first = await _respond(client, include=ENCRYPTED)
    call = first.output[-1]
    assert isinstance(call, ResponseFunctionToolCall)
    assert json.loads(call.arguments) == {"order_id": "1042"}
    history = [*ASK, *[item.model_dump(exclude_none=True) for item in first.output]]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": '{"error": "no such order"}'}
    second = await _respond(client, input=[*history, result], include=ENCRYPTED)
    assert "could not find an order 1042" in second.output_text


async def test_responses_streams_the_same(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(
        model=MODEL, input="hello there", store=False, stream=True, include=["reasoning.encrypted_content"]
    )
    text, events = "", []
    async for event in stream:
        events.append(event)
        text += event.delta if event.type == "response.output_text.delta" else ""
    assert isinstance(events[-1], ResponseCompletedEvent)
    assert events[-1].response.output_text == text
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_the_client_s_own_stream_reader_assembles_the_calls(client: AsyncOpenAI) -> None:
    async with client.responses.stream(model=MODEL, input="refund order 1042", tools=[TOOL], store=False) as stream:  # type: ignore[list-item]  # a plain dict
        final = await stream.get_final_response()
    assert isinstance(final.output[-1], ResponseFunctionToolCall)
    async with client.chat.completions.stream(
        model=MODEL, messages=[{"role": "user", "content": "hello"}], stream_options={"include_usage": True}
    ) as chat:
        done = await chat.get_final_completion()
    assert "Hello!" in (done.choices[0].message.content or "")
    assert done.usage is not None


async def test_chat_gives_a_call_and_takes_its_result(client: AsyncOpenAI) -> None:
    first = await _chat(client)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Failed: no such order"}
    second = await _chat(client, messages=[*ASK, message.model_dump(exclude_none=True), result])
    assert "could not find" in (second.choices[0].message.content or "")


CALL = {"type": "function_call", "call_id": "call_1", "name": "lookup_order", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
BAD_SCHEMA = {"type": "object", "properties": {}, "required": ["gone"]}


@pytest.mark.parametrize(
    "more, words",
    [
        ({"store": True}, "stores nothing"),
        ({"store": None}, "stores nothing"),
        ({"previous_response_id": "resp_1"}, "stores nothing"),
        ({"extra_body": {"colour": "red"}}, "Unknown parameter: 'colour'"),
        ({"input": [*ASK, RESULT]}, "No tool call found"),
        ({"input": [*ASK, CALL]}, "No tool output found"),
        ({"input": [*ASK, CALL, RESULT, RESULT]}, "Duplicate function call output"),
        ({"input": [*ASK, CALL, CALL, RESULT]}, "Duplicate function call with"),
        ({"input": [*ASK, {**CALL, "call_id": "call_r_1"}, {**RESULT, "call_id": "call_r_1"}]}, "'reasoning' item"),
        ({"input": [*ASK, {"type": "reasoning", "id": "rs_1", "summary": []}]}, "not persisted"),
        ({"input": [*ASK, {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}]}, "verified"),
        ({"input": [{"role": "user", "content": "x", "colour": "red"}]}, "Unknown parameter: 'input[0].colour'"),
        ({"input": []}, "is required"),
        ({"tools": [TOOL, TOOL]}, "Duplicate tool name"),
        ({"tools": [{**TOOL, "name": "no spaces"}]}, "does not match"),
        ({"tools": [{**TOOL, "parameters": BAD_SCHEMA}]}, "'required' names"),
        ({"tools": [{**TOOL, "parameters": {"type": "string"}}]}, "must be of type 'object'"),
        ({"tools": [{**TOOL, "strict": True}]}, "'additionalProperties' is required"),
        ({"tool_choice": {"type": "function", "name": "gone"}}, "not found in 'tools'"),
        ({"max_output_tokens": 3}, "16 or more"),
    ],
)
async def test_responses_refuses_what_openai_refuses(client: AsyncOpenAI, more: dict[str, object], words: str) -> None:
    with pytest.raises(openai.APIStatusError) as no:
        await _respond(client, **more)
    assert words in no.value.message
    assert no.value.status_code in {400, 404}


ANSWER = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "lookup_order", "arguments": "{}"}}]}  # fmt: skip  # noqa: E501 - one message on one line
TOLD = {"role": "tool", "tool_call_id": "c1", "content": "x"}


@pytest.mark.parametrize(
    "more, words",
    [
        ({"store": True}, "stores nothing"),
        ({"extra_body": {"colour": "red"}}, "Unknown parameter: 'colour'"),
        ({"messages": [*ASK, TOLD]}, "must be a response to a preceding message"),
        ({"messages": [*ASK, ANSWER]}, "did not have response messages: c1"),
        ({"messages": [*ASK, ANSWER, *ASK, TOLD]}, "did not have response messages: c1"),
        ({"messages": []}, "empty array"),
        ({"stream_options": {"include_usage": True}}, "only allowed when 'stream'"),
        ({"tools": [], "parallel_tool_calls": True}, "'tools' are specified"),
        ({"model": "gpt-unheard-of"}, "does not exist"),
    ],
)
async def test_chat_refuses_what_openai_refuses(client: AsyncOpenAI, more: dict[str, object], words: str) -> None:
    with pytest.raises(openai.APIStatusError) as no:
        await _chat(client, **more)
    assert words in no.value.message


async def test_a_wrong_key_is_401(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        await _respond(client.with_options(api_key="sk-other"))


async def test_parallel_calls_can_be_switched_off_and_tools_too(client: AsyncOpenAI) -> None:
    both = [{"role": "user", "content": "look up 1042 and 1043"}]
    assert len((await _respond(client, input=both)).output) == 2
    assert len((await _respond(client, input=both, parallel_tool_calls=False)).output) == 1
    assert "cannot look up" in (await _respond(client, input=both, tool_choice="none")).output_text


async def test_faults_on_demand_come_first_and_are_recorded(server: ModelServer, client: AsyncOpenAI) -> None:
    server.fail(Fault(429, retry_after="7"), Fault(500), Fault(hang=30))
    with pytest.raises(openai.RateLimitError) as limited:
        await _respond(client)
    assert limited.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.InternalServerError):
        await _respond(client)
    with pytest.raises(openai.APITimeoutError):
        await _respond(client.with_options(timeout=0.2))
    assert (await _respond(client)).output
    assert [request.status for request in server.requests() if request.status != 499][:2] == [429, 500]


async def test_a_cut_answer_is_a_broken_connection(server: ModelServer, client: AsyncOpenAI) -> None:
    server.fail(Fault(cut=True))
    with pytest.raises(openai.APIConnectionError):
        await _respond(client)


async def test_a_script_plays_its_steps_and_repeats_one_for_a_repeated_request(client: AsyncOpenAI) -> None:
    text = script(
        {"faults": [{"status": 429, "retry_after": "0"}], "call": [{"name": "lookup_order", "arguments": "{broken"}]},
        {"length": "I was going to"},
        {"refuse": "I will not."},
        {"say": "Fine."},
    )
    start = [{"role": "user", "content": f"go {text}"}]
    with pytest.raises(openai.RateLimitError):
        await _respond(client, input=start)
    await _respond(client, input=start)  # asked the same again, it says the same again
    call = (await _respond(client, input=start)).output[-1]
    assert isinstance(call, ResponseFunctionToolCall)
    assert call.arguments == "{broken"
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "bad"}
    history = [*start, call.model_dump(exclude_none=True), result]
    cut = await _respond(client, input=history)
    assert cut.status == "incomplete"
    refused = await _respond(client, input=[*history, {"role": "user", "content": "shorter"}])
    message = refused.output[-1]
    assert isinstance(message, ResponseOutputMessage)
    assert message.content[0].type == "refusal"
    final = await _respond(client, input=[*history, {"role": "user", "content": "and?"}])
    assert final.output_text == "Fine."


async def test_an_unreadable_script_is_refused(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="cannot be read"):
        await _respond(client, input='[[script {"steps": [{"sing": "x"}]}]]')


def test_every_parameter_that_is_taken_is_one_of_the_client_s() -> None:

    assert set(ResponseCreateParamsBase.__annotations__) | {"stream"} >= PARAMETERS
    assert set(CompletionCreateParamsBase.__annotations__) | {"stream"} >= CHAT_PARAMETERS
