"""A tool call as a model writes it: a name, an id, and arguments that ought to be a JSON object and may be anything.

Nothing half-read is ever run: arguments that are not exactly one JSON object leave a call that says why, for the model
to mend. Ids are made distinct within the thread, since a result is matched to its call by nothing else.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.events import ToolCall

MAX_QUOTE = 200
"""Characters of unreadable arguments that the model is shown again."""

MAX_ID = 64
"""Characters of a call's id that OpenAI takes back."""

_PLAIN: Final = json.JSONEncoder(ensure_ascii=False)
_FOREIGN: Final = re.compile(r"[^a-zA-Z0-9_-]")


def read_call(wanted_id: JsonValue, name: JsonValue, arguments: JsonValue, taken: set[str]) -> ToolCall:
    """The call, under an id that is in `taken` afterwards and was not before."""
    provider_id = _distinct(wanted_id if isinstance(wanted_id, str) else "", taken)
    taken.add(provider_id)
    name = name if isinstance(name, str) else ""
    if not name:
        return ToolCall(id=provider_id, provider_id=provider_id, name=name, malformed="The call names no tool.")
    try:
        read = _read(arguments)
        return ToolCall(id=provider_id, provider_id=provider_id, name=name, arguments=read)
    except (ValueError, RecursionError) as error:
        malformed = _why(error, arguments)
    return ToolCall(id=provider_id, provider_id=provider_id, name=name, malformed=malformed)


def wire_arguments(call: ToolCall) -> str:
    """The arguments as text. What could not be read is not sent back: some servers fail on a history that holds it."""
    return _PLAIN.encode(call.arguments)


@lru_cache(maxsize=1024)
def wire_name(name: str) -> str:
    """The name in the characters that OpenAI takes back; models now and then write others."""
    return _FOREIGN.sub("_", name)[:64] or "unnamed"


def _distinct(wanted: str, taken: Iterable[str]) -> str:
    wanted = wanted[:MAX_ID] or "call"
    found, number = wanted, 1
    while found in taken:
        number += 1
        found = f"{wanted[: MAX_ID - 8]}-{number}"
    return found


def _read(arguments: JsonValue) -> JsonObject:
    """Raises ValueError. No arguments at all are an empty object: that is how some servers write it."""
    if arguments is None or arguments == "":
        return {}
    if isinstance(arguments, str):
        arguments = json.loads(arguments, parse_constant=_refuse_constant, parse_float=_finite)
    if not isinstance(arguments, dict):
        raise ValueError("they are not a JSON object")  # noqa: TRY004 - caught as one with json's own
    _PLAIN.encode(arguments).encode()
    return arguments


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"the number {digits[:20]} is too large")
    return number


def _why(error: ValueError | RecursionError, arguments: JsonValue) -> str:
    match error:
        case json.JSONDecodeError():
            reason = f"they are not JSON: {error.msg} at character {error.pos}"
        case UnicodeEncodeError():
            reason = "they hold half of a surrogate pair"
        case RecursionError():
            reason = "they are nested too deeply"
        case _:
            reason = str(error).splitlines()[0]
    quoted = arguments if isinstance(arguments, str) else json.dumps(arguments)
    quoted = quoted.encode("utf-8", "replace").decode()
    more = "…" if len(quoted) > MAX_QUOTE else ""
    return f"The arguments could not be read: {reason}. They were: {quoted[:MAX_QUOTE]}{more}"
