"""The rows behind Home tabs, on both databases: who is due, one process at a time, and nobody for ever."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.connect import connect
from store.homes import KEPT, REFRESH, Home, Homes
from tests.fakes import FakeClock
from tests.migrated import sqlite_at

DANA, LEE = Home("T0", "U0DANA"), Home("T0", "U0LEE")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def homes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Homes]:
    is_file = request.param == "sqlite"
    url = sqlite_at(tmp_path / "homes.db") if is_file else str(request.getfixturevalue("migrated_postgres_url"))
    database = connect(url)
    yield Homes(database, FakeClock())
    await database.aclose()


def move(homes: Homes, seconds: float) -> None:
    assert isinstance(homes.clock, FakeClock)
    homes.clock.move(seconds)


async def test_a_tab_is_due_once_opened_and_again_when_the_log_has_grown(homes: Homes) -> None:
    assert not await homes.any()
    await homes.opened(DANA)
    assert await homes.any()
    assert await homes.due(0) == [DANA]
    assert await homes.claim(DANA) == ""
    await homes.looked(DANA, 7, "digest")
    assert await homes.due(7) == []
    assert await homes.due(8) == [DANA]
    assert await homes.claim(DANA) == "digest"


async def test_to_open_it_again_has_it_published_anew(homes: Homes) -> None:
    await homes.opened(DANA)
    await homes.looked(DANA, 7, "digest")
    await homes.opened(DANA)
    assert await homes.due(0) == [DANA]
    assert await homes.claim(DANA) == ""


async def test_one_process_publishes_it(homes: Homes) -> None:
    await homes.opened(DANA)
    claims = await asyncio.gather(*(homes.claim(DANA) for _ in range(5)))
    assert sorted(map(str, claims)) == ["", "None", "None", "None", "None"]


async def test_a_tab_that_was_not_taken_waits_its_time_and_keeps_nobody_else(homes: Homes) -> None:
    await homes.opened(DANA)
    await homes.opened(LEE)
    await homes.later(DANA, 10)
    assert await homes.due(9) == [LEE]
    move(homes, 11)
    assert await homes.due(9) == [LEE, DANA]


async def test_time_alone_makes_it_due_and_ends_its_keeping(homes: Homes) -> None:
    await homes.opened(DANA)
    await homes.looked(DANA, 7, "digest")
    move(homes, REFRESH.total_seconds())
    assert await homes.due(7) == [DANA]
    move(homes, KEPT.total_seconds())
    assert await homes.due(99) == []
    await homes.opened(LEE)
    assert await homes.claim(DANA) is None, "it is forgotten"
