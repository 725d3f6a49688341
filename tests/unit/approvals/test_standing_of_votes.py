"""Whose votes count: looked up when they are given, and again with each vote that follows."""

import pytest

from agent.errors import Refused
from approvals.decision import Approve, Reject
from approvals.quorum import ONE_PLACE
from tests.council import Council, person, who, whom

AWAY = [{"from": "2026-11-20"}]
FINANCE = [person("fay", "finance"), person("gus", "finance"), person("hal", "finance"), person("ada", "support")]
TWO = whom(roles=["finance"], count=2)


def council(verdict: object = TWO, *more: object) -> Council:
    return Council([*FINANCE, *more], verdict)  # type: ignore[arg-type, list-item]  # an Ask, and persons


async def test_the_vote_of_somebody_who_has_left_no_longer_counts() -> None:
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked)
    it.remove("fay")

    assert (await it.approves("gus", asked)).status == "open"
    assert it.paid == []
    await it.approves("hal", asked)
    assert it.paid == [("1", 50.0)]


async def test_the_vote_of_somebody_who_lost_the_role_no_longer_counts() -> None:
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked)
    it.change("fay", roles=("support",))

    assert (await it.approves("gus", asked)).status == "open"


async def test_the_vote_of_somebody_whose_account_was_closed_no_longer_counts() -> None:
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked, "slack")
    it.standing.account("U0FAY", "deleted")

    assert (await it.approves("gus", asked)).status == "open"
    assert it.paid == []


async def test_whoever_voted_by_an_account_that_is_closed_may_vote_again_by_another() -> None:
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked, "slack")
    it.standing.account("U0FAY", "deleted")
    await it.approves("fay", asked, "cli")

    await it.approves("gus", asked)
    assert it.paid == [("1", 50.0)]


async def test_whoever_has_come_back_counts_again_and_either_of_them_may_say_so() -> None:
    for says_so in ("fay", "gus", "hal"):
        it = council()
        asked = await it.ask()
        await it.approves("fay", asked)
        people = it.people
        it.remove("fay")
        await it.approves("gus", asked)
        it.people = people

        assert (await it.approves(says_so, asked)).status == "approved"
        assert it.paid == [("1", 50.0)]


async def test_a_rejection_of_somebody_who_has_left_no_longer_counts() -> None:
    it = council(whom(roles=["finance"], count=3, rejections=2))
    asked = await it.ask()
    await it.rejects("fay", asked)
    it.remove("fay")

    assert (await it.rejects("gus", asked)).status == "open"


async def test_an_approver_removed_between_card_and_click_is_refused() -> None:
    it = council(whom(roles=["finance"]))
    asked = await it.ask()
    it.remove("fay")

    with pytest.raises(Refused, match="not in this deployment's list"):
        await it.approves("fay", asked)
    assert it.paid == []


async def test_a_deputy_and_whoever_is_away_are_two_people_and_one_seat() -> None:
    dana = person("dana", "lead", away=AWAY, deputies=["lee"])
    it = council(whom(roles=["lead"], count=2), dana, person("lee"), person("max", "lead"))
    asked = await it.ask()
    await it.approves("dana", asked)

    with pytest.raises(Refused, match=ONE_PLACE[:40]):
        await it.approves("lee", asked)
    assert it.paid == []
    await it.approves("max", asked)
    assert it.paid == [("1", 50.0)]


async def test_a_deputy_s_vote_goes_with_the_absence_that_it_hung_on() -> None:
    it = council(whom(roles=["lead"], count=2), person("dana", "lead", away=AWAY, deputies=["lee"]), person("lee"))
    it.people.append(person("max", "lead"))
    asked = await it.ask()
    await it.approves("lee", asked)
    it.change("dana", away=())

    assert (await it.approves("max", asked)).status == "open"


async def test_two_rejections_of_a_deputy_and_whoever_is_away_are_one() -> None:
    dana = person("dana", "lead", away=AWAY, deputies=["lee"])
    it = council(whom(roles=["lead"], rejections=2), dana, person("lee"), person("max", "lead"))
    asked = await it.ask()
    await it.rejects("lee", asked)

    with pytest.raises(Refused, match=ONE_PLACE[:40]):
        await it.rejects("dana", asked)
    assert (await it.rejects("max", asked)).status == "rejected"


async def test_the_requester_does_not_decide_where_a_second_person_is_wanted_nor_by_a_deputy() -> None:
    ada = person("ada", "finance", away=AWAY, deputies=["gus"])
    it = Council([ada, person("fay", "finance"), person("gus", "finance")], whom(roles=["finance"], requester=False))
    asked = await it.ask()

    for name in ("ada", "gus"):
        with pytest.raises(Refused, match="second person"):
            await it.approves(name, asked)
    assert it.paid == []
    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_the_requester_decides_where_the_rule_lets_them() -> None:
    it = Council([person("ada", "finance")], whom(roles=["finance"]))

    await it.approves("ada", await it.ask())
    assert it.paid == [("1", 50.0)]


async def test_a_vote_that_became_the_requester_s_own_side_does_not_count_any_more() -> None:
    """Gus voted while Ada was there; now he stands in for her."""
    people = [person("ada", "finance", deputies=["gus"]), person("fay", "finance"), person("gus", "finance")]
    it = Council(people, whom(roles=["finance"], requester=False, count=2))
    asked = await it.ask()
    await it.approves("gus", asked)
    it.change("ada", away=AWAY)

    assert (await it.approves("fay", asked)).status == "open"
    assert it.paid == []


async def test_nobody_listed_means_nobody_may() -> None:
    it = council(whom())
    asked = await it.ask()

    with pytest.raises(Refused, match="lists nobody"):
        await it.approves("fay", asked)


async def test_a_rejection_that_does_not_count_any_more_is_said_again_by_another_account() -> None:
    it = council(whom(roles=["finance"], rejections=2))
    asked = await it.ask()
    await it.gate.decide(asked, Reject("no"), who("fay", "slack"), "slack")
    it.standing.account("U0FAY", "deleted")
    await it.gate.decide(asked, Reject("no"), who("fay", "cli"), "cli")

    assert (await it.rejects("gus", asked)).status == "rejected"


async def test_somebody_who_is_listed_under_another_id_by_now_has_no_second_vote() -> None:
    """An id like `fay` was given to another; the human being behind her account is somebody else in people.yaml."""
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked, "slack")
    it.change("fay", slack={"T0": "U0NEW"})
    it.people.append(person("felicity", "finance", slack={"T0": "U0FAY"}))

    card = await it.gate.decide(asked, Approve((await it.request(asked)).digest), who("fay", "slack"), "slack")
    await it.works()
    assert (card.status, it.paid) == ("open", [])
    await it.approves("gus", asked)
    assert it.paid == [("1", 50.0)]
