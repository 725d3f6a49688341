"""Random policies, people, votes and orders of arrival: no sensitive call ever starts without the votes that its rule
demands for exactly that digest, and what was rejected, has expired or was cancelled never starts.

The real gate and loop on the memory store, against an oracle that tries every way to seat people.
"""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.verdict import Approvers
from approvals.people import Directory, Person
from approvals.quorum import noes, tally
from approvals.roster import Roster
from tests.builders import AT
from tests.properties.oracle import different, is_enough
from tests.properties.scene import NAMES, Scene, persons, several, simple


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_nothing_starts_without_the_votes_that_its_rule_demands(data: st.DataObject) -> None:
    async def play() -> None:
        scene = Scene(data)
        await scene.begin()
        for _ in range(data.draw(st.integers(4, 18))):
            await scene.step()
        await scene.it.works()
        await scene.look()
        await scene.replay()

    asyncio.run(play())


@settings(deadline=None, max_examples=300)
@given(several | simple, persons, st.permutations(NAMES), st.integers(0, 5))
def test_seats_are_filled_whenever_there_is_a_way_to_fill_them(
    approvers: Approvers, everybody: tuple[Person, ...], order: list[str], count: int
) -> None:
    """Where there is an order to keep, who came first stays where they sat, so that it may take more people."""
    people = {each.id: each for each in everybody}
    roster = Roster(Directory(everybody), AT)
    voters = [roster.voter(people[name]) for name in order[:count]]
    done = tally(approvers, voters).is_complete

    assert is_enough(approvers, order[:count], people) if done else True
    assert done or approvers.in_order or not is_enough(approvers, order[:count], people)
    assert noes(approvers, voters) == different(approvers, order[:count], people)
