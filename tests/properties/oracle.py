"""Whether votes are enough, found by trying everything: knows nothing of how the product finds it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.verdict import Approvers, Seats
from approvals.people import Person

Moment = Mapping[str, Person]
"""Who exists now, and in which state; everybody is away or there for good."""


@dataclass(frozen=True)
class Said:
    """What somebody said that was taken."""

    person: str
    vote: str
    digest: str
    by_slack: bool


def is_there(person: Person) -> bool:
    """Nobody in these tests comes or goes by the calendar."""
    return not person.away


def bodies(person: Person, people: Moment) -> list[Person]:
    """Whom somebody may sit there as: themselves, and everybody away whose deputy they are."""
    return [person, *(each for each in people.values() if person.id in each.deputies and not is_there(each))]


def sits_as(body: Person, seats: Seats) -> bool:
    """By name or by role."""
    return body.id in seats.people or any(role in body.roles for role in seats.roles)


def may_decide(name: str, approvers: Approvers, requester: str, people: Moment) -> bool:
    """Whether they have any right to."""
    if name not in people:
        return False
    mine = bodies(people[name], people)
    if not approvers.requester and requester in {each.id for each in mine}:
        return False
    return any(sits_as(body, seats) for body in mine for seats in approvers.seats)


def with_others(approvers: Approvers, roles: Sequence[str], people: Sequence[str]) -> Approvers:
    """The same seats, which these may sit on, too."""
    each = tuple(
        Seats(roles=(*seats.roles, *roles), people=(*seats.people, *people), count=seats.count)
        for seats in approvers.seats
    )
    return approvers.model_copy(update={"each": each})


def is_enough(approvers: Approvers, names: Sequence[str], people: Moment) -> bool:
    """Whether these yeses, in this order, fill all seats: every way to seat them is tried."""
    wanted = [place for place, seats in enumerate(approvers.seats) for _ in range(seats.count)]
    return any(
        sorted(places) == wanted and (not approvers.in_order or places == sorted(places))
        for places in _seatings(approvers.seats, names, people)
    )


def different(approvers: Approvers, names: Sequence[str], people: Moment) -> int:
    """How many of these are different bodies, at best."""
    anywhere = Seats(
        roles=tuple(role for seats in approvers.seats for role in seats.roles),
        people=tuple(name for seats in approvers.seats for name in seats.people),
    )
    return max((len(places) for places in _seatings((anywhere,), names, people)), default=0)


def _seatings(groups: Sequence[Seats], names: Sequence[str], people: Moment) -> Iterator[list[int]]:
    """Every way to seat some of them, nobody twice and nobody as a body that is seated already: the groups, in turn."""

    def rest(at: int, seated: frozenset[str], bodies_taken: frozenset[str]) -> Iterator[list[int]]:
        if at == len(names):
            yield []
            return
        yield from rest(at + 1, seated, bodies_taken)
        if names[at] in seated:
            return
        for body in bodies(people[names[at]], people):
            for place, seats in enumerate(groups):
                if body.id not in bodies_taken and sits_as(body, seats):
                    for more in rest(at + 1, seated | {names[at]}, bodies_taken | {body.id}):
                        yield [place, *more]

    yield from rest(0, frozenset(), frozenset())
