"""What any store promises of threads: SQLite, PostgreSQL, or the memory that simulations run on."""

import asyncio
from datetime import timedelta

import pytest

from agent.conversation import MailHeaders, MailThread
from agent.errors import AlreadySeen, Conflict, Fenced
from agent.events import (
    ReplySent,
)
from tests.builders import ADA, AT, DANA, PLACE, a_message
from tests.contracts.steps import claim, length, say
from tests.contracts.stores import LEASE, Store

OTHER = MailThread(mailbox="a@x", root="<1@x>")


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


async def test_whose_threads_are_is_told_by_whoever_began_them(store: Store) -> None:
    await say(store, "a")
    await store.threads.take_in(OTHER, a_message(sender=DANA), keys=["b"], new_id="thr_2", agent="sales")
    await store.threads.take_in(OTHER, a_message(), keys=["c"], new_id="thr_3", agent="sales")
    found = await store.threads.owners(["thr_1", "thr_2", "thr_9"])
    assert found == {"thr_1": ("support", ADA.key), "thr_2": ("sales", DANA.key)}
    assert await store.threads.owners([]) == {}


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


async def test_a_holder_knows_by_itself_when_its_lease_may_have_run_out(store: Store) -> None:
    await say(store)
    held = await claim(store)
    held.ensure_held()
    await asyncio.sleep(LEASE * 0.6)
    await held.renew()
    await asyncio.sleep(LEASE * 0.6)
    held.ensure_held()
    await asyncio.sleep(LEASE * 0.6)
    with pytest.raises(Fenced):
        held.ensure_held()


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


async def test_whoever_renews_is_told_that_others_have_written(store: Store) -> None:
    await say(store)
    held = await claim(store)
    await held.load()
    await held.append([a_message()], 1)
    assert await held.renew() is False
    await say(store, "k2")
    assert await held.renew() is True
    await held.load(2)
    assert await held.renew() is False


async def test_what_is_handed_back_is_due_at_once_and_somebody_is_told(store: Store) -> None:
    await say(store)
    held = await claim(store)
    store.woken.clear()
    await held.hand_back()
    assert await store.threads.due() == store.woken == ["thr_1"]
    await held.hand_back()
    assert store.woken == ["thr_1"]


async def test_a_lease_that_has_run_out_is_given_back_too(store: Store) -> None:
    await say(store)
    late = await claim(store)
    await asyncio.sleep(LEASE * 1.5)
    store.woken.clear()
    await late.hand_back()
    assert store.woken == ["thr_1"]
    assert (await claim(store)).attempts == 0


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
