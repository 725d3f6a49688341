"""Tabs ask Slack about groups once a minute, whoever looks, and read what stands open once a round."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import ChannelDown
from approvals.standing import REMEMBERED, RememberedGroups
from bot.slack.at_a_glance import OnePass
from store.approvals import ApprovalFacts, ApprovalIndex
from tests.desk import desk_at
from tests.fakes import FakeClock, FakeStanding


async def test_a_group_is_asked_about_once_a_minute() -> None:
    clock, standing = FakeClock(), FakeStanding(groups={"S0FINANCE": ("U0LEE",)})
    groups = RememberedGroups(standing, clock)
    assert await groups.members("T0SANDBOX", "S0FINANCE") == {"U0LEE"}
    standing.groups["S0FINANCE"] = ()
    assert await groups.members("T0SANDBOX", "S0FINANCE") == {"U0LEE"}
    assert standing.asked == ["S0FINANCE"]
    clock.move(REMEMBERED.total_seconds())
    assert await groups.members("T0SANDBOX", "S0FINANCE") == frozenset()


async def test_that_a_group_could_not_be_looked_up_is_not_remembered() -> None:
    standing = FakeStanding(groups={"S0FINANCE": ("U0LEE",)}, is_down=True)
    groups = RememberedGroups(standing, FakeClock())
    with pytest.raises(ChannelDown):
        await groups.members("T0SANDBOX", "S0FINANCE")
    standing.is_down = False
    assert await groups.members("T0SANDBOX", "S0FINANCE") == {"U0LEE"}


async def test_what_stands_open_is_read_once_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Sequence[str]] = []
    whole = ApprovalIndex.facts_of

    async def counted(self: ApprovalIndex, cards: Sequence[str]) -> list[ApprovalFacts]:
        reads.append(cards)
        return await whole(self, cards)

    async with desk_at(tmp_path) as desk:
        asked = [await desk.ask(), await desk.ask()]
        monkeypatch.setattr(ApprovalIndex, "facts_of", counted)
        once = OnePass(desk.index)
        for _ in range(3):
            ids, total = await once.open_cards(10)
            assert (sorted(ids), total) == (sorted(asked), 2)
            assert {each.approval_id for each in await once.facts_of(ids)} == set(asked)
        assert len(reads) == 1
        assert [each.approval_id for each in await once.facts_of(asked[:1])] == asked[:1]
        assert len(reads) == 2
