"""What the forms for a call's arguments have in common, whichever surface draws them. Pure.

A tool's JSON schema as a list of parameters, and what a person typed as a JSON value again. Whether a value fits the
tool is the tool's to say; here only what cannot be read, or could not be kept, is refused.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import TwokeyError

_WHOLE = re.compile(r"[+-]?[0-9]{1,300}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")


class BadFields(TwokeyError):
    """Some of the fields cannot be read; `problems` says why, by the name that the field has where it was shown."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool, as its schema declares it."""

    name: str
    is_required: bool = False
    is_nullable: bool = False
    type: str = ""
    """JSON Schema's word; empty where it is none or several."""
    choices: tuple[JsonValue, ...] = ()
    """The only values there are, null aside; empty for any."""
    description: str = ""
    default: JsonValue = None
    minimum: JsonValue = None
    maximum: JsonValue = None


def parameters_of(schema: JsonObject) -> tuple[Parameter, ...]:
    """The parameters, in the schema's order."""
    properties, required = schema.get("properties"), schema.get("required")
    listed = required if isinstance(required, list) else []
    found = properties if isinstance(properties, dict) else {}
    return tuple(_parameter(name, _resolved(each, schema), name in listed) for name, each in found.items())


def _parameter(name: str, schema: JsonObject, is_required: bool) -> Parameter:  # noqa: FBT001 - private
    kind = schema.get("type")
    return Parameter(
        name=name,
        is_required=is_required,
        is_nullable=bool(schema.get("nullable")),
        type=kind if isinstance(kind, str) else "",
        choices=_choices(schema),
        description=str(schema.get("description") or "").rstrip(),
        default=schema.get("default"),
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
    )


def _resolved(schema: JsonValue, root: JsonObject, depth: int = 8) -> JsonObject:
    """The schema with its `$ref` followed and a lone alternative to null taken out (then `nullable` is set)."""
    if not isinstance(schema, dict) or depth == 0:
        return {}
    reference, definitions = schema.get("$ref"), root.get("$defs")
    if isinstance(reference, str) and isinstance(definitions, dict):
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolved(definitions.get(reference.removeprefix("#/$defs/")), root, depth - 1) | rest
    alternatives = schema.get("anyOf")
    if isinstance(alternatives, list):
        others = [each for each in alternatives if each != {"type": "null"}]
        if len(others) == 1 and len(others) < len(alternatives):
            rest = {key: value for key, value in schema.items() if key != "anyOf"}
            return _resolved(others[0], root, depth - 1) | rest | {"nullable": True}
    return schema


def _choices(schema: JsonObject) -> tuple[JsonValue, ...]:
    listed = schema.get("enum")
    if isinstance(listed, list):
        return tuple(each for each in listed if each is not None)
    return (schema["const"],) if schema.get("const") is not None else ()


# --- what was typed -------------------------------------------------------------------------------------------------


def typed_number(text: str, *, is_whole: bool) -> JsonValue:
    """The number that was typed, in plain digits. Raises ValueError with words for whoever typed."""
    if _WHOLE.fullmatch(text):
        return int(text)
    if is_whole:
        raise ValueError("This must be a whole number, such as 12.")
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    raise ValueError("This must be a number, such as 12.50.")


def end_of_day(text: str, zone: str) -> datetime:
    """When the day that was typed is over, where people have that time. Raises ValueError with words for whoever
    typed."""
    try:
        day = date.fromisoformat(text.strip())
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("This must be a date, such as 2026-12-24.") from None


def typed_json(text: str) -> JsonValue:
    """The JSON value that was typed. Raises ValueError with words for whoever typed."""
    try:
        value = cast("JsonValue", json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise ValueError("This is JSON that is too large or too deep to be kept.") from None
    if not can_be_kept(value):
        raise ValueError("This cannot be kept: NaN, Infinity and halves of characters are not JSON.")
    return value


def can_be_kept(value: JsonValue) -> bool:
    """Whether the value survives being written as JSON in UTF-8: no NaN, no half of a character, no endless nesting.

    What does not would be approved as one thing and read back as another."""
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True
