"""The Model port over the wire: what is asked, what comes of refusals, and who is asked again."""

import asyncio
import json
import subprocess
import sys
import time

import pytest

from agent.conversation import JsonObject
from agent.errors import ConfigError, ModelRefused, ModelUnavailable
from agent.model import OpenAIModel
from agent.openai_chat import body as chat_body
from agent.openai_responses import body as responses_body
from agent.ports import Model, UserTurn
from tests.integration.model.conftest import KEY, Models
from tests.integration.model.provider import HELLO, HELLO_CHAT, Provider, Said, a_refusal
from tests.unit.model.builders import a_request, a_thread


async def test_the_responses_api_is_asked_with_our_body_and_key(models: Models, provider: Provider) -> None:
    provider.script = [Said(HELLO)]
    request = a_request(*a_thread())
    model: Model = models.open()
    answer = await model.respond(request)
    assert (answer.text, answer.model, answer.usage.input) == ("Hello", "gpt-test-1", 5)
    [asked] = provider.asked
    assert asked.path == "/v1/responses"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == responses_body(request)


async def test_chat_completions_is_asked_with_our_body(models: Models, provider: Provider) -> None:
    provider.script = [Said(HELLO_CHAT)]
    request = a_request(*a_thread())
    assert (await models.open("chat").respond(request)).text == "Hello"
    [asked] = provider.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == chat_body(request)


async def test_letters_of_every_kind_arrive(models: Models, provider: Provider) -> None:
    provider.script = [Said(HELLO)]
    await models.open().respond(a_request(UserTurn("für Łukasz 😀 \ud83d half")))
    assert provider.asked[0].body["input"] == [{"role": "user", "content": "für Łukasz 😀 ? half"}]


async def test_a_server_that_asks_for_no_key_is_served_without_one(models: Models, provider: Provider) -> None:
    provider.script = [Said(HELLO)]
    assert (await models.open(key="").respond(a_request())).text == "Hello"


async def test_call_ids_of_the_thread_are_not_given_out_again(models: Models, provider: Provider) -> None:
    call: JsonObject = {
        "type": "function_call",
        "call_id": "call_a",
        "name": "look_up_order",
        "arguments": '{"number": 1}',
    }
    provider.script = [Said({"output": [call]})]
    answer = await models.open().respond(a_request(*a_thread()))
    assert answer.calls[0].provider_id == "call_a-2"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_asked_again(models: Models, provider: Provider, status: int) -> None:
    provider.script = [a_refusal(status), a_refusal(status), Said(HELLO)]
    assert (await models.open().respond(a_request())).text == "Hello"
    assert models.slept == [0.5, 1.0]
    assert provider.asked[0].body == provider.asked[2].body


async def test_the_server_may_say_when(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(429, retry_after="7"), a_refusal(429, retry_after_ms="250"), Said(HELLO)]
    await models.open().respond(a_request())
    assert models.slept == [7, 0.25]


async def test_a_server_that_wants_to_be_left_alone_for_long_is(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(429, retry_after="600")]
    with pytest.raises(ModelUnavailable, match="429"):
        await models.open().respond(a_request())
    assert (models.slept, len(provider.asked)) == ([], 1)


async def test_a_server_may_forbid_to_ask_again(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(500, x_should_retry="false")]
    with pytest.raises(ModelUnavailable):
        await models.open().respond(a_request())
    assert len(provider.asked) == 1


async def test_asking_again_ends(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(503, "overloaded", x_request_id="req_7")]
    with pytest.raises(ModelUnavailable, match=r"status 503.*overloaded.*req_7"):
        await models.open().respond(a_request())
    assert (models.slept, len(provider.asked)) == ([0.5, 1, 2, 4], 5)


async def test_waiting_ends_however_often_it_is_asked_for(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(429, retry_after="25")]
    with pytest.raises(ModelUnavailable):
        await models.open().respond(a_request())
    assert models.slept == [25, 25]


@pytest.mark.parametrize(
    "status, word",
    [
        (400, "OPENAI_MODEL"),
        (401, "OPENAI_API_KEY"),
        (403, "OPENAI_API_KEY"),
        (404, "OPENAI_BASE_URL"),
        (422, "OPENAI_MODEL"),
    ],
)
async def test_a_refusal_for_good_says_what_to_do(models: Models, provider: Provider, status: int, word: str) -> None:
    secret = "Mrs. Miller's order 4711 was broken on arrival"
    provider.script = [a_refusal(status, f"key {KEY} is bad, and so is '{secret}'")]
    with pytest.raises(ModelRefused, match=word) as raised:
        await models.open().respond(a_request(UserTurn(secret)))
    assert len(provider.asked) == 1
    assert KEY not in str(raised.value)
    assert "4711" not in str(raised.value)
    assert raised.value.__context__ is None


