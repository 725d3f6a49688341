"""Fields and items that a server does not know are left out, where that is safe, and only if it helps."""

import json

import pytest

from agent.errors import ModelRefused
from agent.model import OpenAIModel
from agent.openai_rejection import Rejection
from agent.openai_responses import body as responses_body
from agent.ports import ModelTurn
from tests.integration.model.conftest import Models
from tests.integration.model.provider import HELLO, Asked, Provider, Said, a_refusal
from tests.unit.model.builders import a_request, a_thread


@pytest.mark.parametrize("fields", [("include",), ("store",), ("include", "store")])
async def test_fields_that_a_server_does_not_know_are_left_out_and_remembered(
    models: Models, provider: Provider, fields: tuple[str, ...]
) -> None:
    def rule(asked: Asked) -> Said:
        unknown = next((each for each in fields if each in asked.body), None)
        return a_refusal(400, f"Unknown parameter: '{unknown}'.") if unknown else Said(HELLO)

    provider.script = [rule]
    model = models.open()
    assert (await model.respond(a_request())).text == "Hello"
    assert len(provider.asked) == len(fields) + 1
    await model.respond(a_request())
    assert len(provider.asked) == len(fields) + 2
    assert provider.asked[-1].body == responses_body(a_request(), fields)


async def test_what_one_model_does_not_know_another_is_still_sent(models: Models, provider: Provider) -> None:
    def rule(asked: Asked) -> Said:
        small = asked.body["model"] == "small" and "include" in asked.body
        return a_refusal(400, "Encrypted content is not supported with this model.") if small else Said(HELLO)

    provider.script = [rule]
    model = models.open()
    await model.respond(a_request(model="small"))
    await model.respond(a_request(model="large"))
    assert "include" in provider.asked[-1].body


async def test_a_refusal_that_leaving_out_does_not_mend_is_not_remembered(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(400, "Please include a question.")]
    model = models.open()
    with pytest.raises(ModelRefused, match="Please include a question"):
        await model.respond(a_request())
    assert len(provider.asked) == 2
    provider.script = [Said(HELLO)]
    await model.respond(a_request())
    assert "include" in provider.asked[-1].body


async def test_reasoning_that_a_server_cannot_read_is_retold_this_once(models: Models, provider: Provider) -> None:
    def rule(asked: Asked) -> Said:
        foreign = "rs_1" in json.dumps(asked.body)
        return a_refusal(400, "The encrypted content for item rs_1 could not be verified.") if foreign else Said(HELLO)

    provider.script = [rule]
    model = models.open()
    request = a_request(*a_thread())
    assert (await model.respond(request)).text == "Hello"
    assert provider.asked[-1].body == responses_body(request, {"reasoning"})
    await model.respond(request)
    assert len(provider.asked) == 4


async def test_an_identical_request_is_not_sent_again(models: Models, provider: Provider) -> None:
    provider.script = [a_refusal(400, "reasoning is off today")]
    with pytest.raises(ModelRefused):
        await models.open().respond(a_request(ModelTurn("Hi")))
    assert len(provider.asked) == 1


def test_openai_itself_is_never_asked_to_store() -> None:
    named = Rejection(400, "Unsupported parameter: store")
    assert OpenAIModel(api_key="k")._optional(named) == frozenset()
    assert OpenAIModel(api_key="k", base_url="https://eu.api.openai.com/v1")._optional(named) == frozenset()
    assert OpenAIModel(api_key="k", base_url="http://localhost/v1")._optional(named) == {"store"}
