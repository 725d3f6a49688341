"""What the model is asked, whichever of the two APIs asked it. Frozen values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sandbox.model.refused import Json, Refused, a_text

MODEL: Final = "sandbox-rules-1"

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Said:
    """Text, by whom."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Called:
    """A call that the model made earlier."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What came of a call."""

    call_id: str
    output: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A reasoning item that came back, opened: its id and the calls that belong to it."""

    id: str
    call_ids: tuple[str, ...]


Item = Said | Called | Returned | Thought


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    items: tuple[Item, ...]
    tools: Mapping[str, Json]
    parallel: bool = True
    may_call: bool = True
    max_tokens: int | None = None
    stream: bool = False
    usage_chunk: bool = False
    reasoning: bool = False
    """Whether reasoning items, encrypted, are wanted."""


def tool_limits(choice: object, tools: Mapping[str, Json]) -> bool:
    """Whether tools may be called, by `tool_choice`; refuses a choice that names no tool on offer."""
    if choice in (None, "auto", "required"):
        return True
    if choice == "none":
        return False
    named = choice.get("function", choice) if isinstance(choice, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    if name not in tools:
        raise Refused(f"Tool choice '{name or choice}' not found in 'tools' parameter.", "tool_choice")
    return True


_MESSAGE_ROLES: Final = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def role_of(value: object, at: str) -> Role:
    """Developer and system are one to this model."""
    role = _MESSAGE_ROLES.get(a_text(value, at))
    if role is None:
        raise Refused(f"Invalid value: '{value}'. Supported roles are {', '.join(_MESSAGE_ROLES)}.", at)
    return role  # type: ignore[return-value]  # the table's values are the roles


_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def called(call_id: object, name: object, arguments: object, at: str) -> Called:
    """A call as it comes back from the history; refuses an empty id, a bad name, arguments that are no string."""
    made = Called(a_text(call_id, f"{at}.call_id"), a_text(name, f"{at}.name"), a_text(arguments, f"{at}.arguments"))
    if not made.call_id or len(made.call_id) > 64:
        raise Refused(f"Invalid '{at}.call_id': between 1 and 64 characters are expected.", f"{at}.call_id")
    if not _NAME.fullmatch(made.name):
        raise Refused(f"Invalid '{at}.name': does not match '^[a-zA-Z0-9_-]+$'.", f"{at}.name")
    return made
