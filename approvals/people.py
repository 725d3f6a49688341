"""Who exists, as `people.yaml` says: persons, the identities they are known by, the roles they hold, their hours.

An identity is proof of a person only when its channel authenticated it: Slack by the signed request, mail by an aligned
and verified sender, REST and the command line by a token. Whoever is not listed is nobody. Who stands in for whom at
some moment, and who is in a live group, is `approvals.roster`'s.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from agent.conversation import Identity, Value
from agent.errors import ConfigError
from approvals.hours import QuietHours, Zone, next_waking

PersonId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Role = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
SlackUserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]+$")]
TeamId = Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]+$")]
GroupId = Annotated[str, StringConstraints(pattern=r"^S[A-Z0-9]+$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", to_lower=True, strip_whitespace=True)]
TokenDigest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

Path = tuple[str | int, ...]
"""Where in the file something stands."""


def _several(value: object) -> object:
    """One address may be written without the list around it."""
    return (value,) if isinstance(value, str) else value


class Away(Value):
    """Days on which somebody is not there, the first and the last among them."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_: date = Field(alias="from")
    until: date | None = None
    """None for until further notice."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Away":
        if self.until is not None and self.until < self.from_:
            raise ValueError("`until` is before `from`")
        return self


class PersonEntry(Value):
    """A person as the file has them, under their id."""

    name: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    slack: dict[TeamId, SlackUserId] = Field(default_factory=dict)
    """Their Slack user id in each workspace."""
    email: Annotated[tuple[Email, ...], BeforeValidator(_several)] = ()
    roles: tuple[Role, ...] = ()
    api_tokens: tuple[TokenDigest, ...] = ()
    """SHA-256 of each bearer token, never the token itself."""
    service: bool = False
    """A program: it may start and read threads, and never decides."""
    deputies: tuple[PersonId, ...] = ()
    """Who stands in for them while they are away."""
    away: tuple[Away, ...] = ()
    quiet: QuietHours | None = None
    """When nothing is sent to them directly, unless it cannot wait."""
    timezone: Zone | None = None
    """None for the file's."""


class Person(PersonEntry):
    """Somebody whom this deployment knows."""

    id: PersonId
    timezone: Zone = "UTC"

    def identity(self, channel: Literal["api", "cli"]) -> Identity:
        """They themselves, as a door of ours knows them that has proof of who they are."""
        return Identity(channel=channel, id=self.id, name=self.name)

    def is_away(self, now: datetime) -> bool:
        """Whether they are away at that moment, by the calendar where they are."""
        if not self.away:
            return False
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        return any(each.from_ <= today and (each.until is None or today <= each.until) for each in self.away)

    def next_waking(self, now: datetime) -> datetime:
        """The first moment from `now` on that is outside their quiet hours."""
        return next_waking(self.quiet, self.timezone, now)


class RoleEntry(Value):
    """A role that people hold by being in a group elsewhere, looked up whenever it counts."""

    slack_group: Annotated[dict[TeamId, GroupId], Field(min_length=1)]
    """The id of a user group in each workspace."""


class PeopleFile(Value):
    """The whole of `people.yaml`."""

    timezone: Zone = "UTC"
    """Where people are who do not say otherwise."""
    roles: dict[Role, RoleEntry] = Field(default_factory=dict)
    people: dict[PersonId, PersonEntry]


NO_GROUPS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


