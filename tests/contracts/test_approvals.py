"""What any store promises of approvals and their cards, whatever it is made of."""

import asyncio
from datetime import timedelta

import pytest

from agent.conversation import Hook
from agent.errors import AlreadySettled
from agent.events import (
    ApprovalDecided,
    Event,
    ThreadCancelled,
    TimerFired,
    ToolReturned,
)
from agent.verdict import Approved, Cancelled
from tests.builders import ADA, AT, PLACE, a_message
from tests.contracts.steps import REJECTED, asked, claim, length, say
from tests.contracts.stores import LEASE, Store


async def test_an_approval_is_settled_once_and_a_refused_decision_leaves_nothing(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked()])
    assert await store.index.listed() == ["apr_1"]
    await store.threads.inform("thr_1", [REJECTED])
    late = ApprovalDecided(at=AT, approval_id="apr_1", decision=Approved(digest="d"))
    refused: tuple[list[Event], ...] = ([late], [a_message(), late], [late, a_message()])
    for events in refused:
        with pytest.raises(AlreadySettled):
            await store.threads.inform("thr_1", events)
    assert await length(store) == 3
    facts = await store.index.facts("apr_1")
    assert facts
    assert (facts.thread_id, facts.request, facts.decided, facts.outcome) == ("thr_1", asked(), REJECTED, None)
    assert await store.index.listed() == []
    assert await store.index.listed(open_only=False, thread_id="thr_1") == ["apr_1"]


async def test_whoever_holds_the_thread_cannot_settle_twice_either(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), REJECTED])
    held = await claim(store)
    await held.load()
    with pytest.raises(AlreadySettled):
        await held.append([a_message(), REJECTED], 3)
    with pytest.raises(AlreadySettled):
        await held.release([REJECTED], 3, None)
    await held.append([a_message()], 3)
    assert await length(store) == 4


async def test_cancelling_settles_what_stands_open(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked("apr_2"), asked("apr_1")])
    await store.threads.cancel("thr_1", ADA, "never mind")
    events = [entry.event for entry in await store.threads.entries("thr_1", 3)]
    assert isinstance(events[0], ThreadCancelled)
    decided = [(e.approval_id, e.decision) for e in events[1:] if isinstance(e, ApprovalDecided)]
    assert decided == [("apr_2", Cancelled(reason="never mind")), ("apr_1", Cancelled(reason="never mind"))]
    assert await store.index.listed() == []


async def test_the_outcome_of_an_approved_call_is_found(store: Store) -> None:
    await say(store)
    done = ToolReturned(at=AT, call_id="c1", approval_id="apr_1", result={"a": 1})
    approved = ApprovalDecided(at=AT, approval_id="apr_1", decision=Approved(digest="d"))
    await store.threads.inform("thr_1", [asked(), approved, done])
    facts = await store.index.facts("apr_1")
    assert facts
    assert facts.outcome == done
    assert await store.index.facts("apr_9") is None


async def test_a_card_follows_the_facts(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked()])
    assert store.cards
    assert await store.index.due_cards() == [("apr_1", PLACE.key)]
    first = await store.index.claim_card("apr_1", PLACE.key)
    assert first
    assert (first.address, first.wanted, first.shown, first.tried) == (PLACE, 1, 0, False)
    assert await store.index.claim_card("apr_1", PLACE.key) is None
    await store.threads.inform("thr_1", [TimerFired(at=AT, timer="remind:apr_1:1"), REJECTED])
    await store.index.card_shown(first, "receipt")
    second = await store.index.claim_card("apr_1", PLACE.key)
    assert second
    assert (second.wanted, second.shown, second.receipt, second.tried) == (3, 1, "receipt", True)
    await store.index.card_shown(second, "receipt")
    assert await store.index.due_cards() == [("apr_1", f"{PLACE.key} remind:1")]
    reminder = await store.index.claim_card("apr_1", f"{PLACE.key} remind:1")
    assert reminder
    assert (reminder.address, reminder.reminder, reminder.card_receipt) == (PLACE, 1, "receipt")
    assert (reminder.shown, reminder.receipt, reminder.tried) == (0, "", False)
    await store.index.card_shown(reminder, "another")
    assert await store.index.due_cards() == []
    assert await store.index.claim_card("apr_1", PLACE.key) is None


async def test_what_is_due_on_one_channel_can_be_left_out_of_the_look(store: Store) -> None:
    await say(store)
    told = asked().model_copy(update={"shown_on": (PLACE, Hook())})
    await store.threads.inform("thr_1", [told])
    assert set(await store.index.due_cards()) == {("apr_1", PLACE.key), ("apr_1", Hook().key)}
    assert await store.index.due_cards(without={"hook"}) == [("apr_1", PLACE.key)]
    assert await store.index.due_cards(without={"slack"}) == [("apr_1", Hook().key)]
    assert await store.index.due_cards(without={"hook", "slack", "mail"}) == []


async def test_a_card_whose_showing_fails_is_due_later_or_never(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked()])
    card = await store.index.claim_card("apr_1", PLACE.key)
    assert card
    await store.index.card_failed(card, 30)
    assert await store.index.due_cards() == []
    store.clock.move(30)
    again = await store.index.claim_card("apr_1", PLACE.key)
    assert again
    assert (again.attempts, again.tried) == (1, True)
    await store.index.card_failed(again, None)
    store.clock.move(3600)
    assert await store.index.due_cards() == []


async def test_a_card_that_is_held_back_is_due_then_and_was_not_tried(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked()])
    card = await store.index.claim_card("apr_1", PLACE.key)
    assert card
    await store.index.card_held(card, store.clock.now() + timedelta(hours=9))
    store.clock.move(9 * 3600 - 1)
    assert await store.index.due_cards() == []
    store.clock.move(1)
    again = await store.index.claim_card("apr_1", PLACE.key)
    assert again
    assert (again.attempts, again.tried, again.receipt) == (0, False, "")


async def test_a_card_is_taken_over_from_whoever_died(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked()])
    assert await store.index.claim_card("apr_1", PLACE.key)
    await asyncio.sleep(LEASE * 1.5)
    again = await store.index.claim_card("apr_1", PLACE.key)
    assert again
    assert again.tried
