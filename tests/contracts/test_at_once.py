"""People, and time, who decide at the same moment in two processes: one outcome, and each is told the truth."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.errors import AlreadySettled, Conflict, Refused
from agent.events import ApprovalAmended, ApprovalDecided, ApprovalVoted, DecisionRefused
from agent.verdict import Approved, Cancelled, Expired
from approvals.card import Card
from approvals.decision import Approve, Reject
from tests.contracts.stores import MAKES
from tests.contracts.table import Table, pay, table_at, table_in_memory
from tests.council import who
from tests.migrated import sqlite_at

ROUNDS = 6
"""How often each race is run: who wins is the machine's to say."""


@pytest.fixture(params=MAKES)
async def table(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Table]:
    """An empty store, and two gates on it."""
    if request.param == "memory":
        yield table_in_memory()
        return
    is_file = request.param == "sqlite"
    url = sqlite_at(tmp_path / "contract.db") if is_file else str(request.getfixturevalue("migrated_postgres_url"))
    async with table_at(url) as found:
        yield found


async def together(*says: object) -> list[object]:
    """What came of each: a card, or what it was told."""
    return await asyncio.gather(*says, return_exceptions=True)  # type: ignore[call-overload, no-any-return]  # coroutines


async def votes(table: Table) -> list[tuple[int, str, str]]:
    events = await table.events()
    return [(each.version, each.by.person, each.vote) for each in events if isinstance(each, ApprovalVoted)]


async def test_two_votes_at_once_both_count_and_decide_it_once(table: Table) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked(count=2)
        found = await together(table.says(0, "fay", table.yes(), asked), table.says(1, "gus", table.yes(), asked))
        assert all(isinstance(each, Card) for each in found), found
        said = await votes(table)
        assert [version for version, _, _ in said] == [0, 1]
        assert {name for _, name, _ in said} == {"fay", "gus"}
        assert await table.outcomes() == ["approved"]


async def test_of_more_people_than_it_takes_so_many_count_and_the_rest_is_told(table: Table) -> None:
    names = ("fay", "gus", "hal", "ivo", "jan")
    for _ in range(ROUNDS):
        (asked,) = await table.asked(count=3)
        found = await together(*(table.says(number % 2, name, table.yes(), asked) for number, name in enumerate(names)))
        assert await table.outcomes() == ["approved"]
        assert [version for version, _, _ in await votes(table)] == [0, 1, 2]
        assert sum(isinstance(each, AlreadySettled) for each in found) == 2


async def test_two_clicks_at_once_on_two_surfaces_are_one_decision_and_the_loser_is_told_who_was_first(
    table: Table,
) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked()
        found = await together(table.says(0, "fay", table.yes(), asked), table.says(1, "gus", Reject("no"), asked))
        cards = [each for each in found if isinstance(each, Card)]
        told = [each for each in found if isinstance(each, AlreadySettled)]
        assert (len(cards), len(told)) == (1, 1)
        assert str(told[0]) == f"{cards[0].decided_by} was first: this was {cards[0].status} already."
        assert await table.outcomes() == [cards[0].status]


async def test_one_person_s_click_that_comes_twice_at_once_is_one_vote(table: Table) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked(count=2)
        found = await together(*(table.says(number, "fay", table.yes(), asked) for number in (0, 1)))
        assert sorted(type(each).__name__ for each in found) == ["Card", "SaidBefore"]
        assert await votes(table) == [(0, "fay", "approve")]
        assert await table.outcomes() == []


async def test_a_vote_and_the_end_of_the_time_at_once_are_one_of_the_two(table: Table) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked()
        found = await together(table.says(0, "fay", table.yes(), asked), table.settles(1, asked, Expired()))
        (outcome,) = await table.outcomes()
        assert isinstance(found[0], Card if outcome == "approved" else AlreadySettled)
        assert isinstance(found[1], AlreadySettled) == (outcome == "approved")


async def test_a_vote_that_does_not_decide_and_the_end_of_the_time_at_once_end_it(table: Table) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked(count=2)
        found = await together(table.says(0, "fay", table.yes(), asked), table.settles(1, asked, Expired()))
        assert await table.outcomes() == ["expired"]
        assert isinstance(found[0], Card | AlreadySettled)
        assert len(await votes(table)) == isinstance(found[0], Card)


