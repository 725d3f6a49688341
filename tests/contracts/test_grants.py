"""What any store promises of grants: found by what they are about, counted with each use, ended at once."""

import asyncio
from datetime import timedelta

import pytest

from agent.errors import AlreadySettled, Conflict
from agent.events import ApprovalDecided, Event, GrantGiven, GrantRevoked, GrantUsed
from agent.verdict import Approved
from tests.builders import AT
from tests.contracts.steps import REJECTED, asked, claim, length, say
from tests.contracts.stores import Store
from tests.granted import DANA_GIVES, DAY, a_grant, terms


def given(grant_id: str = "grt_1", approval_id: str = "apr_1", **changes: object) -> GrantGiven:
    grant = a_grant(terms(**changes)).model_copy(update={"id": grant_id})
    return GrantGiven(at=AT, approval_id=approval_id, grant=grant, by=DANA_GIVES)


def approved(approval_id: str = "apr_1") -> ApprovalDecided:
    return ApprovalDecided(at=AT, approval_id=approval_id, decision=Approved(digest="d"), by=DANA_GIVES)


def used(grant_id: str = "grt_1", after: timedelta = timedelta(0)) -> GrantUsed:
    return GrantUsed(
        at=AT + after, grant_id=grant_id, call_id="c", tool="refund", digest="d", rule="r", given_by="dana"
    )


REVOKED = GrantRevoked(at=AT, grant_id="grt_1", reason="too wide", by=DANA_GIVES)


async def ids(store: Store, **wanted: object) -> list[str]:
    return [each.grant.id for each in await store.index.grants(**wanted)]  # type: ignore[arg-type]  # its own keywords


async def test_a_grant_is_found_with_all_that_became_of_it(store: Store) -> None:
    await say(store)
    event = given(uses=3)
    await store.threads.inform("thr_1", [asked(), event, approved()])
    await store.threads.inform("thr_1", [used()])
    found = await store.index.grant("grt_1")
    assert found
    assert (found.thread_id, found.given, found.used, found.revoked) == ("thr_1", event, 1, None)
    await store.threads.inform("thr_1", [REVOKED])
    found = await store.index.grant("grt_1")
    assert found
    assert (found.revoked, found.used) == (REVOKED, 1)
    assert await store.index.grant("grt_2") is None
    facts = await store.index.facts("apr_1")
    assert facts
    assert facts.record.grants == (event,)


async def test_they_are_listed_by_what_they_are_about_the_soonest_to_end_first(store: Store) -> None:
    await say(store)
    some = [
        given("grt_b", until=AT + 2 * DAY),
        given("grt_a", until=AT + DAY, uses=1),
        given("grt_c", until=AT + 3 * DAY),
    ]
    await store.threads.inform("thr_1", [asked(), *some])
    assert await ids(store) == ["grt_a", "grt_b", "grt_c"]
    assert await ids(store, given_by="dana", thread_id="thr_1", limit=2) == ["grt_a", "grt_b"]
    assert await ids(store, given_by="ada") == await ids(store, thread_id="thr_2") == []
    await store.threads.inform("thr_1", [used("grt_a"), GrantRevoked(at=AT, grant_id="grt_b", by=DANA_GIVES)])
    assert await ids(store) == ["grt_c"]
    assert await ids(store, standing=False) == ["grt_c", "grt_b", "grt_a"]
    assert [each.grant.id for each in await store.index.grants_for("refund")] == ["grt_c"]
    assert await store.index.grants_for("look_up") == []
    store.clock.move(3 * DAY.total_seconds())
    assert await ids(store) == []


async def test_a_use_too_many_is_refused_and_leaves_nothing(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), given(uses=2), used(), used()])
    before = await length(store)
    events: list[list[Event]] = [[used()], [REJECTED, used()]]
    for each in events:
        with pytest.raises(Conflict):
            await store.threads.inform("thr_1", each)
    assert await length(store) == before
    assert await store.index.listed() == ["apr_1"]


async def test_a_use_at_its_end_or_of_what_there_is_not_is_refused(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), given()])
    for event in (used(after=DAY), used("grt_2")):
        with pytest.raises(Conflict):
            await store.threads.inform("thr_1", [event])
    await store.threads.inform("thr_1", [used(after=DAY - timedelta(microseconds=1))])


async def test_what_was_taken_back_is_neither_used_nor_taken_back_again(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), given(), REVOKED])
    for event in (used(), REVOKED):
        with pytest.raises(Conflict):
            await store.threads.inform("thr_1", [event])


async def test_whoever_holds_a_thread_is_told_that_a_use_came_too_late(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), given(uses=1), used()])
    held = await claim(store)
    entries = await held.load()
    with pytest.raises(Conflict):
        await held.append([used()], len(entries))
    assert await length(store) == len(entries)


async def test_a_grant_is_given_with_its_approval_or_not_at_all(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), REJECTED])
    with pytest.raises(AlreadySettled):
        await store.threads.inform("thr_1", [given(), approved()])
    assert await store.index.grant("grt_1") is None


async def test_uses_at_once_are_counted_one_by_one(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), given(uses=3)])
    tries = [store.threads.inform("thr_1", [used()]) for _ in range(8)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in found if each is not None] == [Conflict] * 5
    grant = await store.index.grant("grt_1")
    assert grant
    assert (grant.used, grant.is_used_up) == (3, True)
