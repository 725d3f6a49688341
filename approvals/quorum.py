"""Whose votes it takes: seats of several groups, filled by different people. Pure.

A person fills one seat, whatever roles they hold: somebody in finance and in support is not two people. In order, a
group is asked when the ones before it are full. One no settles it, unless the policy wants more of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.verdict import Approvers, Seats


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody at the moment they are asked about: who they are, whom they stand in for, and what roles they hold."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    stands_in_for: frozenset[str] = frozenset()
    """Ids of people who are away and whose place they take."""
    service: bool = False

    @property
    def ids(self) -> frozenset[str]:
        """Under which names of the policy they count."""
        return self.stands_in_for | {self.id}


@dataclass(frozen=True, slots=True)
class Tally:
    """How far the votes go."""

    filled: tuple[int, ...]
    """Seats filled, a number each group."""
    missing: tuple[int, ...]
    """Seats still empty, a number each group."""
    open_groups: frozenset[int] = field(default=frozenset())
    """The groups whose turn it is."""

    @property
    def is_complete(self) -> bool:
        """Whether everybody that it takes has approved."""
        return not any(self.missing)


def fits(seats: Seats, voter: Voter) -> bool:
    """Whether they may fill a seat of this group."""
    return bool(voter.ids & set(seats.people) or voter.roles & set(seats.roles))


def tally(approvers: Approvers, voters: Sequence[Voter]) -> Tally:
    """How far the yeses of these, in the order in which they came, go."""
    groups = approvers.seats
    if approvers.in_order:
        return _in_order(groups, voters)
    chosen = _matched(groups, voters)
    filled = tuple(sum(1 for group in chosen.values() if group == place) for place in range(len(groups)))
    missing = tuple(seats.count - count for seats, count in zip(groups, filled, strict=True))
    return Tally(filled, missing, frozenset(place for place, count in enumerate(missing) if count))


def _in_order(groups: Sequence[Seats], voters: Sequence[Voter]) -> Tally:
    """The first group that is not full takes the next who fits it; whoever does not is passed over."""
    filled = [0] * len(groups)
    for voter in voters:
        turn = _turn(groups, filled)
        if turn is not None and fits(groups[turn], voter):
            filled[turn] += 1
    turn = _turn(groups, filled)
    missing = tuple(seats.count - count for seats, count in zip(groups, filled, strict=True))
    return Tally(tuple(filled), missing, frozenset() if turn is None else frozenset({turn}))


def _turn(groups: Sequence[Seats], filled: Sequence[int]) -> int | None:
    return next((place for place, seats in enumerate(groups) if filled[place] < seats.count), None)


def _matched(groups: Sequence[Seats], voters: Sequence[Voter]) -> dict[int, int]:
    """As many voters on seats as can be, by augmenting paths: voter's place to group's place."""
    chosen: dict[int, int] = {}

    def seat(voter: int, tried: set[int]) -> bool:
        for place, seats in enumerate(groups):
            if place in tried or not fits(seats, voters[voter]):
                continue
            tried.add(place)
            sitting = [each for each, group in chosen.items() if group == place]
            if len(sitting) < seats.count or any(seat(each, tried) for each in sitting):
                chosen[voter] = place
                return True
        return False

    for voter in range(len(voters)):
        seat(voter, set())
    return chosen


def refusal(approvers: Approvers, voter: Voter | None, *, asked_for_it: bool) -> str:
    """Why this person may not decide, in words for them; empty when they may. `asked_for_it`: they are the requester,
    or stand in for them."""
    if voter is not None and voter.service:
        return "A service cannot decide; it takes a person."
    if approvers.anyone_in_thread:
        return ""
    if voter is None:
        return "You are not in this deployment's list of people."
    if not any(fits(seats, voter) for seats in approvers.seats):
        return _who_may(approvers)
    if asked_for_it and not approvers.requester:
        return "You asked for this yourself, and the policy wants a second person."
    return ""


def _who_may(approvers: Approvers) -> str:
    listed = dict.fromkeys(name for seats in approvers.seats for name in names(seats))
    if not listed:
        return "The policy lists nobody who may decide this."
    return f"Only these may decide this: {', '.join(listed)}."


def names(seats: Seats) -> Iterable[str]:
    """The group in words."""
    return (*(f"role {role}" for role in seats.roles), *seats.people)


def not_your_turn(approvers: Approvers, so_far: Tally, voter: Voter) -> str:
    """Why a yes of theirs does not count now though they may decide; empty when it does."""
    groups = approvers.seats
    if any(fits(groups[place], voter) for place in so_far.open_groups):
        return ""
    waited_for = [" or ".join(names(groups[place])) for place in sorted(so_far.open_groups)]
    if approvers.in_order:
        return f"It is not your turn yet: first {waited_for[0]}."
    return f"Your part is done already; it still takes {' and '.join(waited_for)}."


def in_words(approvers: Approvers) -> str:
    """What it takes, for a card: `2 of role finance, then role cfo`; empty when one person is enough."""
    if sum(seats.count for seats in approvers.seats) == 1:
        return ""
    parts = [f"{seats.count} of {' or '.join(names(seats))}" for seats in approvers.seats]
    return (", then " if approvers.in_order else " and ").join(parts)