async def test_a_vote_and_a_change_at_once_never_mix(table: Table) -> None:
    """Either the vote was first and is void, or it is refused as one on what is no longer shown."""
    for _ in range(ROUNDS):
        (asked,) = await table.asked(count=2)
        found = await together(
            table.says(0, "fay", table.yes(), asked), table.says(1, "gus", table.yes(amount=500.0), asked)
        )
        assert isinstance(found[1], Card)
        facts = await table.stores[0][1].facts(asked)
        assert facts
        assert facts.record.request.arguments["amount"] == 500.0
        assert facts.record.votes == ()
        assert await table.outcomes() == []
        if not isinstance(found[0], Card):
            assert isinstance(found[0], Refused)
        changed = pay.digest({"order": "0", "amount": 500.0})
        await table.gates[0].decide(asked, Approve(changed), who("cy"), "api")
        decided = [each for each in await table.events() if isinstance(each, ApprovalDecided)]
        assert isinstance(decided[0].decision, Approved)
        assert decided[0].decision.digest == changed


async def test_the_last_vote_and_a_change_at_once_run_one_of_the_two(table: Table) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked(count=2)
        await table.says(0, "hal", table.yes(), asked)
        await together(table.says(0, "fay", table.yes(), asked), table.says(1, "gus", table.yes(amount=500.0), asked))
        events = await table.events()
        is_changed = any(isinstance(each, ApprovalAmended) for each in events)
        assert await table.outcomes() == ([] if is_changed else ["approved"])


async def test_a_vote_and_a_cancellation_at_once_are_one_of_the_two(table: Table) -> None:
    for _ in range(ROUNDS):
        (asked,) = await table.asked()
        await together(table.says(0, "fay", table.yes(), asked), table.settles(1, asked, Cancelled()))
        assert await table.outcomes() in (["approved"], ["cancelled"])


async def test_two_people_who_decide_a_plan_at_once_decide_all_of_it_or_nothing(table: Table) -> None:
    for _ in range(ROUNDS):
        ids = await table.asked(3)
        gates = table.gates
        all_of_it = {each: table.yes(number) for number, each in enumerate(ids)}
        found = await together(
            gates[0].decide_plan(all_of_it, who("fay"), "api"),
            gates[1].decide_plan(dict.fromkeys(ids, Reject("no")), who("gus"), "api"),
        )
        outcomes = await table.outcomes()
        assert outcomes in (["approved"] * 3, ["rejected"] * 3)
        assert sorted(type(each).__name__ for each in found) == ["AlreadySettled", "Card"]


async def test_what_others_said_meanwhile_is_weighed_in_and_nobody_has_to_click_again(table: Table) -> None:
    (asked,) = await table.asked(count=2)
    gate = table.slowed(0, lambda: table.says(1, "gus", table.yes(), asked))

    card = await gate.decide(asked, table.yes(), who("fay"), "api")
    assert card.status == "approved"
    assert await votes(table) == [(0, "gus", "approve"), (1, "fay", "approve")]


async def test_whoever_is_too_late_by_a_moment_is_told_who_was_first(table: Table) -> None:
    (asked,) = await table.asked()
    gate = table.slowed(0, lambda: table.says(1, "gus", Reject("no"), asked))

    with pytest.raises(AlreadySettled, match="Gus was first: this was rejected already"):
        await gate.decide(asked, table.yes(), who("fay"), "api")


async def test_a_say_that_is_always_overtaken_is_refused_and_decides_nothing(table: Table) -> None:
    (asked,) = await table.asked(count=2)

    async def overtakes() -> None:
        raise Conflict

    gate = table.slowed(0, overtakes, times=1_000)
    with pytest.raises(Refused, match="Others are deciding at this very moment"):
        await gate.decide(asked, table.yes(), who("fay"), "api")
    assert await votes(table) == []


async def test_refused_attempts_go_beside_votes_and_leave_them_alone(table: Table) -> None:
    (asked,) = await table.asked(count=2)
    found = await together(
        *(table.says(number % 2, "cy", table.yes(), asked) for number in range(4)),
        table.says(0, "fay", table.yes(), asked),
        table.says(1, "gus", table.yes(), asked),
    )
    assert sum(isinstance(each, Card) for each in found) == 2
    assert await table.outcomes() == ["approved"]
    assert sum(isinstance(each, DecisionRefused) for each in await table.events()) == 4


async def test_a_decision_after_the_time_and_the_worker_s_expiry_at_once_are_one_expiry(table: Table) -> None:
    (asked,) = await table.asked()
    table.clock.move(3600)
    found = await together(table.says(0, "fay", table.yes(), asked), table.settles(1, asked, Expired()))

    assert isinstance(found[0], AlreadySettled)
    assert "has expired" in str(found[0])
    assert await table.outcomes() == ["expired"]
