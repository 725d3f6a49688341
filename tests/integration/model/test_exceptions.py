"""No error of the client library's gets past the adapter: its classes are walked, and each is thrown at us."""

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import openai
import pytest
from openai import _exceptions

from agent.errors import ModelError, ModelRefused, ModelUnavailable
from agent.model import OpenAIModel, rejection_of
from tests.unit.model.builders import a_request

NOT_OF_A_REQUEST = {
    openai.InvalidWebhookSignatureError,  # raised by webhooks.unwrap(), which is never called
}


def exceptions() -> list[type[Exception]]:
    """All that the package exports, all in its module of exceptions, and all that inherits from them."""
    exported = [getattr(openai, name) for name in openai.__all__]
    named = [*exported, *vars(_exceptions).values()]
    roots = {each for each in named if inspect.isclass(each) and issubclass(each, Exception)}
    found = {each for root in roots for each in (root, *_below(root)) if each.__module__.startswith("openai")}
    return sorted(found - NOT_OF_A_REQUEST, key=lambda each: each.__name__)


def _below(root: type[Exception]) -> Iterator[type[Exception]]:
    for each in root.__subclasses__():
        yield each
        yield from _below(each)


def made(kind: type[Exception]) -> Exception:
    """One of that class, with whatever its constructor wants."""
    import httpx2  # noqa: PLC0415 - the client's own, not a dependency of ours

    request = httpx2.Request("POST", "http://127.0.0.1/v1/responses")
    status = getattr(kind, "status_code", 500)
    offered: dict[str, Any] = {
        "message": "no",
        "request": request,
        "response": httpx2.Response(status if isinstance(status, int) else 500, request=request),
        "body": {"message": "no"},
        "completion": SimpleNamespace(usage=None),
        "unsent_messages": [],
        "symbol": "x",
    }
    wanted = inspect.signature(kind.__init__).parameters
    return kind(**{name: value for name, value in offered.items() if name in wanted})


class Throwing:
    """A client whose every request ends in that error."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def post(self, *_: object, **__: object) -> bytes:
        """Never returns."""
        raise self.error

    async def close(self) -> None:
        """Nothing to close."""


async def thrown(error: BaseException) -> ModelError:
    """What comes out of the model when that comes out of the client."""
    model = OpenAIModel(api_key="k", retries=0)
    model._client = Throwing(error)  # type: ignore[assignment] # has what is used of it
    with pytest.raises(ModelError) as raised:
        await model.respond(a_request())
    return raised.value


def test_the_walk_finds_the_known_ones() -> None:
    assert {openai.RateLimitError, openai.APITimeoutError, openai.OpenAIError} <= set(exceptions())
    assert len(exceptions()) >= 15


@pytest.mark.parametrize("kind", exceptions())
async def test_every_exception_of_the_library_comes_out_as_one_of_ours(kind: type[Exception]) -> None:
    error = made(kind)
    expected = ModelUnavailable if rejection_of(error).may_pass else ModelRefused
    assert type(await thrown(error)) is expected


@pytest.mark.parametrize(
    "kind, expected",
    [
        (openai.AuthenticationError, ModelRefused),
        (openai.BadRequestError, ModelRefused),
        (openai.NotFoundError, ModelRefused),
        (openai.PermissionDeniedError, ModelRefused),
        (openai.UnprocessableEntityError, ModelRefused),
        (openai.ConflictError, ModelUnavailable),
        (openai.RateLimitError, ModelUnavailable),
        (openai.InternalServerError, ModelUnavailable),
        (openai.APIConnectionError, ModelUnavailable),
        (openai.APITimeoutError, ModelUnavailable),
        (openai.APIResponseValidationError, ModelUnavailable),
        (TimeoutError, ModelUnavailable),
    ],
)
async def test_each_means_what_it_should(kind: type[Exception], expected: type[ModelError]) -> None:
    assert type(await thrown(made(kind))) is expected
