"""What people may say to an approval, and who they are when they say it. Frozen values only."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from agent.conversation import Identity, JsonObject, Tagged, Value


class Outcome(Tagged):
    """One way for an approval to end."""

    tag = "outcome"


class Approved(Outcome):
    """The call may run. `arguments` are those to run, when the approver changed them."""

    outcome: Literal["approved"] = "approved"
    digest: str
    """Of what may run: tool, arguments and schema, after any edit."""
    arguments: JsonObject | None = None


class Rejected(Outcome):
    """A person said no."""

    outcome: Literal["rejected"] = "rejected"
    reason: str = ""


class Expired(Outcome):
    """Nobody decided in time. Not a refusal."""

    outcome: Literal["expired"] = "expired"


class Cancelled(Outcome):
    """The work it was asked for was stopped. Neither a refusal nor an expiry."""

    outcome: Literal["cancelled"] = "cancelled"
    reason: str = ""


class Answered(Outcome):
    """The words, or the choice, that a person gave to a question."""

    outcome: Literal["answered"] = "answered"
    text: str
    delivery_id: str = ""
    """The message that was taken as the answer, when it was one in the thread."""


Decision = Annotated[Approved | Rejected | Expired | Cancelled | Answered, Field(discriminator="outcome")]

Surface = Literal["slack", "mail", "web", "api", "cli", "thread"]


class Decider(Value):
    """Who decided, as whom, and where."""

    person: str
    """Id in people.yaml; empty for somebody in the thread who answered a question there."""
    identity: Identity
    via: Surface
    address: str = ""
    """IP address that a click on a web page came from, where it did."""
    user_agent: str = ""
    """What the browser called itself."""


class Seats(Value):
    """So many different people out of these must approve."""

    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    count: Annotated[int, Field(ge=1)] = 1


class Approvers(Value):
    """Who may decide, and how many of them it takes. Nobody listed means nobody may."""

    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    requester: bool = True
    """Whether the person who asked may decide as well, if they are otherwise entitled."""
    anyone_in_thread: bool = False
    """Only for questions: whoever takes part in the conversation may answer."""
    count: Annotated[int, Field(ge=1)] = 1
    """How many different people of `roles` and `people` must approve."""
    each: tuple[Seats, ...] = ()
    """When it takes some of several groups: all of these, in place of `roles`, `people` and `count`."""
    in_order: bool = False
    """Whether each group waits for the one before it."""
    rejections: Annotated[int, Field(ge=1)] = 1
    """How many different people must reject before that is what is decided."""

    @property
    def seats(self) -> tuple[Seats, ...]:
        """The groups, also where there is only one."""
        return self.each or (Seats(roles=self.roles, people=self.people, count=self.count),)

    @property
    def all_roles(self) -> frozenset[str]:
        """Of all groups."""
        return frozenset(role for each in self.seats for role in each.roles)

    @property
    def takes_one(self) -> bool:
        """Whether one person's yes, and one person's no, settles it."""
        return self.rejections <= 1 and sum(each.count for each in self.seats) == 1


class Escalation(Value):
    """Who may decide as well when nobody has by then."""

    at: datetime
    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


class Grant(Value):
    """That calls like one which was approved may run without being asked about again, on a leash.

    It covers a call of the same tool and schema whose arguments are those in `arguments`, exactly, or, where there is a
    `condition`, those that it holds for. It never covers more than the card said.
    """

    id: str
    tool: str
    schema_digest: str
    """Of the tool's parameters: a tool that changed is another tool."""
    arguments: JsonObject | None = None
    """The whole arguments; `{}` matches only empty ones. None: the condition alone says."""
    digest: str = ""
    """Of the call with exactly these arguments, where they are what says. Without it they cover nothing."""
    condition: str = ""
    """CEL over `args`, as in policy.yaml."""
    thread_id: str = ""
    """Only in this thread; empty for any."""
    requester: str = ""
    """Only when this person (id in people.yaml) asked; empty for anybody."""
    until: datetime
    uses: int | None = None
    """How often at most; None for as often as the time allows."""
    approvers: Approvers
    """Who had to be asked then. When the policy later wants others, the giver must be among those, too."""


OnTimeout = Literal["expire", "reject"]
"""What it means when nobody decides in time."""

ApprovalKind = Literal["call", "question", "in_doubt", "trouble"]
