"""Who is who: an identity counts only as its channel proved it, and belongs to one person."""

import hashlib

import pytest
from pydantic import ValidationError

from agent.conversation import Identity
from agent.errors import ConfigError
from approvals.people import Directory, PeopleFile, Person, problems_in, token_digest

TOKEN = "a-long-random-token"
FILE = PeopleFile.model_validate(
    {
        "people": {
            "ada": {
                "name": "Ada",
                "slack": {"T1": "U1", "T2": "U9"},
                "email": "Ada@Acme.example",
                "roles": ["support"],
            },
            "dana": {"name": "Dana", "slack": {"T1": "U2"}, "email": ["dana@acme.example", "d@home.example"]},
            "bot": {"name": "Nightly", "service": True, "api_tokens": [token_digest(TOKEN)]},
        }
    }
)
DIRECTORY = Directory.of(FILE)


def found(identity: Identity) -> str:
    person = DIRECTORY.find(identity)
    return person.id if person else ""


@pytest.mark.parametrize(
    "identity, person",
    [
        (Identity(channel="slack", team="T1", id="U1"), "ada"),
        (Identity(channel="slack", team="T2", id="U9"), "ada"),
        (Identity(channel="slack", team="T2", id="U1"), ""),
        (Identity(channel="slack", id="U1"), ""),
        (Identity(channel="mail", id="ada@ACME.example"), "ada"),
        (Identity(channel="mail", id="d@home.example"), "dana"),
        (Identity(channel="mail", id="ada@acme.example", verified=False), ""),
        (Identity(channel="mail", id="ada@evil.example"), ""),
        (Identity(channel="mail", id="ada"), ""),
        (Identity(channel="api", id="dana"), "dana"),
        (Identity(channel="cli", id="ada"), "ada"),
        (Identity(channel="api", id="ada@acme.example"), ""),
    ],
)
def test_an_identity_is_a_person_only_as_its_channel_proved_it(identity: Identity, person: str) -> None:
    assert found(identity) == person


def test_a_token_is_known_by_its_digest() -> None:
    service = DIRECTORY.by_token(TOKEN)

    assert service is not None
    assert service.id == "bot"
    assert DIRECTORY.by_token("another") is None
    assert DIRECTORY.by_token("") is None
    assert token_digest(TOKEN) == "sha256:" + hashlib.sha256(TOKEN.encode()).hexdigest()


def test_roles_and_ids_lead_to_persons() -> None:
    assert [person.id for person in DIRECTORY.in_role("support")] == ["ada"]
    assert DIRECTORY.in_role("pilots") == ()
    assert DIRECTORY.person("dana") == DIRECTORY.people[1]
    assert DIRECTORY.person("nobody") is None


@pytest.mark.parametrize(
    "fields, path",
    [
        ({"slack": {"T1": "U1"}}, ("people", "eve", "slack", "T1")),
        ({"email": ["e@acme.example", "ADA@acme.example"]}, ("people", "eve", "email", 1)),
        ({"api_tokens": [token_digest(TOKEN)]}, ("people", "eve", "api_tokens", 0)),
    ],
)
def test_an_identity_belongs_to_one_person(fields: dict[str, object], path: tuple[str | int, ...]) -> None:
    file = PeopleFile.model_validate({"people": {**dict(FILE.people), "eve": {"name": "Eve", **fields}}})

    ((where, what),) = problems_in(file)

    assert where == path
    assert "already" in what
    with pytest.raises(ConfigError, match="already"):
        Directory.of(file)


def test_one_person_may_have_an_address_twice() -> None:
    twice = Person(id="ada", name="Ada", email=("a@b.example", "A@b.example"))

    assert Directory([twice]).find(Identity(channel="mail", id="a@b.example")) == twice


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Eve", "rolls": ["support"]},
        {"name": ""},
        {},
        {"name": "Eve", "api_tokens": [TOKEN]},
        {"name": "Eve", "api_tokens": ["sha256:abc"]},
        {"name": "Eve", "email": "not an address"},
        {"name": "Eve", "slack": {"T1": "eve"}},
        {"name": "Eve", "slack": {"acme": "U1"}},
        {"name": "Eve", "roles": "support"},
    ],
)
def test_what_is_not_a_person_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PeopleFile.model_validate({"people": {"eve": fields}})
