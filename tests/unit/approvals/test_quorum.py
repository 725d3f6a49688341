"""Whose votes fill whose seats."""

from itertools import permutations

import pytest

from agent.verdict import Approvers, Seats
from approvals.quorum import ONE_PLACE, Voter, in_words, noes, not_your_turn, tally


def voter(name: str, *roles: str, instead_of: tuple[Voter, ...] = ()) -> Voter:
    return Voter(name, name.title(), frozenset(roles), instead_of)


ADA, BEN, CAT = voter("ada", "finance"), voter("ben", "finance"), voter("cat", "support")
BOTH = voter("eve", "finance", "support")
TWO = Approvers(roles=("finance",), count=2)
EACH = Approvers(each=(Seats(roles=("finance",)), Seats(roles=("support",))))
DANA = voter("dana", "lead")
LEE, KIM = voter("lee", instead_of=(DANA,)), voter("kim", instead_of=(DANA,))


def test_two_of_a_role_are_two_people() -> None:
    assert not tally(TWO, [ADA]).is_complete
    assert tally(TWO, [ADA, BEN]).is_complete
    assert tally(TWO, [ADA, CAT]).filled == (1,)


def test_no_more_seats_are_filled_than_there_are() -> None:
    assert tally(TWO, [ADA, BEN, BOTH]).filled == (2,)


def test_one_of_each_of_two_roles() -> None:
    assert tally(EACH, [ADA, BEN]).missing == (0, 1)
    assert tally(EACH, [ADA, CAT]).is_complete


def test_one_person_with_two_roles_fills_one_seat() -> None:
    assert tally(EACH, [BOTH]).total == 1
    assert tally(Approvers(each=EACH.each, in_order=True), [BOTH]).total == 1


@pytest.mark.parametrize("order", list(permutations([BOTH, ADA])))
def test_whoever_holds_two_roles_makes_room_for_whoever_holds_one(order: tuple[Voter, ...]) -> None:
    assert tally(EACH, order).is_complete


def test_seats_are_found_along_a_chain_of_moves() -> None:
    groups = tuple(Seats(roles=(each,)) for each in "abc")
    people = [voter("1", "a", "b"), voter("2", "a", "c"), voter("3", "a")]
    for order in permutations(people):
        assert tally(Approvers(each=groups), order).filled == (1, 1, 1)


def test_a_person_named_and_in_the_role_is_one_person() -> None:
    assert tally(Approvers(roles=("finance",), people=("ada",), count=2), [ADA]).filled == (1,)


def test_in_order_a_group_waits_for_the_one_before_it() -> None:
    ordered = Approvers(each=(Seats(roles=("finance",), count=2), Seats(roles=("support",))), in_order=True)

    assert tally(ordered, [CAT]).total == 0
    assert tally(ordered, [ADA, CAT]).filled == (1, 0)
    assert tally(ordered, [ADA]).open_groups == {0}
    assert tally(ordered, [ADA, BEN]).open_groups == {1}
    assert tally(ordered, [ADA, BEN, CAT]).is_complete
    assert not_your_turn(ordered, tally(ordered, [ADA]), CAT) == "It is not your turn yet: first role finance."


@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("people", list(permutations([DANA, LEE, KIM], 2)))
def test_a_deputy_and_the_one_who_is_away_and_two_deputies_of_one_fill_one_seat(
    people: tuple[Voter, ...], in_order: bool
) -> None:
    two_leads = Approvers(roles=("lead",), count=2, in_order=in_order)

    assert tally(two_leads, people).filled == (1,)
    assert ONE_PLACE in not_your_turn(two_leads, tally(two_leads, people[:1]), people[1])


@pytest.mark.parametrize("in_order", [False, True])
def test_a_deputy_who_is_entitled_too_fills_a_seat_of_their_own(in_order: bool) -> None:
    lead_too = voter("max", "lead", instead_of=(DANA,))
    two_leads = Approvers(roles=("lead",), count=2, in_order=in_order)

    for order in permutations([lead_too, DANA]):
        assert tally(two_leads, order).is_complete
    for order in permutations([lead_too, LEE]):
        assert tally(two_leads, order).is_complete
    assert not tally(Approvers(roles=("lead",), count=3, in_order=in_order), [lead_too, LEE, DANA]).is_complete


def test_a_deputy_of_two_people_takes_the_place_of_whichever_is_free() -> None:
    mia = voter("mia", "lead")
    of_both = voter("zoe", instead_of=(DANA, mia))
    two_leads = Approvers(roles=("lead",), count=2)

    for order in permutations([of_both, DANA]):
        assert tally(two_leads, order).is_complete
    for order in permutations([of_both, LEE]):
        assert tally(two_leads, order).is_complete
    assert tally(two_leads, [of_both]).total == 1


def test_the_one_who_is_away_is_named_and_both_say_yes() -> None:
    named = Approvers(each=(Seats(people=("dana",)), Seats(roles=("lead",))))

    assert tally(named, [DANA, LEE]).total == 1


def test_rejections_are_counted_by_person_and_by_place() -> None:
    leads = Approvers(roles=("lead",), people=("ada",), rejections=2)

    assert noes(leads, [DANA]) == 1
    assert noes(leads, [DANA, LEE]) == noes(leads, [LEE, KIM]) == 1
    assert noes(leads, [LEE, ADA, KIM]) == 2
    assert noes(leads, [CAT]) == 0


@pytest.mark.parametrize("wrong", [{"count": 0}, {"rejections": 0}, {"each": [{"count": 0}]}])
def test_nobody_s_approval_is_never_enough(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Approvers.model_validate(wrong)


@pytest.mark.parametrize(
    "approvers, words",
    [
        (Approvers(roles=("finance",)), ""),
        (TWO, "2 of role finance"),
        (EACH, "1 of role finance and 1 of role support"),
        (Approvers(each=EACH.each, in_order=True), "1 of role finance, then 1 of role support"),
    ],
)
def test_what_it_takes_in_words(approvers: Approvers, words: str) -> None:
    assert in_words(approvers) == words
