"""What a tool says beforehand that it would do: read by people, and never in the way of the arguments."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from agent import calling
from agent.tool import catalog, tool
from tests.builders import a_call

Preview = Callable[..., str | Awaitable[str]]


async def preview_of(preview: Preview) -> str:
    """What people would read."""

    @tool(preview=preview)
    async def pay(order: str) -> str:
        """Pay."""
        raise AssertionError(f"a preview paid for {order}")

    return await calling.preview(catalog([pay])["pay"], a_call("pay", order="1042"))


async def slow(order: str) -> str:
    """Never says anything."""
    await asyncio.Event().wait()
    return order


def stuck(order: str) -> str:
    """Holds its thread."""
    time.sleep(1)
    return order


async def test_a_preview_is_what_the_tool_says_of_the_very_arguments() -> None:
    assert await preview_of(lambda order: f"Pays for {order}.") == "Pays for 1042."


@pytest.mark.parametrize("error", [ValueError("secret words"), SystemExit(3), KeyError("x")])
async def test_a_preview_that_fails_is_said_to_have_failed_and_hides_nothing(error: BaseException) -> None:
    def broken(order: str) -> str:
        raise error

    assert await preview_of(broken) == f"(the preview failed: {type(error).__name__})"


@pytest.mark.parametrize("preview", [slow, stuck])
async def test_a_preview_that_takes_too_long_is_not_waited_for(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "PREVIEW_LIMIT", 0.05)
    assert await asyncio.wait_for(preview_of(preview), 0.9) == "(the preview took too long)"