class Directory:
    """Finds persons. Raises ConfigError when two of them share an identity."""

    def __init__(self, people: Iterable[Person], groups: Mapping[str, Mapping[str, str]] = NO_GROUPS) -> None:
        self.people = tuple(people)
        self.groups = groups
        """Roles held by being in a Slack user group: by role, the group in each workspace."""
        if found := [message for _, message in clashes(self.people)]:
            raise ConfigError("\n".join(found))
        self._by_id = {person.id: person for person in self.people}
        self._principals: dict[str, list[Person]] = {}
        for person in self.people:
            for deputy in person.deputies:
                self._principals.setdefault(deputy, []).append(person)
        self._by_identity = {key: person for person in self.people for key, _ in _identities(person)}

    @classmethod
    def of(cls, file: PeopleFile) -> "Directory":
        """The directory of a parsed `people.yaml`."""
        return cls(_persons(file), {role: dict(entry.slack_group) for role, entry in file.roles.items()})

    @property
    def roles(self) -> frozenset[str]:
        """Every role that somebody holds or may hold."""
        return frozenset(self.groups).union(*(person.roles for person in self.people))

    def person(self, person_id: str) -> Person | None:
        """The person with this id."""
        return self._by_id.get(person_id)

    def find(self, identity: Identity) -> Person | None:
        """Whose identity this is; None when it is nobody's, or was not authenticated."""
        if not identity.verified:
            return None
        match identity.channel:
            case "slack":
                return self._by_identity.get(("slack", identity.team, identity.id))
            case "mail":
                return self._by_identity.get(("mail", identity.id.strip().casefold()))
            case "api" | "cli":
                return self._by_id.get(identity.id)

    def principals(self, deputy: Person) -> tuple[Person, ...]:
        """Those whose deputy this person is, whether they are away or not."""
        return tuple(self._principals.get(deputy.id, ()))

    def by_token(self, token: str) -> Person | None:
        """Whose bearer token this is. Takes the same time whoever it is, and when it is nobody's."""
        digest = token_digest(token)
        found: Person | None = None
        for person in self.people:
            for known in person.api_tokens:
                if hmac.compare_digest(known, digest):
                    found = person
        return found

    def in_role(self, role: str) -> tuple[Person, ...]:
        """Everybody who holds the role."""
        return tuple(person for person in self.people if role in person.roles)


def token_digest(token: str) -> str:
    """What `people.yaml` keeps of a bearer token. Tokens are random and long, so that one SHA-256 is enough."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


def clashes(people: Iterable[Person]) -> Iterator[tuple[Path, str]]:
    """Each identity that a second person also claims: where in the file, and what is wrong."""
    seen: dict[tuple[str, ...], str] = {}
    for person in people:
        for key, path in _identities(person):
            if (other := seen.setdefault(key, person.id)) != person.id:
                what = "this API token" if key[0] == "token" else key[-1]
                yield path, f"{what} belongs to {other} already; an identity is one person's"


def problems_in(file: PeopleFile) -> Iterator[tuple[Path, str]]:
    """What is wrong with a parsed file: shared identities, and deputies who cannot be any."""
    yield from clashes(_persons(file))
    for key, entry in file.people.items():
        for place, deputy in enumerate(entry.deputies):
            if problem := _unfit(deputy, key, file.people):
                yield ("people", key, "deputies", place), problem


def _unfit(deputy: str, principal: str, people: Mapping[str, PersonEntry]) -> str:
    if deputy == principal:
        return "nobody is their own deputy"
    if deputy not in people:
        return f"there is no person named {deputy}; there are: {', '.join(sorted(people))}"
    return f"{deputy} is a service, and a service never decides" if people[deputy].service else ""


def _persons(file: PeopleFile) -> tuple[Person, ...]:
    def person(key: str, entry: PersonEntry) -> Person:
        return Person(**{**dict(entry), "id": key, "timezone": entry.timezone or file.timezone})

    return tuple(person(key, entry) for key, entry in file.people.items())


def _identities(person: Person) -> Iterator[tuple[tuple[str, ...], Path]]:
    where: Path = ("people", person.id)
    for team, user in person.slack.items():
        yield ("slack", team, user), (*where, "slack", team)
    for place, address in enumerate(person.email):
        yield ("mail", address.casefold()), (*where, "email", place)
    for place, digest in enumerate(person.api_tokens):
        yield ("token", digest), (*where, "api_tokens", place)
