"""What any store promises, whatever it is made of: SQLite, PostgreSQL, or the memory that simulations run on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.conversation import MailHeaders, MailThread
from agent.errors import AlreadySeen, AlreadySettled, Conflict, Fenced
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    ReplySent,
    ThreadCancelled,
    TimerFired,
    ToolReturned,
)
from agent.verdict import Approved, Cancelled, Rejected
from store.held import HeldThread
from tests.builders import ADA, AT, LEADS, PLACE, a_message
from tests.contracts.stores import LEASE, MAKES, Store, store_at, store_in_memory
from tests.memory import MemoryHeld
from tests.migrated import sqlite_at

OTHER = MailThread(mailbox="a@x", root="<1@x>")


@pytest.fixture(params=MAKES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty one."""
    if request.param == "memory":
        yield store_in_memory()
        return
    is_file = request.param == "sqlite"
    url = sqlite_at(tmp_path / "contract.db") if is_file else str(request.getfixturevalue("migrated_postgres_url"))
    async with store_at(url) as found:
        yield found


async def say(store: Store, key: str = "k1") -> str:
    found = await store.threads.take_in(PLACE, a_message(), keys=[key], new_id="thr_1", agent="support")
    assert found
    return found


async def claim(store: Store) -> HeldThread | MemoryHeld:
    held = await store.threads.claim("thr_1")
    assert held
    return held


async def length(store: Store) -> int:
    entries = await store.threads.entries("thr_1")
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    return len(entries)


def asked(approval_id: str = "apr_1") -> ApprovalRequested:
    return ApprovalRequested(
        at=AT,
        approval_id=approval_id,
        about="call",
        call_id="c1",
        title="t",
        why="w",
        rule="r",
        approvers=LEADS,
        expires_at=AT + timedelta(hours=1),
        shown_on=(PLACE,),
    )


REJECTED = ApprovalDecided(at=AT, approval_id="apr_1", decision=Rejected(reason="no"))


# --- in -------------------------------------------------------------------------------------------------------------


async def test_a_delivery_is_taken_in_once_by_whichever_of_its_names(store: Store) -> None:
    await store.threads.take_in(PLACE, a_message(), keys=["a", "b"], new_id="thr_1", agent="support")
    for keys in (["a"], ["new", "b"]):
        with pytest.raises(AlreadySeen):
            await store.threads.take_in(PLACE, a_message(), keys=keys, new_id="thr_2")
    await store.threads.take_in(PLACE, a_message(), keys=["new"], new_id="thr_3")
    assert await length(store) == 2
    assert await store.threads.find(PLACE.key) == "thr_1"
    assert store.woken == ["thr_1", "thr_1"]


async def test_what_only_continues_starts_nothing(store: Store) -> None:
    assert await store.threads.take_in(PLACE, a_message(), keys=["a"]) is None
    assert await store.threads.find(PLACE.key) is None
    assert await say(store, "a") == "thr_1"


async def test_deliveries_at_once_are_all_there_and_each_once(store: Store) -> None:
    said = [say(store, f"k{count % 5}") for count in range(15)]
    results = await asyncio.gather(*said, return_exceptions=True)
    assert sum(isinstance(each, AlreadySeen) for each in results) == 10
    assert await length(store) == 5


async def test_a_mail_is_found_by_the_ids_received_and_sent(store: Store) -> None:
    mail = a_message(mail=MailHeaders(message_id="<1@x>"))
    await store.threads.take_in(OTHER, mail, keys=["m"], new_id="thr_1", agent="support")
    await store.threads.inform("thr_1", [ReplySent(at=AT, reply_id="r1", receipts=("<2@us>", "1700.1"))])
    assert await store.threads.find_by_mail(["<9@x>", "<2@us>"]) == ("thr_1", OTHER)
    assert await store.threads.find_by_mail(["1700.1"]) is None
    assert await store.threads.conversation("thr_1") == OTHER
    assert await store.threads.conversation("thr_9") is None


# --- work -----------------------------------------------------------------------------------------------------------


async def test_a_thread_is_held_by_one(store: Store) -> None:
    await say(store)
    assert await store.threads.due() == ["thr_1"]
    claims = await asyncio.gather(*(store.threads.claim("thr_1") for _ in range(4)))
    assert sum(held is not None for held in claims) == 1
    assert await store.threads.due() == []


