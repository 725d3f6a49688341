"""A person's own lists: what waits for them now by the gate's own rule, and what they had a say in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.verdict import Approvers, Rejected, Seats
from approvals.decision import Approve, Reject
from approvals.people import Away, Directory
from bot.personal import Personal
from tests.desk import ADA, ARGUMENTS, LEE, MIA, PEOPLE, Desk, desk_at, refund
from tests.fakes import FakeStanding

YES = Approve(refund.digest(ARGUMENTS))
TWO = Approvers(roles=("finance",), count=2)
IN_ORDER = Approvers(each=(Seats(people=("mia",)), Seats(people=("lee",))), in_order=True)
BY_ID = {each.id: each for each in PEOPLE}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as found:
        yield found


async def pending(desk: Desk, person: str = "lee", limit: int = 200) -> list[str]:
    found = await Personal(desk.gate, desk.index).pending(BY_ID[person], limit)
    return [card.approval_id for card in found.cards]


async def decided(desk: Desk, person: str = "lee") -> list[str]:
    return [card.approval_id for card in await Personal(desk.gate, desk.index).decided(BY_ID[person])]


async def test_what_waits_is_what_the_person_may_decide_the_soonest_to_expire_first(desk: Desk) -> None:
    now = desk.clock.now()
    later, sooner = [await desk.ask(expires_at=now + timedelta(hours=hours)) for hours in (5, 2)]
    await desk.ask(approvers=Approvers(roles=("legal",)))
    await desk.ask(expires_at=now)

    assert await pending(desk) == [sooner, later]
    assert await pending(desk, "ada") == []
    assert await pending(desk, "crm") == [], "a service decides nothing"


async def test_whoever_asked_does_not_find_what_takes_a_second_person(desk: Desk) -> None:
    asked = await desk.ask(requester=LEE, approvers=Approvers(roles=("finance",), requester=False))

    assert await pending(desk) == []
    assert await pending(desk, "mia") == [asked]


async def test_what_takes_two_waits_for_those_who_have_not_said_yes(desk: Desk) -> None:
    asked = await desk.ask(approvers=TWO)
    await desk.gate.decide(asked, YES, LEE, "api")

    assert await pending(desk) == []
    assert await pending(desk, "mia") == [asked]
    assert await decided(desk) == [asked]

    await desk.gate.decide(asked, Reject(), MIA, "api")
    assert await pending(desk, "mia") == []
    assert await decided(desk) == await decided(desk, "mia") == [asked]


async def test_what_is_asked_in_order_waits_for_whose_turn_it_is(desk: Desk) -> None:
    asked = await desk.ask(approvers=IN_ORDER)
    assert (await pending(desk, "mia"), await pending(desk)) == ([asked], [])

    await desk.gate.decide(asked, YES, MIA, "api")

    assert (await pending(desk, "mia"), await pending(desk)) == ([], [asked])


async def test_a_yes_of_somebody_who_lost_the_role_leaves_the_seat_to_others(desk: Desk) -> None:
    asked = await desk.ask(approvers=IN_ORDER)
    await desk.gate.decide(asked, YES, MIA, "api")
    without = Directory(each for each in PEOPLE if each.id != "mia")
    desk.gate = replace(desk.gate, directory=without)

    assert await pending(desk) == []


async def test_a_question_in_a_conversation_waits_for_whoever_began_it(desk: Desk) -> None:
    asked = await desk.ask("question", approvers=Approvers(anyone_in_thread=True), requester=ADA)

    assert await pending(desk, "ada") == [asked]
    assert await pending(desk) == []


async def test_a_deputy_finds_what_waits_for_whoever_is_away(desk: Desk) -> None:
    away = Away.model_validate({"from": desk.clock.now().date() - timedelta(days=1)})
    people = [
        each if each.id != "lee" else each.model_copy(update={"away": (away,), "deputies": ("ada",)}) for each in PEOPLE
    ]
    desk.gate = replace(desk.gate, directory=Directory(people))
    asked = await desk.ask(approvers=Approvers(people=("lee",)))

    assert await pending(desk, "ada") == [asked]


async def test_a_plan_is_one_card_and_stays_while_one_of_its_calls_waits(desk: Desk) -> None:
    first = await desk.ask()
    mate = desk.request("call", ARGUMENTS, plan=first, call_id="c2")
    await desk.threads.inform((await desk.facts(first)).thread_id, [mate])

    assert await pending(desk) == [first]
    await desk.decide(first, Rejected())
    assert await pending(desk) == [first]
    await desk.decide(mate.approval_id, Rejected())
    assert await pending(desk) == []


async def test_beyond_the_limit_it_is_said_how_many_were_not_looked_at(desk: Desk) -> None:
    for _ in range(4):
        await desk.ask()

    found = await Personal(desk.gate, desk.index).pending(BY_ID["lee"], 3)

    assert (len(found.cards), found.unseen) == (3, 1)


async def test_a_group_is_looked_up_once_for_the_whole_list_and_counts_for_nothing_when_it_cannot_be(
    desk: Desk,
) -> None:
    slack = FakeStanding(groups={"S0TREASURY": ("U0ADA",)})
    people = [each.model_copy(update={"slack": {"T0SANDBOX": f"U0{each.id.upper()}"}}) for each in PEOPLE]
    directory = Directory(people, {"treasury": {"T0SANDBOX": "S0TREASURY"}})
    desk.gate = replace(desk.gate, directory=directory, standing=slack)
    asked = [await desk.ask(approvers=Approvers(roles=("treasury",))) for _ in range(5)]

    assert await pending(desk, "ada") == asked
    assert slack.asked == ["S0TREASURY"]

    slack.is_down = True
    assert await pending(desk, "ada") == []
