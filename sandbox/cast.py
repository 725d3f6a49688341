"""Who and what exists in the sandbox: the people, the places, the agent's own addresses. The one list of them.

A deployment's `people.yaml` names the same persons; the repository's own matches this file.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the sandbox. Without a Slack id they are reached by mail only."""

    id: str
    name: str
    title: str
    email: str
    slack: str = ""
    approver: bool = False

    @property
    def first_name(self) -> str:
        """What colleagues call them."""
        return self.name.split()[0]


@dataclass(frozen=True, slots=True)
class Place:
    """A public Slack channel."""

    id: str
    name: str
    topic: str


TEAM: Final = "T0SANDBOX"
TEAM_NAME: Final = "Acme Living"
APP: Final = "A0TWOKEY"
BOT_USER: Final = "U0TWOKEY"
BOT: Final = "B0TWOKEY"
BOT_NAME: Final = "Twokey"
AGENT_ADDRESS: Final = "agent@acme.example"
AUTHSERV_ID: Final = "mx.sandbox.example"

ADA: Final = Person("ada", "Ada Okafor", "support agent", "ada@acme.example", "U0ADA")
DANA: Final = Person("dana", "Dana Reyes", "support lead", "dana@acme.example", "U0DANA", approver=True)
LEE: Final = Person("lee", "Lee Chen", "finance", "lee@acme.example", "U0LEE", approver=True)
SAM: Final = Person("sam", "Sam Poole", "customer", "sam@customer.example")
PEOPLE: Final = (ADA, DANA, LEE, SAM)

SUPPORT: Final = Place("C0SUPPORT", "support", "Customer questions, refunds, returns")
RANDOM: Final = Place("C0RANDOM", "random", "Anything else")
PLACES: Final = (SUPPORT, RANDOM)


def person_of(key: str) -> Person:
    """The person with this id, Slack id or mail address; KeyError when there is none."""
    for person in PEOPLE:
        if key and key.casefold() in {person.id, person.slack.casefold(), person.email}:
            return person
    raise KeyError(key)