async def test_the_answer_to_a_redirect_is_not_to_follow_it(models: Models, provider: Provider) -> None:
    provider.script = [Said("", 307, {"location": f"{provider.url}/elsewhere"})]
    with pytest.raises(ModelRefused, match="OPENAI_BASE_URL"):
        await models.open().respond(a_request())
    assert len(provider.asked) == 1


@pytest.mark.parametrize("body", ["<html>it works</html>", "", "[]", "{}", '{"output": nul'])
@pytest.mark.parametrize("media_type", ["application/json", "text/html"])
async def test_what_is_no_answer_is_none(models: Models, provider: Provider, body: str, media_type: str) -> None:
    provider.script = [Said(body, headers={"content-type": media_type})]
    with pytest.raises(ModelUnavailable):
        await models.open().respond(a_request())


async def test_an_answer_counts_whatever_it_is_labelled_as(models: Models, provider: Provider) -> None:
    provider.script = [Said(json.dumps(HELLO), headers={"content-type": "text/plain"})]
    assert (await models.open().respond(a_request())).text == "Hello"


async def test_a_failure_within_an_answer_is_asked_again(models: Models, provider: Provider) -> None:
    failed = Said({"status": "failed", "error": {"code": "server_error", "message": "oops"}, "output": []})
    provider.script = [failed, Said(HELLO)]
    assert (await models.open().respond(a_request())).text == "Hello"


async def test_nobody_there_is_told_after_asking_again(models: Models) -> None:
    model = models.open(base_url="http://user:pass@127.0.0.1:9/v1?token=t")
    with pytest.raises(ModelUnavailable, match=r"http://127\.0\.0\.1:9/v1 could not be reached") as raised:
        await model.respond(a_request())
    assert len(models.slept) == 4
    assert "pass" not in str(raised.value)


async def test_a_connection_that_breaks_is_asked_again(models: Models) -> None:
    seen = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        await reader.readuntil(b"\r\n\r\n")
        if seen > 1:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ModelUnavailable, match="could not be reached"):
            await models.open(base_url=f"http://127.0.0.1:{port}/v1").respond(a_request())
    assert seen == 5


async def test_a_server_that_trickles_is_given_up_in_time(models: Models) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        model = models.open(base_url=f"http://127.0.0.1:{port}/v1", timeout=0.1)
        await model.warm()
        start = time.monotonic()
        with pytest.raises(ModelUnavailable, match="no answer in time"):
            await model.respond(a_request())
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("key", ["sk abc", "sk\nabc", "sk-ä", "sk\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as raised:
        OpenAIModel(api_key=key)
    assert key not in str(raised.value)


@pytest.mark.parametrize("base_url", ["", "api.openai.com", "ftp://host/v1", "http://", "https:///v1"])
def test_an_address_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL"):
        OpenAIModel(api_key="k", base_url=base_url)


def test_a_models_repr_keeps_the_key() -> None:
    assert KEY not in repr(OpenAIModel(api_key=KEY))


async def test_many_may_ask_at_once_through_one_client(models: Models, provider: Provider) -> None:
    provider.script = [Said(HELLO)]
    model = models.open()
    answers = await asyncio.gather(*(model.respond(a_request()) for _ in range(20)))
    assert len(answers) == 20


async def test_a_closed_model_opens_anew(models: Models, provider: Provider) -> None:
    provider.script = [Said(HELLO)]
    model = models.open()
    await model.aclose()
    await model.respond(a_request())
    await model.aclose()
    assert (await model.respond(a_request())).text == "Hello"


async def test_dropping_an_answer_frees_its_connection(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(503)]
    model = models.open()
    stuck = asyncio.Event()

    async def wait(_: float) -> None:
        await stuck.wait()

    model.sleep = wait
    asking = asyncio.create_task(model.respond(a_request()))
    while not provider.asked:
        await asyncio.sleep(0.005)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    provider.script = [Said(HELLO)]
    assert (await model.respond(a_request())).text == "Hello"


@pytest.mark.slow
def test_the_library_is_not_loaded_until_it_is_needed_and_then_beside_the_event_loop() -> None:
    program = """
import asyncio, sys, time
from agent.model import OpenAIModel
async def main():
    model = OpenAIModel(api_key="k")
    assert "openai" not in sys.modules
    warming = asyncio.create_task(model.warm())
    worst, last = 0.0, time.monotonic()
    while not warming.done():
        await asyncio.sleep(0.005)
        worst, last = max(worst, time.monotonic() - last), time.monotonic()
    await warming
    assert "openai" in sys.modules
    print(worst)
asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert float(ran.stdout) < 0.5
