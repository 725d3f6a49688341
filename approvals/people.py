"""Who exists, as `people.yaml` says: persons, the identities they are known by, the roles they hold.

An identity is proof of a person only when its channel authenticated it: Slack by the signed request, mail by an aligned
and verified sender, REST and the command line by a token. Whoever is not listed is nobody.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from agent.conversation import Identity, Value
from agent.errors import ConfigError

PersonId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Role = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
SlackUserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]+$")]
TeamId = Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]+$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", to_lower=True, strip_whitespace=True)]
TokenDigest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

Path = tuple[str | int, ...]
"""Where in the file something stands."""


def _several(value: object) -> object:
    """One address may be written without the list around it."""
    return (value,) if isinstance(value, str) else value


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


class Person(PersonEntry):
    """Somebody whom this deployment knows."""

    id: PersonId


class PeopleFile(Value):
    """The whole of `people.yaml`."""

    people: dict[PersonId, PersonEntry]


class Directory:
    """Finds persons. Raises ConfigError when two of them share an identity."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = tuple(people)
        if found := [message for _, message in clashes(self.people)]:
            raise ConfigError("\n".join(found))
        self._by_id = {person.id: person for person in self.people}
        self._by_identity = {key: person for person in self.people for key, _ in _identities(person)}

    @classmethod
    def of(cls, file: PeopleFile) -> "Directory":
        """The directory of a parsed `people.yaml`."""
        return cls(_persons(file.people))

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


def clashes_in(file: PeopleFile) -> Iterator[tuple[Path, str]]:
    """The same, of a parsed file."""
    return clashes(_persons(file.people))


def _persons(entries: Mapping[str, PersonEntry]) -> tuple[Person, ...]:
    return tuple(Person(id=key, **dict(entry)) for key, entry in entries.items())


def _identities(person: Person) -> Iterator[tuple[tuple[str, ...], Path]]:
    where: Path = ("people", person.id)
    for team, user in person.slack.items():
        yield ("slack", team, user), (*where, "slack", team)
    for place, address in enumerate(person.email):
        yield ("mail", address.casefold()), (*where, "email", place)
    for place, digest in enumerate(person.api_tokens):
        yield ("token", digest), (*where, "api_tokens", place)