async def test_what_is_held_comes_free_when_the_lease_runs_out_and_the_old_holder_is_refused(store: Store) -> None:
    await say(store)
    frozen = await claim(store)
    await frozen.load()
    await asyncio.sleep(LEASE * 1.5)
    second = await claim(store)
    for refused in (
        frozen.append([a_message()], 1),
        frozen.append([a_message()], 0),
        frozen.release([], 1, None),
        frozen.renew(),
    ):
        with pytest.raises(Fenced):
            await refused
    await frozen.hand_back()
    await frozen.give_up(0)
    assert await store.threads.claim("thr_1") is None
    await second.load()
    await second.append([a_message()], 1)
    assert await length(store) == 2


async def test_nobody_writes_under_a_lease_that_ran_out_even_if_nobody_else_came(store: Store) -> None:
    await say(store)
    held = await claim(store)
    await held.load()
    await asyncio.sleep(LEASE * 1.5)
    with pytest.raises(Fenced):
        await held.append([a_message()], 1)
    with pytest.raises(Fenced):
        await held.release([a_message()], 1, None)
    assert await length(store) == 1


async def test_renewing_holds_on(store: Store) -> None:
    await say(store)
    held = await claim(store)
    for _ in range(4):
        await asyncio.sleep(LEASE / 3)
        await held.renew()
    assert await store.threads.claim("thr_1") is None


async def test_an_append_counts_from_what_was_read(store: Store) -> None:
    await say(store)
    held = await claim(store)
    await held.load()
    await say(store, "k2")
    with pytest.raises(Conflict):
        await held.append([a_message(), a_message()], 1)
    assert await length(store) == 2
    await held.load(1)
    await held.append([a_message(), a_message()], 2)
    assert await length(store) == 4
    assert [entry.seq for entry in await held.load(2)] == [3, 4]


async def test_a_thread_is_let_go_only_when_nothing_came_in(store: Store) -> None:
    await say(store)
    held = await claim(store)
    await held.load()
    await say(store, "k2")
    with pytest.raises(Conflict):
        await held.release([a_message()], 1, None)
    await held.load(1)
    await held.release([a_message()], 2, None)
    assert await length(store) == 3
    assert await store.threads.due() == []
    assert await store.threads.claim("thr_1") is None
    with pytest.raises(Fenced):
        await held.append([a_message()], 3)


async def test_it_is_due_again_at_the_moment_that_was_named(store: Store) -> None:
    await say(store)
    held = await claim(store)
    await held.load()
    await held.release([], 1, store.clock.now() + timedelta(seconds=60))
    store.clock.move(59)
    assert await store.threads.claim("thr_1") is None
    store.clock.move(1)
    assert await store.threads.due() == ["thr_1"]
    assert await store.threads.claim("thr_1") is not None


async def test_what_is_handed_back_is_due_at_once(store: Store) -> None:
    await say(store)
    await (await claim(store)).hand_back()
    assert await store.threads.due() == ["thr_1"]


async def test_a_thread_that_fails_waits_then_stalls_and_a_message_revives_it(store: Store) -> None:
    await say(store)
    stalled = [await _fail(store) for _ in range(8)]
    assert stalled == [False] * 7 + [True]
    assert await store.threads.due() == []
    await say(store, "k2")
    assert await store.threads.due() == ["thr_1"]


async def _fail(store: Store) -> bool:
    held = await claim(store)
    is_stalled = await held.give_up(10)
    assert await store.threads.due() == []
    store.clock.move(10)
    return is_stalled


async def test_an_append_that_succeeds_forgets_the_failures(store: Store) -> None:
    await say(store)
    for _ in range(2):
        for _ in range(7):
            assert not await _fail(store)
        held = await claim(store)
        await held.load()
        await held.append([a_message()], await length(store))
        await held.hand_back()


# --- approvals ------------------------------------------------------------------------------------------------------


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
    assert await store.index.due_cards() == []
    assert await store.index.claim_card("apr_1", PLACE.key) is None


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


async def test_a_card_is_taken_over_from_whoever_died(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked()])
    assert await store.index.claim_card("apr_1", PLACE.key)
    await asyncio.sleep(LEASE * 1.5)
    again = await store.index.claim_card("apr_1", PLACE.key)
    assert again
    assert again.tried
