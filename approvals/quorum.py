"""Whose votes it takes: seats of several groups, filled by different people. Pure.

A person fills one seat, whatever roles they hold: somebody in finance and in support is not two people. Whoever stands
in for somebody who is away may fill their seat in place of them, and then it is filled: the two of them, or two
deputies of one person, are two people, and fill two seats only if each is entitled to one in their own right or for
somebody else. In order, a group is asked when the ones before it are full. One no settles it, unless the policy wants
more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.verdict import Approvers, Seats


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody at the moment they are asked about: who they are, what roles they hold, and whom they stand in for."""

    id: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    """In their own right."""
    stands_in_for: tuple["Voter", ...] = ()
    """People who are away and whose place they take."""
    service: bool = False

    @property
    def counts_as(self) -> tuple["Voter", ...]:
        """Themselves, and each whose place they take."""
        return (self, *self.stands_in_for)

    @property
    def ids(self) -> frozenset[str]:
        """Under which names of the policy they count."""
        return frozenset(each.id for each in self.counts_as)


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
    def total(self) -> int:
        """Seats filled in all groups."""
        return sum(self.filled)

    @property
    def is_complete(self) -> bool:
        """Whether everybody that it takes has approved."""
        return not any(self.missing)


ONE_PLACE = (
    "Your say and that of somebody who has had theirs count once: one of you stands in for the other, or both of you "
    "for the same person."
)


def fits(seats: Seats, voter: Voter) -> bool:
    """Whether they may fill a seat of this group, as themselves or in place of somebody."""
    return any(_is_of(seats, each) for each in voter.counts_as)


def _is_of(seats: Seats, person: Voter) -> bool:
    return person.id in seats.people or bool(person.roles & set(seats.roles))


def tally(approvers: Approvers, voters: Sequence[Voter]) -> Tally:
    """How far the yeses of these, in the order in which they came, go."""
    groups = approvers.seats
    filled = _in_order(groups, voters) if approvers.in_order else _at_once(groups, voters)
    missing = tuple(seats.count - count for seats, count in zip(groups, filled, strict=True))
    turns = [place for place, count in enumerate(missing) if count]
    return Tally(tuple(filled), missing, frozenset(turns[:1] if approvers.in_order else turns))


def noes(approvers: Approvers, voters: Sequence[Voter]) -> int:
    """How many different people's rejections these are, whoever stands in for somebody being no other than they."""
    everybody = tuple(each for seats in approvers.seats for each in seats.people)
    all_of_them = Seats(roles=tuple(sorted(approvers.all_roles)), people=everybody)
    counted: list[tuple[Voter, Seats]] = []
    for voter in voters:
        if _are_different([*counted, (voter, all_of_them)]):
            counted.append((voter, all_of_them))
    return len(counted)


def _in_order(groups: Sequence[Seats], voters: Sequence[Voter]) -> list[int]:
    """The first group that is not full takes the next who fits it; whoever does not is passed over."""
    seated: list[tuple[Voter, Seats]] = []
    filled = [0] * len(groups)
    for voter in voters:
        turn = next((place for place, seats in enumerate(groups) if filled[place] < seats.count), None)
        if turn is not None and _are_different([*seated, (voter, groups[turn])]):
            seated.append((voter, groups[turn]))
            filled[turn] += 1
    return filled


def _are_different(seated: Sequence[tuple[Voter, Seats]]) -> bool:
    """Whether each of these may sit where they do as somebody whom none of the others is."""
    taken: dict[str, int] = {}

    def seat(place: int, tried: set[str]) -> bool:
        voter, seats = seated[place]
        for each in voter.counts_as:
            if each.id in tried or not _is_of(seats, each):
                continue
            tried.add(each.id)
            if each.id not in taken or seat(taken[each.id], tried):
                taken[each.id] = place
                return True
        return False

    return all(seat(place, set()) for place in range(len(seated)))


def _at_once(groups: Sequence[Seats], voters: Sequence[Voter]) -> list[int]:
    """As many voters on seats as can be: the greatest flow from voters by whom they count as to groups."""
    room: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for place, voter in enumerate(voters):
        room["start"][f"voter {place}"] = 1
        for each in voter.counts_as:
            room[f"voter {place}"][f"as {each.id}"] = 1
            room[f"as {each.id}"][f"once {each.id}"] = 1
            for number, seats in enumerate(groups):
                room[f"once {each.id}"][f"group {number}"] = int(_is_of(seats, each))
    for number, seats in enumerate(groups):
        room[f"group {number}"]["end"] = seats.count
    while _push(room, "start", set()):
        pass
    return [room["end"][f"group {number}"] for number in range(len(groups))]


def _push(room: defaultdict[str, Counter[str]], at: str, seen: set[str]) -> bool:
    """Let one more through from there to the end, if there is a way; those on it may be moved aside."""
    if at == "end":
        return True
    seen.add(at)
    for after, left in list(room[at].items()):
        if left and after not in seen and _push(room, after, seen):
            room[at][after] -= 1
            room[after][at] += 1
            return True
    return False


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
        return "You asked for this yourself, or had a part in asking, and the policy wants a second person."
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
    """Why a yes of theirs does not count now though they may decide."""
    groups = approvers.seats
    waited_for = [" or ".join(names(groups[place])) for place in sorted(so_far.open_groups)]
    if any(fits(groups[place], voter) for place in so_far.open_groups):
        return f"{ONE_PLACE} It still takes {' and '.join(waited_for)}."
    if approvers.in_order:
        return f"It is not your turn yet: first {waited_for[0]}."
    return f"Your part is done already; it still takes {' and '.join(waited_for)}."


def in_words(approvers: Approvers) -> str:
    """What it takes, for a card: `2 of role finance, then role cfo`; empty when one person is enough."""
    if sum(seats.count for seats in approvers.seats) == 1:
        return ""
    parts = [f"{seats.count} of {' or '.join(names(seats))}" for seats in approvers.seats]
    return (", then " if approvers.in_order else " and ").join(parts)
