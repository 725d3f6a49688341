"""Cards while channels are slow, or away for long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import text

from agent.conversation import SlackThread, SlackUser
from agent.errors import ChannelDown
from approvals.card import Card
from approvals.decision import Approve
from bot.cards import BACKOFF, Cards
from bot.outbox import Outbox
from tests.builders import DANA, a_call, calls
from tests.world import PATIENCE, World, a_world

REFUND = calls(a_call("refund", order_id="1042", amount=40.0))


@dataclass
class Board:
    """A channel that shows cards, keeps what it showed, and does what it is told before."""

    before: Callable[[Card], object] = lambda card: None
    shown: list[str] = field(default_factory=list)
    stuck: asyncio.Event | None = None

    async def show(self, address: SlackThread | SlackUser, card: Card, receipt: str, *, fresh: bool) -> str:
        """Show it."""
        self.before(card)
        if self.stuck is not None:
            stuck, self.stuck = self.stuck, None
            await stuck.wait()
        self.shown.append(card.status)
        return "T0:C0:1.1"


@asynccontextmanager
async def showing(world: World, board: Board) -> AsyncIterator[None]:
    """Cards at work."""
    cards = Cards(world.index, world.gate, Outbox({"slack": board}))  # type: ignore[dict-item]  # half a channel
    world.threads.cards_changed = cards.changed
    task = asyncio.create_task(cards.run())
    try:
        yield
    finally:
        cards.stop()
        async with asyncio.timeout(PATIENCE):
            await task


async def until_shown(board: Board, count: int) -> None:
    """Wait until so many cards were shown."""
    async with asyncio.timeout(PATIENCE):
        while len(board.shown) < count:
            await asyncio.sleep(0.01)


async def test_an_open_card_is_tried_for_as_long_as_it_is_open(url: str) -> None:
    failed = []

    def fail(_: Card) -> None:
        failed.append(1)
        if len(failed) == 1:
            raise ChannelDown("502")

    board = Board(fail)
    async with a_world(url, REFUND) as world, showing(world, board):
        thread = await world.say("Refund 1042")
        while not failed:
            await asyncio.sleep(0.01)
        many = text("UPDATE card SET attempts = 500, not_before = 0")
        failed.clear()
        await world.database.write(lambda tx: tx.connection.execute(many).close())
        while not failed:
            await asyncio.sleep(0.01)
        world.clock.move(BACKOFF[-1])
        await until_shown(board, 1)
        assert (await world.kinds(thread))[-1] == "approval_requested"


async def test_a_channel_that_hangs_on_one_card_holds_up_no_other(url: str) -> None:
    stuck = asyncio.Event()
    board = Board(stuck=stuck)
    async with a_world(url, REFUND, REFUND) as world, showing(world, board):
        first = await world.say("Refund 1042")
        await world.approval(first)
        async with asyncio.timeout(PATIENCE):
            while board.stuck is not None:
                await asyncio.sleep(0.01)
        other = SlackThread(team="T0", channel="C0", thread_ts="1700000000.000200")
        second = await world.say("Refund 1042", key="k2", place=other)
        asked = await world.approval(second)
        await until_shown(board, 1)
        await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        async with asyncio.timeout(PATIENCE):
            while "approved" not in board.shown:
                await asyncio.sleep(0.01)
        stuck.set()
        await until_shown(board, 3)
