"""Sign-ins on both databases: once means once, also for two processes, and what is old goes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from store import schema
from store.connect import connect
from store.sign_ins import SignIns
from tests.fakes import FakeClock

QUARTER = timedelta(minutes=15)


@pytest.fixture
async def rows(url: str) -> AsyncIterator[SignIns]:
    database = connect(url)
    await schema.migrate(database)
    yield SignIns(database, FakeClock())
    await database.aclose()


async def made(rows: SignIns, name: str, kind: str = "link", person: str = "lee") -> bool:
    return await rows.make(name, person, kind, most=2, within=QUARTER)


async def test_a_sign_in_is_used_once_whoever_else_tries_at_the_same_time(rows: SignIns) -> None:
    assert await made(rows, "one")

    used = await asyncio.gather(*(rows.use("one", "link", within=QUARTER) for _ in range(5)))

    assert sorted(used) == [False] * 4 + [True]
    found = await rows.find("one")
    assert found is not None
    assert (found.person, found.used_at, found.seen_at, found.ended_at) == (
        "lee",
        rows.clock.now(),
        found.used_at,
        None,
    )


async def test_only_so_many_of_a_kind_are_made_for_a_person_within_a_time(rows: SignIns) -> None:
    clock = rows.clock
    assert isinstance(clock, FakeClock)
    assert [await made(rows, name) for name in ("a", "b", "c")] == [True, True, False]
    assert await made(rows, "d", "code")
    assert await made(rows, "e", person="mia")
    clock.move(15 * 60)
    assert await made(rows, "c")


async def test_tries_are_counted_each_even_when_they_come_at_once(rows: SignIns) -> None:
    await made(rows, "one", "code")

    tried = await asyncio.gather(*(rows.try_code("one", most=3, within=QUARTER) for _ in range(8)))

    assert sorted(tried) == [False] * 5 + [True] * 3
    assert not await rows.use("one", "link", within=QUARTER), "a code is no link"


async def test_what_was_ended_is_over_and_what_is_old_goes(rows: SignIns) -> None:
    clock = rows.clock
    assert isinstance(clock, FakeClock)
    await made(rows, "a")
    await made(rows, "b")
    await made(rows, "c", person="mia")
    await rows.use("a", "link", within=QUARTER)
    await rows.see("a")
    await rows.end_all("lee")
    await rows.end("c")

    assert not await rows.use("b", "link", within=QUARTER)
    assert not await rows.use("c", "link", within=QUARTER)
    clock.move(101 * 86_400)
    await made(rows, "new")
    assert [await rows.find(name) is not None for name in ("a", "b", "c", "new")] == [False, False, False, True]
