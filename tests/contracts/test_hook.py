"""What `bot.outbox.Channel` promises of cards, of the fake and of the URL that is told of approvals."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from agent.conversation import Hook
from agent.errors import ChannelDown, ChannelRefused
from approvals.card import Card
from bot.hook import HookChannel
from bot.outbox import Channel
from tests.builders import AT
from tests.fakes import FakeClock, RecordingChannel
from tests.receiver import SECRET, a_receiver

OPEN = Card(
    approval_id="apr_1",
    thread_id="thr_1",
    about="call",
    title="Refund: 1042",
    tool="refund",
    arguments=(),
    preview="",
    why="It sends money out.",
    rule="refunds",
    requester="Ada",
    asked_at=AT,
    expires_at=AT + timedelta(days=1),
    digest="d",
    choices=(),
)
DECIDED = replace(OPEN, status="approved", decided_by="Lee", decided_at=AT, revision=2, changed_at=AT)


@dataclass
class Bench:
    """A channel, and what can be seen at its other end."""

    channel: Channel
    shows: Callable[[], list[str]]
    """The status of each card as it stands there, each time it was shown anew or changed."""
    fail: Callable[[bool], None]
    """Lets the next showing fail: for good, or not."""


@pytest.fixture(params=["fake", "hook"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """One of each make."""
    if request.param == "fake":
        fake = RecordingChannel()

        def fail(for_good: bool) -> None:
            fake.failures.append(ChannelRefused("no") if for_good else ChannelDown("down"))

        yield Bench(fake, lambda: [card.status for card, _ in fake.shown], fail)
        return
    async with a_receiver() as receiver:
        channel = HookChannel(receiver.url, (SECRET,), "https://twokey.example", FakeClock())

        def refuse(for_good: bool) -> None:
            receiver.manners.append(410 if for_good else 503)

        yield Bench(channel, lambda: [str(each["status"]) for each in receiver.told], refuse)


async def test_a_card_is_shown_and_brought_up_to_date_by_its_receipt(bench: Bench) -> None:
    receipt = await bench.channel.show(Hook(), OPEN, "", fresh=True)
    assert receipt
    assert await bench.channel.show(Hook(), DECIDED, receipt, fresh=False)
    assert bench.shows() == ["open", "approved"]


async def test_a_channel_that_is_down_or_refuses_says_which(bench: Bench) -> None:
    bench.fail(False)
    with pytest.raises(ChannelDown):
        await bench.channel.show(Hook(), OPEN, "", fresh=True)
    bench.fail(True)
    with pytest.raises(ChannelRefused):
        await bench.channel.show(Hook(), OPEN, "", fresh=False)
    assert bench.shows() == []
    assert await bench.channel.show(Hook(), OPEN, "", fresh=False)
    assert bench.shows() == ["open"]


async def test_a_reminder_has_a_receipt_and_changes_no_card(bench: Bench) -> None:
    receipt = await bench.channel.show(Hook(), OPEN, "", fresh=True)
    assert await bench.channel.remind(Hook(), OPEN, 1, receipt, fresh=True)
    assert bench.shows() == ["open"]


async def test_the_same_card_shown_twice_is_the_same_to_whoever_looks(bench: Bench) -> None:
    first = await bench.channel.show(Hook(), OPEN, "", fresh=True)
    assert await bench.channel.show(Hook(), OPEN, first, fresh=False) == first
    assert set(bench.shows()) == {"open"}
