"""Every error of the SDK's comes out as one of ours, and says which setting or word it is about."""

import asyncio
import inspect

import aiohttp
import pytest
from slack_sdk import errors as sdk
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from agent.errors import ChannelDown, ChannelError, ChannelRefused
from bot.slack.clients import client, retry_handlers
from bot.slack.errands import Errands
from bot.slack.failures import slack_failures


def answer(status: int, word: str | None) -> sdk.SlackApiError:
    data: dict[str, object] = {"ok": False, "error": word} if word else {}
    response = AsyncSlackResponse(
        client=AsyncWebClient(), http_verb="POST", api_url="x", req_args={}, data=data, headers={}, status_code=status
    )
    return sdk.SlackApiError("failed with xoxb-secret", response)  # type: ignore[no-untyped-call]  # untyped in the SDK


@pytest.mark.parametrize(
    "status, word", [(429, "ratelimited"), (500, None), (503, "x"), (200, "internal_error"), (200, "invalid_auth")]
)
def test_what_may_pass_is_tried_again(status: int, word: str | None) -> None:
    with pytest.raises(ChannelDown), slack_failures():
        raise answer(status, word)


@pytest.mark.parametrize("word", ["channel_not_found", "not_in_channel", "is_archived", "unheard_of"])
def test_what_will_not_pass_is_refused_with_slacks_word_and_nothing_else(word: str) -> None:
    with pytest.raises(ChannelRefused) as caught, slack_failures():
        raise answer(200, word)
    assert str(caught.value) == f"Slack says: {word}"


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), aiohttp.ServerDisconnectedError(), aiohttp.ClientPayloadError()]
)
def test_a_lost_connection_is_tried_again(error: Exception) -> None:
    with pytest.raises(ChannelDown), slack_failures():
        raise error


def test_no_error_class_of_the_sdks_gets_through() -> None:
    classes = [each for _, each in inspect.getmembers(sdk, inspect.isclass) if issubclass(each, sdk.SlackClientError)]
    assert len(classes) >= 5
    for each in classes:
        made = answer(200, "x") if each is sdk.SlackApiError else each.__new__(each)
        with pytest.raises(ChannelError), slack_failures():
            raise made


@pytest.mark.parametrize("wait, waits", [("1", True), ("5", True), ("6", False), ("soon", False), (None, True)])
async def test_only_short_waits_are_waited_out_in_place(wait: str | None, waits: bool) -> None:
    headers: dict[str, str | list[str]] = {"Retry-After": [wait]} if wait else {}
    response = HttpResponse(status_code=429, headers=headers)
    request = HttpRequest(method="POST", url="x", headers={})
    found = [
        await each.can_retry_async(state=RetryState(), request=request, response=response) for each in retry_handlers()
    ]
    assert any(found) == waits


async def test_what_may_have_been_done_is_not_repeated_in_place() -> None:
    request = HttpRequest(method="POST", url="x", headers={})
    for response, error in (
        (HttpResponse(status_code=503, headers={}), None),
        (None, aiohttp.ServerDisconnectedError()),
    ):
        for each in retry_handlers():
            state = RetryState()
            assert not await each.can_retry_async(state=state, request=request, response=response, error=error)


def test_loopback_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert client("xoxb-1", "http://127.0.0.1:1/api/").proxy is None
    assert client("xoxb-1", "https://slack.com/api/").proxy == "http://proxy.example:3128"


async def test_an_errand_that_fails_harms_nobody_and_one_that_hangs_is_let_go() -> None:
    errands, done = Errands(), []

    async def fails() -> None:
        raise RuntimeError("no")

    async def hangs() -> None:
        await asyncio.sleep(60)

    async def works() -> None:
        done.append(True)

    for name, work in (("a", fails()), ("b", hangs()), ("c", works())):
        errands.start(name, work)
    await errands.drain(0.05)
    assert done == [True]
    await errands.drain(0.05)
