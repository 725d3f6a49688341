"""Nobody is disturbed in quiet hours by what can wait. What cannot, and what changes where it stands, is shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.conversation import Destination, MailAddress, SlackThread, SlackUser
from agent.events import TimerFired
from agent.verdict import Rejected
from approvals.card import Card
from approvals.hours import QuietHours
from approvals.people import Directory, Person
from bot.cards import Cards
from bot.outbox import Outbox
from tests.desk import Desk, desk_at

NIGHT = QuietHours.model_validate({"from": "22:00", "to": "07:00"})
LEE = Person(id="lee", name="Lee", slack={"T1": "U1"}, roles=("finance",), quiet=NIGHT, timezone="Europe/Berlin")
DM = SlackUser(team="T1", user="U1", person="lee")
MAIL = MailAddress(address="lee@acme.example", person="lee")
THREAD = SlackThread(team="T1", channel="C1", thread_ts="1.1")
AT_NIGHT = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)  # seven o'clock in Berlin


@dataclass
class Board:
    """A channel that keeps what it showed and rang, and where."""

    shown: list[tuple[str, str]] = field(default_factory=list)
    rung: list[int] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)

    async def show(self, address: Destination, card: Card, receipt: str, *, fresh: bool) -> str:
        self.shown.append((address.channel_kind, card.status))
        self.fresh.append(fresh)
        return "receipt"

    async def remind(self, address: Destination, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        self.rung.append(number)
        return "rung"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as found:
        found.gate = replace(found.gate, directory=Directory([LEE]))
        found.clock.at = AT_NIGHT
        yield found


@asynccontextmanager
async def showing(desk: Desk) -> AsyncIterator[Board]:
    """Cards at work, woken as often as something changes."""
    board = Board()
    cards = Cards(desk.index, desk.gate, Outbox({"slack": board, "mail": board}))  # type: ignore[dict-item]  # half a channel
    desk.threads.cards_changed = cards.changed
    task = asyncio.create_task(cards.run())
    try:
        yield board
    finally:
        cards.stop()
        await task


async def quiet(desk: Desk) -> None:
    """Until nothing is due any more."""
    async with asyncio.timeout(10):
        while await desk.index.due_cards():
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)


async def come(desk: Desk, moment: datetime) -> None:
    desk.clock.at = moment
    await asyncio.sleep(1.2)  # the cards look again by themselves each second
    await quiet(desk)


@pytest.mark.parametrize("place", [DM, MAIL])
async def test_a_card_waits_for_the_morning(desk: Desk, place: SlackUser | MailAddress) -> None:
    async with showing(desk) as board:
        await desk.ask(shown_on=(place,))
        await quiet(desk)
        assert board.shown == []
        await come(desk, MORNING - timedelta(seconds=1))
        assert board.shown == []
        await come(desk, MORNING)
        assert board.shown == [(place.channel_kind, "open")]
        assert board.fresh == [True]


async def test_a_thread_is_nobodys_bedroom(desk: Desk) -> None:
    async with showing(desk) as board:
        await desk.ask(shown_on=(THREAD, DM))
        await quiet(desk)
        assert board.shown == [("slack", "open")]


@pytest.mark.parametrize("expires_at, shown", [(MORNING, 1), (MORNING + timedelta(seconds=1), 0)])
async def test_what_would_expire_before_is_shown_at_once(desk: Desk, expires_at: datetime, shown: int) -> None:
    async with showing(desk) as board:
        await desk.ask(shown_on=(DM,), expires_at=expires_at)
        await quiet(desk)
        assert len(board.shown) == shown


async def test_a_card_that_is_there_already_follows_at_once(desk: Desk) -> None:
    desk.clock.at = AT_NIGHT - timedelta(hours=2)
    async with showing(desk) as board:
        approval_id = await desk.ask(shown_on=(DM,))
        await quiet(desk)
        desk.clock.at = AT_NIGHT
        await desk.decide(approval_id, Rejected())
        await quiet(desk)
        assert board.shown == [("slack_user", "open"), ("slack_user", "rejected")]


async def test_what_was_settled_overnight_is_told_in_the_morning(desk: Desk) -> None:
    async with showing(desk) as board:
        approval_id = await desk.ask(shown_on=(DM,))
        await desk.decide(approval_id, Rejected())
        await quiet(desk)
        assert board.shown == []
        await come(desk, MORNING)
        assert board.shown == [("slack_user", "rejected")]


async def test_of_the_reminders_of_a_night_the_last_one_comes_in_the_morning(desk: Desk) -> None:
    evening = AT_NIGHT - timedelta(hours=2)
    times = tuple(evening + timedelta(hours=hours) for hours in (3, 5, 12))
    desk.clock.at = evening
    async with showing(desk) as board:
        approval_id = await desk.ask(shown_on=(DM,), remind_at=times, expires_at=evening + timedelta(hours=16))
        thread_id = (await desk.facts(approval_id)).thread_id
        await quiet(desk)
        for number, at in enumerate(times[:2], start=1):
            desk.clock.at = at
            await desk.threads.inform(thread_id, [TimerFired(at=at, timer=f"remind:{approval_id}:{number}")])
            await quiet(desk)
        assert board.rung == []
        await come(desk, MORNING)
        assert board.rung == [2]


async def test_nobody_is_reminded_in_the_morning_of_what_they_are_shown_then(desk: Desk) -> None:
    times = (AT_NIGHT + timedelta(hours=1),)
    async with showing(desk) as board:
        approval_id = await desk.ask(shown_on=(DM,), remind_at=times)
        await quiet(desk)
        desk.clock.at = times[0]
        thread_id = (await desk.facts(approval_id)).thread_id
        await desk.threads.inform(thread_id, [TimerFired(at=times[0], timer=f"remind:{approval_id}:1")])
        await quiet(desk)
        await come(desk, MORNING)
        assert (board.shown, board.rung) == ([("slack_user", "open")], [])
