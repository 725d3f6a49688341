"""The way to a channel: bounded, closed while the channel is down, opened by the first success."""

import asyncio

import pytest

from agent.errors import ChannelDown, ChannelRefused
from bot import line as module
from bot.line import Line


async def fail(line: Line, error: Exception) -> None:
    with pytest.raises(type(error)):
        async with line.used():
            raise error


async def test_one_that_hangs_is_let_go() -> None:
    line = Line("mail", limit=0.01)
    with pytest.raises(ChannelDown, match="mail did not answer within"):
        async with line.used():
            await asyncio.sleep(60)


async def test_after_some_failures_everybody_is_turned_away_at_once() -> None:
    line = Line("mail")
    for _ in range(module.FAILURES):
        await fail(line, ChannelDown("no"))
    assert line.is_down
    with pytest.raises(ChannelDown, match="mail is down"):
        async with line.used():
            raise AssertionError("nobody gets here")


async def test_one_is_let_through_after_a_pause_and_opens_it_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0,))
    line = Line("mail")
    for _ in range(module.FAILURES):
        await fail(line, ChannelDown("no"))
    async with line.used():
        with pytest.raises(ChannelDown, match="is down"):
            async with line.used():
                raise AssertionError("only one tries")
    assert not line.is_down
    async with line.used(), line.used():
        pass


async def test_a_trial_that_fails_or_is_cancelled_leaves_room_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0,))
    line = Line("mail")
    for _ in range(module.FAILURES + 2):
        await fail(line, ChannelDown("no"))
    await fail(line, asyncio.CancelledError())  # type: ignore[arg-type]  # raised all the same
    async with line.used():
        pass


async def test_a_refusal_is_an_answer() -> None:
    line = Line("mail")
    await fail(line, ChannelDown("no"))
    await fail(line, ChannelDown("no"))
    await fail(line, ChannelRefused("not you"))
    await fail(line, ChannelDown("no"))
    assert not line.is_down
