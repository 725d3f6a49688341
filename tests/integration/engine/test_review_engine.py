"""What goes wrong around the loop: tools and channels that misbehave, stores that blink, threads that fail for long."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy import text

from agent.conversation import SlackThread
from agent.errors import ChannelDown, StoreDown
from agent.events import ToolFailed, ToolReturned
from agent.ports import Presence
from agent.tool import Tool, catalog, tool
from approvals.decision import Reject
from bot.inbox import Delivery
from bot.outbox import Outbox
from bot.settings import Settings
from bot.wiring import build
from bot.worker import BACKOFF
from store import schema
from store.database import Tx
from tests.builders import ADA, DANA, PLACE, Ledger, a_call, calls, said
from tests.world import PATIENCE, World, a_world

T = TypeVar("T")
HALF = "\ud83d"
"""Half of an emoji: a text that no UTF-8 can carry."""


class Toolbox(Ledger):
    """A ledger with one tool more."""

    def __init__(self, more: Tool) -> None:
        super().__init__()
        self.more = more

    def tools(self) -> dict[str, Tool]:
        """All of them."""
        return {**super().tools(), **catalog([self.more])}


async def status(world: World, thread: str) -> tuple[str, int]:
    """What the thread's row says."""
    statement = text("SELECT status, attempts FROM thread WHERE id = :id")
    row = await world.database.read(lambda c: c.execute(statement, {"id": thread}).one())
    return row[0], row[1]


async def test_a_tool_that_raises_a_cancellation_has_failed_and_is_not_run_for_ever(url: str) -> None:
    runs = []

    @tool(effect="read")
    async def give_up() -> str:
        """Give up."""
        runs.append(1)
        raise asyncio.CancelledError

    async with a_world(url, calls(a_call("give_up")), said("It gave up."), ledger=Toolbox(give_up)) as world:
        thread = await world.say("Do it")
        await world.until(thread, "reply_sent")
        assert runs == [1]
        assert [e.why for e in await world.events(thread) if isinstance(e, ToolFailed)] == ["raised"]


@pytest.mark.parametrize("raises", [False, True])
async def test_a_tool_whose_text_no_utf8_can_carry_is_taken_down_all_the_same(url: str, raises: bool) -> None:
    @tool(effect="read")
    async def speak() -> dict[str, list[str]]:
        """Speak."""
        if raises:
            raise RuntimeError(HALF)
        return {HALF: [f"a{HALF}"]}

    async with a_world(url, calls(a_call("speak")), said("Odd."), ledger=Toolbox(speak)) as world:
        thread = await world.say("Do it")
        await world.until(thread, "reply_sent")
        results = [e for e in await world.events(thread) if isinstance(e, ToolFailed | ToolReturned)]
        assert len(results) == 1


async def test_a_message_and_a_reason_that_no_utf8_can_carry_are_taken_in(url: str) -> None:
    refund = calls(a_call("refund", order_id="1", amount=1.0))
    async with a_world(url, refund, said("Hello.")) as world:
        thread = await world.say(f"Hi {HALF}")
        asked = await world.approval(thread)
        await world.gate.decide(asked.approval_id, Reject(f"no {HALF}\x00"), DANA, "slack")
        await world.until(thread, "reply_sent")


async def test_a_channel_that_is_down_for_hours_stalls_nothing(url: str) -> None:
    async with a_world(url, said("Hello.")) as world:
        world.outbox.failures = [ChannelDown("502") for _ in range(20)]
        thread = await world.say("Hi")
        async with asyncio.timeout(20):
            while world.outbox.failures:
                world.clock.move(BACKOFF[-1])
                await world.database.write(lambda tx: world.engine.wake(tx, thread))
                await asyncio.sleep(0.02)
            world.clock.move(BACKOFF[-1])
        await world.until(thread, "reply_sent")
        assert world.outbox.texts == ["Hello."]


async def test_a_message_gives_a_stalled_thread_all_its_tries_again(url: str) -> None:
    async with a_world(url, said("Hello."), ValueError("a bug"), said("Here I am.")) as world:
        thread = await world.say("Hi")
        await world.until(thread, "reply_sent")
        stall = text("UPDATE thread SET status = 'stalled', attempts = 8 WHERE id = :id")
        await world.database.write(lambda tx: tx.connection.execute(stall, {"id": thread}).close())
        await world.say("Still there?", key="k2")
        async with asyncio.timeout(PATIENCE):
            while await status(world, thread) != ("active", 1):
                await asyncio.sleep(0.01)
        world.clock.move(BACKOFF[-1])
        await world.until(thread, "reply_sent", 2)


async def test_a_store_that_blinks_while_the_lease_lasts_cuts_no_work_short(url: str) -> None:
    ended, runs = asyncio.Event(), []

    @tool(effect="read")
    async def slow() -> str:
        """Take a while."""
        runs.append(1)
        await ended.wait()
        return "done"

    async with a_world(url, calls(a_call("slow")), said("Done."), ledger=Toolbox(slow)) as world:
        world.threads.lease = 1.5
        write, failed = world.database.write, list[int]()

        async def blinking(work: Callable[[Tx], T]) -> T:
            if not failed and "renew" in getattr(work, "__qualname__", ""):
                failed.append(1)
                raise StoreDown
            return await write(work)

        world.database.write = blinking  # type: ignore[method-assign]  # the one fault that no real database has on demand
        thread = await world.say("Do it")
        while not failed:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.6)
        ended.set()
        await world.until(thread, "reply_sent")
        assert runs == [1]


class RudeChannel:
    """A channel whose decoration breaks in a way that nobody has thought of."""

    async def show_presence(self, conversation: SlackThread, presence: Presence) -> None:
        """Break."""
        raise KeyError("ok")


async def test_decoration_that_breaks_is_no_more_than_that() -> None:
    await Outbox({"slack": RudeChannel()}).show_presence(PLACE, "working")  # type: ignore[dict-item]  # half of one


async def test_a_process_that_only_takes_in_keeps_no_list_of_what_it_took_in(url: str) -> None:
    service = build(Settings.load(env_file=None, database_url=url), role="web")
    try:
        await schema.migrate(service.threads.database)
        await service.inbox.deliver(Delivery(PLACE, ("k1",), ADA, "Hi"))
        assert not vars(service.engine)["dispatcher"].turns.waiting
        assert len(await service.threads.due()) == 1
    finally:
        await service.threads.database.aclose()
