"""What a condition may speak of: a call and its circumstances, as plain values. Pure.

- Arguments are those that the tool would be given: its defaults filled in, `"600"` for a number made 600. Otherwise a
  model could write a value so that the tool takes it and the rule about it does not.
- Nothing that anybody can make up is passed off as known: whoever is not in people.yaml, or is not proved to be
  themselves, has no id, name, address or role. A tool that does not say what it does is taken to be risky.
- The time and the requester are those of the agent's proposal, as the log has it, however often and whenever the call
  is judged. Taint and cost are those of the moment: they only grow.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, TypeAdapter

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.events import ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from approvals.hours import WEEK, BusinessHours, is_open
from approvals.people import Directory

_ANY: TypeAdapter[object] = TypeAdapter(object)
FIELDS: Mapping[str, tuple[str, ...]] = {
    "requester": ("id", "name", "email", "roles"),
    "channel": ("kind", "id", "team"),
    "cost": ("tokens",),
    "hints": ("read_only", "destructive", "idempotent", "open_world"),
    "time": ("at", "date", "weekday", "hour", "in_business_hours"),
}
"""What the variables consist of that are not a plain value; `args` depends on the tool."""


def circumstances(
    call: ToolCall, tool: Tool, state: ThreadState, directory: Directory, hours: BusinessHours | None
) -> dict[str, object]:
    """All variables. Raises BadArguments when the tool would not take the arguments."""
    proposed = state.proposal(call.id)
    found: dict[str, object] = {
        "tool": call.name,
        "args": arguments(tool, call.arguments),
        "requester": _requester(state.requester_of(call.id), directory),
        "channel": _channel(state.conversation),
        "agent": state.agent,
        "taint": list(state.taint),
        "cost": {"tokens": state.tokens},
        "effect": tool.effect,
        "hints": _hints(tool),
    }
    return found if proposed is None else {**found, "time": _time(proposed.at, hours)}


def arguments(tool: Tool, given: JsonObject) -> dict[str, object]:
    """The arguments as the tool would be given them. Raises BadArguments when it would not take them."""
    return {name: _plain(value) for name, value in tool.check(given).items()}


def _plain(value: object) -> object:
    """As JSON would have it; a Decimal is a number."""
    match value:
        case Enum():
            return _plain(value.value)
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return float(value)
        case BaseModel():
            return {name: _plain(each) for name, each in value.model_dump().items()}
        case Mapping():
            return {str(_plain(name)): _plain(each) for name, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(each) for each in value]
        case _:
            return _ANY.dump_python(value, mode="json")


def _requester(who: Identity | None, directory: Directory) -> dict[str, object]:
    person = directory.find(who) if who is not None else None
    wrote_from = who.id if who is not None and who.channel == "mail" and who.verified else ""
    if person is None:
        return {"id": "", "name": "", "email": wrote_from, "roles": []}
    email = wrote_from or next(iter(person.email), "")
    return {"id": person.id, "name": person.name, "email": email, "roles": list(person.roles)}


def _channel(place: SlackThread | MailThread | ApiThread) -> dict[str, object]:
    match place:
        case SlackThread():
            return {"kind": "slack", "id": place.channel, "team": place.team}
        case MailThread():
            return {"kind": "mail", "id": place.mailbox, "team": ""}
        case ApiThread():
            return {"kind": "api", "id": place.ref, "team": ""}


def _hints(tool: Tool) -> dict[str, object]:
    """In the words of MCP. What a tool does not say counts as risky."""
    reads = tool.effect == "read"
    return {
        "read_only": reads,
        "destructive": not reads,
        "idempotent": reads or tool.idempotent,
        "open_world": True,  # tools do not say yet whether they reach beyond the deployment
    }


def _time(at: datetime, hours: BusinessHours | None) -> dict[str, object]:
    """On the clock of the business, else in UTC."""
    there = at.astimezone(ZoneInfo(hours.timezone if hours else "UTC"))
    found = {"at": at, "date": there.date().isoformat(), "weekday": WEEK[there.weekday()], "hour": there.hour}
    return found if hours is None else {**found, "in_business_hours": is_open(at, hours)}
