"""What people say on a surface, and whether it is an answer to what they were asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from agent.conversation import JsonObject
from agent.errors import Refused
from agent.events import ApprovalRequested
from agent.verdict import Answered, Rejected

GrantScope = Literal["thread", "requester", "anyone"]
"""Whose like calls: those of this thread, those that the same person asks for, or anybody's."""
SCOPES: tuple[GrantScope, ...] = get_args(GrantScope)


def scope_of(text: str) -> GrantScope | None:
    """The one of that name; None when there is none."""
    return next((each for each in SCOPES if each == text), None)


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """How far like calls may run without anybody being asked again."""

    scope: GrantScope
    until: datetime
    uses: int | None = None
    """How often at most; None for as often as the time allows."""
    condition: str = ""
    """CEL over `args`, for calls whose arguments are not `exact`ly these. One of the two it must be."""
    exact: bool = True
    """Only calls with exactly the arguments that are approved."""


@dataclass(frozen=True, slots=True)
class Approve:
    """Yes, to exactly this."""

    digest: str
    """Of what was shown."""
    arguments: JsonObject | None = None
    """When the approver changed them."""
    grant: GrantTerms | None = None
    """When like calls may run, too, from now on."""


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
