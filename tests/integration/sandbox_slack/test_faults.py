"""What goes wrong on demand, and what is noted: faults, rate limits, lost answers, the record of calls."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.cast import SUPPORT, TEAM
from sandbox.slack.standin import SlackStandIn
from tests.integration.sandbox_slack.bolt_bot import Later

HERE = SUPPORT.id


async def refusal(call: Awaitable[Any]) -> str:
    """The error name of a call that must fail."""
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


async def test_what_slack_lets_pass_but_a_good_bot_avoids_is_noted(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await client.api_call("chat.postMessage", json={"channel": HERE, "blocks": [{"type": "divider"}]})
    await client.chat_postMessage(channel=HERE, text="x" * 4001, unfurl_links=False)
    await client.chat_postMessage(channel=HERE, text="see https://example.com")
    assert [warning["code"] for warning in slack.warnings] == [
        "missing_text_in_message",
        "text_will_be_split",
        "links_will_unfurl",
    ]


async def test_every_call_is_recorded_in_order_with_its_arguments(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=HERE, text="x")
    await refusal(client.users_info(user="U0NOBODY"))
    first, second = slack.calls()
    assert (first.method, first.arguments, first.ok) == ("chat.postMessage", {"channel": HERE, "text": "x"}, True)
    assert (second.arguments, second.error, second.team_id) == ({"user": "U0NOBODY"}, "user_not_found", TEAM)


async def test_the_rate_limit_of_a_channel_is_there_when_switched_on(
    slack: SlackStandIn, client: AsyncWebClient, later: Later
) -> None:
    slack.app.rate_limited = True
    await client.chat_postMessage(channel=HERE, text="1")
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(channel=HERE, text="2")
    assert (error.value.response.status_code, error.value.response.headers["Retry-After"]) == (429, "1")
    later(1)
    await client.chat_postMessage(channel=HERE, text="3")
    assert [m["text"] for m in slack.messages(HERE)] == ["1", "3"]


async def test_faults_come_when_asked_for_and_then_stop(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.next("chat.postMessage", "error:fatal_error")
    slack.faults.next("*", "500")
    assert await refusal(client.chat_postMessage(channel=HERE, text="x")) == "fatal_error"
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel=HERE, text="x")
    assert slack.messages(HERE) == []
    await client.chat_postMessage(channel=HERE, text="x")
    assert [(call.status, call.error) for call in slack.calls()] == [
        (200, "fatal_error"),
        (500, "internal_error"),
        (200, ""),
    ]
    with pytest.raises(ValueError, match="not flood"):
        slack.faults.next("*", "flood")


async def test_the_rate_limit_handler_of_the_sdk_waits_and_tries_again(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    slack.faults.next("chat.postMessage", "429", retry_after=0)
    await client.chat_postMessage(channel=HERE, text="x")
    assert [call.status for call in slack.calls()] == [429, 200]


async def test_a_lost_answer_is_lost_after_the_work_was_done(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.faults.next("chat.postMessage", "lost_answer")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.chat_postMessage(channel=HERE, text="x")
    assert [m["text"] for m in slack.messages(HERE)] == ["x"]
    assert (slack.calls()[0].status, slack.calls()[0].ok) == (0, True)


async def test_a_hanging_call_does_nothing_and_ends_only_with_the_caller(
    slack: SlackStandIn, client: AsyncWebClient
) -> None:
    slack.faults.next("chat.postMessage", "hang")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.chat_postMessage(channel=HERE, text="x")
    assert slack.messages(HERE) == []
    assert slack.calls()[0].status == 0
