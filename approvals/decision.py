"""What people say on a surface, and whether it is an answer to what they were asked."""

from dataclasses import dataclass

from agent.conversation import JsonObject
from agent.errors import Refused
from agent.events import ApprovalRequested
from agent.verdict import Answered, Rejected


@dataclass(frozen=True, slots=True)
class Approve:
    """Yes, to exactly this."""

    digest: str
    """Of what was shown."""
    arguments: JsonObject | None = None
    """When the approver changed them."""


@dataclass(frozen=True, slots=True)
class Reject:
    """No."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words, or one of the choices offered. To a call: its result in place of running it."""

    text: str


Choice = Approve | Reject | Answer


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a click on a web page came from."""

    address: str = ""
    """IP address."""
    user_agent: str = ""


def plain(request: ApprovalRequested, choice: Reject | Answer) -> Rejected | Answered:
    """The decision that a choice without a call to run amounts to. Raises Refused when it does not fit the request."""
    match choice:
        case Reject(reason) if request.about in {"call", "question"}:
            return Rejected(reason=reason.strip())
        case Answer(text) if request.about in {"call", "question"} and text.strip():
            return Answered(text=text.strip())
        case Answer(text) if request.about in {"in_doubt", "trouble"} and text in request.choices:
            return Answered(text=text)
        case _:
            raise Refused("That is not an answer to this request.")
