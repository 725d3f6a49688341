"""What people may say to an approval, and who they are when they say it. Frozen values only."""

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


class Approvers(Value):
    """Who may decide. Nobody listed means nobody may."""

    roles: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    requester: bool = True
    """Whether the person who asked may decide as well, if they are otherwise entitled."""
    anyone_in_thread: bool = False
    """Only for questions: whoever takes part in the conversation may answer."""


ApprovalKind = Literal["call", "question", "in_doubt", "trouble"]
