"""HUMAN_APPROVAL_ENDPOINT: told of all that becomes of an approval, once and in order, whatever happens to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.conversation import Hook, Identity, SlackThread
from agent.effects import Ask, RequestApproval
from agent.events import (
    ApprovalRequested,
    DecisionRefused,
    ModelResponded,
    TimerFired,
    ToolCall,
    ToolReturned,
)
from agent.state import ThreadState
from agent.verdict import Approvers, Decider, Rejected
from approvals.decision import Approve
from bot.cards import Cards
from bot.hook import HookChannel
from bot.outbox import Outbox
from store.approvals import ApprovalIndex
from tests.desk import ADA, ARGUMENTS, LEE, Desk, desk_at, refund
from tests.fakes import RecordingChannel
from tests.receiver import SECRET, Receiver, a_receiver

TOLD = (Hook(),)
DIGEST = refund.digest(ARGUMENTS)
MIA = Identity(channel="api", id="mia", name="Mia Novak")
PUBLIC = "https://twokey.example/agent"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Approvals on a real store."""
    async with desk_at(tmp_path) as found:
        yield found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A real server."""
    async with a_receiver() as found:
        yield found


def channel(desk: Desk, receiver: Receiver, limit: float = 10) -> HookChannel:
    """The way to it."""
    return HookChannel(receiver.url, (SECRET,), PUBLIC, desk.clock, limit)


@asynccontextmanager
async def working(
    desk: Desk, hook: HookChannel, index: ApprovalIndex | None = None, **more: object
) -> AsyncIterator[Cards]:
    """A process that shows cards there, until the block is left."""
    cards = Cards(index or desk.index, desk.gate, Outbox({"hook": hook, **more}))  # type: ignore[dict-item]  # channels
    desk.threads.cards_changed = cards.changed
    running = asyncio.create_task(cards.run())
    try:
        yield cards
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(is_so: Callable[[], object], desk: Desk, step: float = 0.0) -> None:
    """Wait for it, while the clock moves on by so much with each look."""
    async with asyncio.timeout(10):
        while not is_so():
            desk.clock.move(step)
            await asyncio.sleep(0.02)


async def thread_of(desk: Desk, approval_id: str) -> str:
    return (await desk.facts(approval_id)).thread_id


async def test_each_state_is_told_once_signed_and_named(desk: Desk, receiver: Receiver) -> None:
    async with working(desk, channel(desk, receiver)):
        asked = await desk.ask(
            shown_on=TOLD, approvers=Approvers(roles=("finance",), count=2), preview="40.00 EUR go to Sam."
        )
        await until(lambda: len(receiver.told) == 1, desk)
        await desk.gate.decide(asked, Approve(DIGEST), LEE, "web")
        await until(lambda: len(receiver.told) == 2, desk)
        await desk.gate.remark(asked, "Why 40?", LEE, "web")
        await until(lambda: len(receiver.told) == 3, desk)
        await desk.gate.decide(asked, Approve(DIGEST), MIA, "slack")
        await until(lambda: len(receiver.told) == 4, desk)
        done = ToolReturned(at=desk.clock.now(), call_id="c1", approval_id=asked, result="ok")
        await desk.threads.inform(await thread_of(desk, asked), [done])
        await until(lambda: len(receiver.told) == 5, desk)

    kinds = [each.removeprefix("approval.") for each in receiver.kinds]
    assert kinds == ["requested", "changed", "changed", "decided", "finished"]
    assert [each["revision"] for each in receiver.told] == [1, 2, 3, 5, 6]
    assert receiver.names == [f"{asked}_{each}" for each in (1, 2, 3, 5, 6)]
    first, last = receiver.told[0], receiver.told[-1]
    assert (first["id"], first["status"], first["needs"]) == (asked, "open", "2 of role finance")
    assert (first["preview"], first["inbox"]) == ("40.00 EUR go to Sam.", f"{PUBLIC}/inbox")
    assert [(each["name"], each["value"]) for each in first["arguments"]] == [("order_id", "1042"), ("amount", "40.0")]
    assert (last["status"], last["decided_by"], last["outcome"]) == ("approved", "Mia Novak", "done")
    assert [each["name"] for each in last["votes"]] == ["Lee Chen", "Mia Novak"]
    assert last["remarks"][0]["question"] == "Why 40?"


@pytest.mark.parametrize("manner", [500, 404, 429, 302, 307, "cut", "hang"])
async def test_whatever_is_no_yes_is_tried_again_under_the_same_name(
    desk: Desk, receiver: Receiver, manner: int | str
) -> None:
    receiver.manners += [manner, manner]  # type: ignore[list-item]  # as listed
    async with working(desk, channel(desk, receiver, limit=0.3)):
        asked = await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.told, desk, step=1)

    assert receiver.names == [f"{asked}_1"] * 3
    assert len(receiver.told) == 1
    assert receiver.strays == 0  # no redirect was followed
    stamps = [int(each["webhook-timestamp"]) for each in receiver.headers]
    assert stamps == sorted(set(stamps))  # of the try, not of the request


async def test_a_port_that_is_closed_is_tried_until_somebody_listens(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    closed = Receiver(port)
    async with working(desk, channel(desk, closed)):
        asked = await desk.ask(shown_on=TOLD)
        await until(lambda: closed.port == 0 or desk.clock.now().minute, desk, step=1)
        async with a_receiver(port) as receiver:
            await until(lambda: receiver.told, desk, step=5)
            assert receiver.names == [f"{asked}_1"]


async def test_what_was_missed_comes_as_where_things_stand(desk: Desk, receiver: Receiver) -> None:
    receiver.manners += [503]
    async with working(desk, channel(desk, receiver)):
        asked = await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.names, desk)
        await desk.decide(asked, Rejected(reason="Too much"), by=Decider(person="lee", identity=LEE, via="web"))
        await until(lambda: receiver.told, desk, step=1)
        await asyncio.sleep(0.1)

    assert [(each["revision"], each["status"], each["reason"]) for each in receiver.told] == [
        (2, "rejected", "Too much")
    ]
    assert receiver.kinds == ["approval.decided"]


async def test_what_waits_outlives_the_process(tmp_path: Path, receiver: Receiver) -> None:
    receiver.manners += [500]
    async with desk_at(tmp_path) as desk, working(desk, channel(desk, receiver)):
        asked = await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.names, desk)
    async with desk_at(tmp_path) as desk, working(desk, channel(desk, receiver)):
        await until(lambda: receiver.told, desk, step=1)

    assert receiver.names == [f"{asked}_1"] * 2


async def test_a_process_that_died_while_it_told_is_followed_by_one_that_tells_the_same(
    desk: Desk, receiver: Receiver
) -> None:
    asked = await desk.ask(shown_on=TOLD)
    index = ApprovalIndex(desk.database, desk.clock, lease=0.3)
    due = await index.claim_card(asked, Hook().key)
    assert due is not None
    assert due.facts is not None
    await channel(desk, receiver).show(Hook(), desk.gate.card(due.facts), "", fresh=True)  # and then it died

    later = ApprovalIndex(desk.database, desk.clock)
    async with working(desk, channel(desk, receiver), index=later):
        await until(lambda: len(receiver.names) == 2, desk)

    assert receiver.names == [f"{asked}_1"] * 2


async def test_a_receiver_that_is_gone_is_told_no_more_of_it(desk: Desk, receiver: Receiver) -> None:
    receiver.manners += [410]
    async with working(desk, channel(desk, receiver)):
        await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.names, desk)
        for _ in range(20):
            desk.clock.move(60)
            await asyncio.sleep(0.01)

    assert len(receiver.names) == 1


async def test_nothing_but_the_status_of_an_answer_is_read(desk: Desk, receiver: Receiver) -> None:
    receiver.manners += ["endless"]
    async with working(desk, channel(desk, receiver, limit=5)):
        asked = await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.told, desk)
        async with asyncio.timeout(3):
            while await desk.index.due_cards() or not await shown(desk, asked):
                await asyncio.sleep(0.02)

    assert len(receiver.names) == 1


async def shown(desk: Desk, approval_id: str) -> bool:
    """Whether the row says that it was told."""
    statement = text("SELECT shown = wanted FROM card WHERE approval_id = :id")
    return bool(await desk.database.read(lambda c: c.execute(statement, {"id": approval_id}).scalar_one_or_none()))


async def test_reminders_and_refused_attempts_are_not_told(desk: Desk, receiver: Receiver) -> None:
    async with working(desk, channel(desk, receiver)):
        asked = await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.told, desk)
        by = Decider(person="ada", identity=ADA, via="api")
        now = desk.clock.now()
        await desk.threads.inform(
            await thread_of(desk, asked),
            [
                TimerFired(at=now, timer=f"remind:{asked}:1"),
                DecisionRefused(at=now, approval_id=asked, attempt="approve", reason="No", by=by),
            ],
        )
        await until(lambda: True, desk)
        async with asyncio.timeout(5):
            while await desk.index.due_cards():
                await asyncio.sleep(0.02)

    assert receiver.names == [f"{asked}_1"]


async def test_a_plan_is_told_as_one(desk: Desk, receiver: Receiver) -> None:
    async with working(desk, channel(desk, receiver)):
        first = await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.told, desk)
        second = desk.request("call", {**ARGUMENTS, "order_id": "1043"}, call_id="c2", plan=first)
        call = ToolCall(id="c2", provider_id="p2", name="refund", arguments=second.arguments)
        now = desk.clock.now()
        await desk.threads.inform(await thread_of(desk, first), [ModelResponded(at=now, seen=2, calls=(call,)), second])
        await until(lambda: len(receiver.told) == 2, desk)
        await desk.gate.decide_plan({first: Approve(DIGEST), second.approval_id: Approve(second.digest)}, LEE, "web")
        await until(lambda: len(receiver.told) == 3, desk)

    assert [each["id"] for each in receiver.told] == [first] * 3
    assert receiver.told[1]["mates"][0]["id"] == second.approval_id
    assert [each["revision"] for each in receiver.told] == [1, 2, 4]
    assert receiver.kinds == ["approval.requested", "approval.requested", "approval.decided"]


async def test_both_keys_sign_while_one_is_changed_for_another(desk: Desk, receiver: Receiver) -> None:
    new = "whsec_" + "QUJD" * 8
    receiver.secret = new
    hook = HookChannel(receiver.url, (SECRET, new), PUBLIC, desk.clock)
    async with working(desk, hook):
        await desk.ask(shown_on=TOLD)
        await until(lambda: receiver.told, desk)

    assert receiver.headers[0]["webhook-signature"].count("v1,") == 2


async def test_a_receiver_that_hangs_holds_up_no_card_in_slack(desk: Desk, receiver: Receiver) -> None:
    receiver.manners += ["hang"] * 100
    slack, place = RecordingChannel(), SlackThread(team="T", channel="C", thread_ts="1")
    async with working(desk, channel(desk, receiver), slack=slack) as cards:
        cards.at_once = 1  # so few that what piles up for one channel fills a whole look
        for _ in range(80):
            await desk.ask(shown_on=TOLD)
        asked = [await desk.ask(shown_on=(Hook(), place)) for _ in range(3)]
        started = asyncio.get_running_loop().time()
        await until(lambda: len(slack.shown) == 3, desk)

    assert [card.approval_id for card, _ in slack.shown] == asked
    assert asyncio.get_running_loop().time() - started < 2
    assert len(receiver.names) <= 2


async def test_every_request_is_told_there_once_it_is_set_up(desk: Desk) -> None:
    state = ThreadState("thr_1", SlackThread(team="T", channel="C", thread_ts="1"))
    effect = RequestApproval("question", Ask("r", "w", Approvers(anyone_in_thread=True)), question="Which?")
    opening = desk.gate.opening
    told = await replace(opening, channels=("hook",)).request(effect, state)
    untold = await opening.request(effect, state)

    assert isinstance(told, ApprovalRequested)
    assert (told.shown_on, untold.shown_on) == ((Hook(),), ())
