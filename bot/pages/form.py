"""A call's arguments as the fields of an HTML form, and what was typed into them as arguments again. Pure. Rules:

- The JSON schema decides the field: text, number, a choice. What has no simple field (lists, objects, alternatives) or
  does not fit its field (text with characters that cannot be seen) is edited as JSON.
- A field that was not touched gives back the very value that was proposed, so that looking at a call changes nothing.
- Whether the result fits the tool is the tool's to say; here only what a field cannot mean is refused.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import TwokeyError
from bot.pages.visible import as_json, has_hidden
from bot.standing import can_be_kept

Kind = Literal["text", "lines", "whole", "number", "choice", "json"]

PREFIX = "argument."
UNSET = ""
"""What a field without a value holds."""
_LONG = 60
"""Characters from which a text gets more than one line."""


class BadFields(TwokeyError):
    """Some of the fields cannot be read."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)
        """By the name of the argument."""


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of the tool."""

    name: str
    kind: Kind
    shown: str
    """What the field holds at first."""
    hint: str
    is_given: bool
    is_required: bool
    is_nullable: bool
    options: tuple[tuple[str, str], ...] = ()
    """Value and label of each choice."""

    @property
    def key(self) -> str:
        """Its name in the form."""
        return PREFIX + self.name


def fields_of(parameters: JsonObject, arguments: JsonObject) -> tuple[Field, ...]:
    """One for each parameter of the tool, in the schema's order, then what was proposed beside them."""
    properties = parameters.get("properties")
    listed = parameters.get("required")
    required = listed if isinstance(listed, list) else []
    schemas = properties if isinstance(properties, dict) else {}
    names = dict.fromkeys((*schemas, *arguments))
    return tuple(_field(each, _resolved(schemas.get(each), parameters), arguments, required) for each in names)


def read(fields: tuple[Field, ...], arguments: JsonObject, typed: Mapping[str, str]) -> JsonObject:
    """The arguments after the edit. Raises BadFields with a problem for each field that cannot be read."""
    found: JsonObject = {}
    problems: dict[str, str] = {}
    for field in fields:
        text = typed.get(field.key, field.shown)
        if _one_newline(text) == _one_newline(field.shown):
            if field.is_given:
                found[field.name] = arguments[field.name]
            continue
        try:
            _put(found, field, text)
        except ValueError as error:
            problems[field.name] = str(error)
    if problems:
        raise BadFields(problems)
    return found


# --- from the schema ------------------------------------------------------------------------------------------------


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


def _field(name: str, schema: JsonObject, arguments: JsonObject, required: list[JsonValue]) -> Field:
    is_given, value = name in arguments, arguments.get(name)
    is_nullable, is_required = bool(schema.get("nullable")), name in required
    choices = _choices(schema)
    kind = _kind(schema, choices, value)
    if is_given and not _fits(kind, value, choices, is_nullable=is_nullable):
        kind = "json"
    return Field(
        name=name,
        kind=kind,
        shown=_shown(kind, value, is_nullable=is_nullable) if is_given else UNSET,
        hint=_hint(kind, schema, is_required=is_required, is_nullable=is_nullable),
        is_given=is_given,
        is_required=is_required,
        is_nullable=is_nullable,
        options=_options(choices, is_given=is_given, is_required=is_required, is_nullable=is_nullable),
    )


def _options(
    choices: tuple[JsonValue, ...], *, is_given: bool, is_required: bool, is_nullable: bool
) -> tuple[tuple[str, str], ...]:
    unset = [] if is_required and is_given else [(UNSET, "(choose)" if is_required else "(left out)")]
    null = [("null", "None")] if is_nullable else []
    return (*unset, *null, *((as_json(each), _label(each)) for each in choices))


def _choices(schema: JsonObject) -> tuple[JsonValue, ...]:
    listed = schema.get("enum")
    if isinstance(listed, list):
        return tuple(each for each in listed if each is not None)
    if "const" in schema:
        return (schema["const"],)
    return (True, False) if schema.get("type") == "boolean" else ()


def _kind(schema: JsonObject, choices: tuple[JsonValue, ...], value: JsonValue) -> Kind:
    if choices:
        return "choice"
    match schema.get("type"):
        case "string":
            return "lines" if isinstance(value, str) and (len(value) > _LONG or "\n" in value) else "text"
        case "integer":
            return "whole"
        case "number":
            return "number"
        case _:
            return "json"


def _fits(kind: Kind, value: JsonValue, choices: tuple[JsonValue, ...], *, is_nullable: bool) -> bool:
    """Whether a field of this kind can show the value, and give it back. True and 1 are not the same here."""
    if value is None:
        return is_nullable
    match kind:
        case "text" | "lines":
            return isinstance(value, str) and not has_hidden(value)
        case "whole" | "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "choice":
            return as_json(value) in {as_json(each) for each in choices}
        case "json":
            return True


def _shown(kind: Kind, value: JsonValue, *, is_nullable: bool) -> str:
    if kind == "json" or (kind == "choice" and value is not None):
        return as_json(value)
    if value is None:
        return "null" if kind == "choice" and is_nullable else UNSET
    return value if isinstance(value, str) else as_json(value)


def _label(choice: JsonValue) -> str:
    if isinstance(choice, bool):
        return "Yes" if choice else "No"
    return choice if isinstance(choice, str) else as_json(choice)


def _hint(kind: Kind, schema: JsonObject, *, is_required: bool, is_nullable: bool) -> str:
    notes = [str(schema.get("description") or "").rstrip()]
    if kind == "json":
        notes.append("Written as JSON: text in quotation marks, lists in square brackets.")
    if not is_required and schema.get("default") is not None:
        notes.append(f"{_label(schema['default']) or 'Empty'} when it is left out.")
    elif kind != "choice" and (is_nullable or not is_required):
        notes.append("May be left empty.")
    return " ".join(note for note in notes if note)


# --- from the form --------------------------------------------------------------------------------------------------


def _one_newline(text: str) -> str:
    """Browsers send every line break as CR LF (HTML standard, form submission)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _put(found: JsonObject, field: Field, text: str) -> None:
    if text.strip() or (field.kind in {"text", "lines"} and text):
        found[field.name] = _parsed(field, text)
    elif field.is_nullable and field.kind != "choice":
        found[field.name] = None
    elif field.kind in {"text", "lines"} and (field.is_given or field.is_required):
        found[field.name] = ""
    elif field.is_required:
        raise ValueError("This is needed.")


def _parsed(field: Field, text: str) -> JsonValue:
    match field.kind:
        case "text" | "lines":
            return _one_newline(text)
        case "whole" | "number":
            return _number(text.strip(), is_whole=field.kind == "whole")
        case "choice":
            if text not in {value for value, _ in field.options}:
                raise ValueError("Choose one of the list.")
            return _json(text)
        case "json":
            return _json(text)


def _number(text: str, *, is_whole: bool) -> JsonValue:
    if re.fullmatch(r"[+-]?[0-9]{1,300}", text):
        return int(text)
    if is_whole:
        raise ValueError("This must be a whole number, such as 12.")
    if re.fullmatch(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?", text) and math.isfinite(float(text)):
        return float(text)
    raise ValueError("This must be a number, such as 12.50.")


def _json(text: str) -> JsonValue:
    try:
        value = cast("JsonValue", json.loads(text))
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise ValueError("This is JSON that is too large or too deep to be kept.") from None
    if not can_be_kept(value):
        raise ValueError("This cannot be kept: NaN, Infinity and halves of characters are no JSON.")
    return value
