"""Grants that many want at once, and of which there were many."""

import asyncio

import pytest
from sqlalchemy import text

from store.approvals import ApprovalIndex
from store.codec import micros
from store.connect import connect
from store.grants import FOR_TOOL
from tests.builders import AT, DANA, Ledger
from tests.fakes import CountingIds, FakeClock
from tests.granted import terms
from tests.granting_world import POLICY, give, place, wishing
from tests.world import World, a_world


async def settled(world: World, threads: list[str]) -> int:
    """How many of them have either run or asked."""
    kinds = [await world.kinds(each) for each in threads]
    return sum("tool_returned" in each or "approval_requested" in each for each in kinds)


async def test_threads_at_once_never_use_it_more_often_than_it_says(url: str) -> None:
    async with a_world(url, *[wishing] * 40, policy=POLICY) as world:
        first = await world.say("Refund 1042")
        await give(world, first, terms(uses=3))
        threads = [await world.say("Again", f"k{number}", place=place(number)) for number in range(2, 10)]
        async with asyncio.timeout(20):
            while await settled(world, threads) < len(threads):
                await asyncio.sleep(0.02)
        used = [kind for each in threads for kind in await world.kinds(each) if kind == "grant_used"]
        assert len(used) == 3
        assert len(world.ledger.refunds) == 4


@pytest.mark.postgres
async def test_two_processes_never_use_it_more_often_than_it_says(migrated_postgres_url: str) -> None:
    url, ledger = migrated_postgres_url, Ledger()
    one_of = a_world(url, *[wishing] * 40, ledger=ledger, policy=POLICY)
    other_of = a_world(url, *[wishing] * 40, ledger=ledger, ids=CountingIds(5_000), policy=POLICY)
    async with one_of as one, other_of as other:
        first = await one.say("Refund 1042")
        await give(one, first, terms(uses=3))
        wishes = [
            (one if number % 2 else other).say("Again", f"k{number}", place=place(number)) for number in range(2, 12)
        ]
        threads = list(await asyncio.gather(*wishes))
        async with asyncio.timeout(20):
            while await settled(one, threads) < len(threads):
                await asyncio.sleep(0.02)
        assert len(ledger.refunds) == 4
        (found,) = await one.index.grants(standing=False)
        assert found.used == 3


async def test_once_it_is_taken_back_it_is_never_used_again_whatever_is_under_way(url: str) -> None:
    async with a_world(url, *[wishing] * 60, policy=POLICY) as world:
        grant = (await give(world, await world.say("Refund 1042"), terms())).grant
        places = range(2, 14)
        says = [asyncio.create_task(world.say("Again", f"k{each}", place=place(each))) for each in places]
        while not (found := await world.index.grant(grant.id)) or not found.used:
            await asyncio.sleep(0.001)
        revoked = await world.gate.revoke(grant.id, DANA, "slack")
        threads = list(await asyncio.gather(*says))
        async with asyncio.timeout(20):
            while await settled(world, threads) < len(threads):
                await asyncio.sleep(0.02)
        (found,) = await world.index.grants(standing=False)
        assert 1 <= found.used == revoked.used
        assert len(world.ledger.refunds) == found.used + 1


async def test_a_hundred_thousand_grants_that_have_ended_slow_no_look_up(url: str) -> None:
    database = connect(url)
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    row = "'g' || i, 'refund', 'thr_1', 'dana', i, i, NULL, 0 FROM n"
    fill = f"INSERT INTO grants (id, tool, thread_id, given_by, seq, until, uses, used) {series} SELECT {row}"
    await database.write(lambda tx: tx.connection.execute(text(fill)).close())
    explain = "EXPLAIN QUERY PLAN"
    if not database.is_sqlite:
        await database.write(lambda tx: tx.connection.execute(text("ANALYZE")).close())
        explain = "EXPLAIN"
    values = {"tool": "refund", "now": micros(AT), "limit": 500}
    plan = await database.read(lambda c: str(c.execute(text(f"{explain} {FOR_TOOL.text}"), values).all()))
    assert "grants_standing" in plan
    assert "SCAN grants" not in plan
    assert "Seq Scan on grants" not in plan
    assert await ApprovalIndex(database, FakeClock()).grants_for("refund") == []
    await database.aclose()
