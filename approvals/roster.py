"""Who counts as whom at one moment: deputies, absences, live groups. Pure.

Rules:
- While somebody is away, each deputy counts as them too: holds their roles, and is meant where they are named.
- One step only. Whoever stands in for a deputy who is away does not stand in for the first.
- A deputy stays one person, with one vote; and takes one place: they and whoever is away, or two deputies of one
  person, do not fill two seats that are only that person's to fill (`approvals.quorum`).
- Whoever is away may decide all the same; they are only not sent anything directly while a deputy is there to get it.
- Whoever stands in for the person who asked counts as that person, where the policy wants a second one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from approvals.people import Directory, Person
from approvals.quorum import Voter

NO_MEMBERS: Mapping[str, frozenset[str]] = MappingProxyType({})


@dataclass(frozen=True)
class Roster:
    """The directory at a moment."""

    directory: Directory
    now: datetime
    members: Mapping[str, frozenset[str]] = field(default_factory=lambda: NO_MEMBERS)
    """By role, the ids of the persons who hold it by being in a group, as just looked up."""
    unknown: frozenset[str] = frozenset()
    """Roles by group that could not be looked up: nobody holds them now by that."""

    def stands_for(self, person: Person) -> tuple[Person, ...]:
        """The others whom this person counts as, because they are away."""
        return tuple(each for each in self.directory.principals(person) if each.is_away(self.now))

    def roles_of(self, person: Person) -> frozenset[str]:
        """The roles that they hold, in their own right or for somebody who is away."""
        return self._own(person).union(*map(self._own, self.stands_for(person)))

    def holders(self, role: str) -> tuple[Person, ...]:
        """Everybody who holds the role now."""
        return tuple(person for person in self.directory.people if role in self.roles_of(person))

    def counted_as(self, person: Person) -> tuple[Person, ...]:
        """Themselves and those they stand in for, each with the roles that they hold in their own right."""
        found = (person, *self.stands_for(person))
        return tuple(each.model_copy(update={"roles": tuple(sorted(self._own(each)))}) for each in found)

    def voter(self, person: Person) -> Voter:
        """Whom they count as when they vote."""
        instead_of = tuple(Voter(each.id, each.name, self._own(each)) for each in self.stands_for(person))
        return Voter(person.id, person.name, self._own(person), instead_of, service=person.service)

    def reached(self, people: Iterable[Person]) -> tuple[Person, ...]:
        """Whom to send it to directly when it concerns these: not those away for whom somebody is there."""
        found: dict[str, Person] = {}
        for person in people:
            there = [each for each in self._deputies(person) if not each.is_away(self.now)]
            for each in there if person.is_away(self.now) and there else [person]:
                found.setdefault(each.id, each)
        return tuple(found.values())

    def _deputies(self, person: Person) -> list[Person]:
        return [found for each in person.deputies if (found := self.directory.person(each))]

    def _own(self, person: Person) -> frozenset[str]:
        return frozenset(person.roles) | {role for role, ids in self.members.items() if person.id in ids}
