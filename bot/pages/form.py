"""A call's arguments as the fields of an HTML form, and what was typed into them as arguments again. Pure. Rules:

- The JSON schema decides the field: text, number, a choice. What has no simple field (lists, objects, alternatives) or
  does not fit its field (text with characters that cannot be seen) is edited as JSON.
- A field that was not touched gives back the very value that was proposed, so that looking at a call changes nothing.
- Whether the result fits the tool is the tool's to say; here only what a field cannot mean is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import JsonValue

from agent.conversation import JsonObject
from approvals.visible import has_hidden
from bot.pages.visible import as_json
from bot.parameters import BadFields, Parameter, parameters_of, typed_json, typed_number

Kind = Literal["text", "lines", "whole", "number", "choice", "json"]

PREFIX = "argument."
UNSET = ""
"""What a field without a value holds."""
_LONG = 60
"""Characters from which a text gets more than one line."""


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
    of: str = ""
    """What its name in the form begins with, where one form has the fields of several calls."""

    @property
    def key(self) -> str:
        """Its name in the form."""
        return self.of + PREFIX + self.name

    def is_touched(self, typed: Mapping[str, str]) -> bool:
        """Whether something else was typed than it held at first."""
        return _one_newline(typed.get(self.key, self.shown)) != _one_newline(self.shown)


def fields_of(parameters: JsonObject, arguments: JsonObject, of: str = "") -> tuple[Field, ...]:
    """One for each parameter of the tool, in the schema's order, then what was proposed beside them."""
    declared = {each.name: each for each in parameters_of(parameters)}
    names = {**declared, **arguments}
    return tuple(replace(_field(declared.get(name, Parameter(name)), arguments), of=of) for name in names)


def read(fields: tuple[Field, ...], arguments: JsonObject, typed: Mapping[str, str]) -> JsonObject:
    """The arguments after the edit. Raises BadFields with a problem for each field that cannot be read, by its key."""
    found: JsonObject = {}
    problems: dict[str, str] = {}
    for field in fields:
        if not field.is_touched(typed):
            if field.is_given:
                found[field.name] = arguments[field.name]
            continue
        try:
            _put(found, field, typed[field.key])
        except ValueError as error:
            problems[field.key] = str(error)
    if problems:
        raise BadFields(problems)
    return found


# --- from the schema ------------------------------------------------------------------------------------------------


def _field(parameter: Parameter, arguments: JsonObject) -> Field:
    is_given, value = parameter.name in arguments, arguments.get(parameter.name)
    choices = parameter.choices or ((True, False) if parameter.type == "boolean" else ())
    kind = _kind(parameter, choices, value)
    if is_given and not _fits(kind, value, choices, is_nullable=parameter.is_nullable):
        kind = "json"
    return Field(
        name=parameter.name,
        kind=kind,
        shown=_shown(kind, value, is_nullable=parameter.is_nullable) if is_given else UNSET,
        hint=_hint(kind, parameter),
        is_given=is_given,
        is_required=parameter.is_required,
        is_nullable=parameter.is_nullable,
        options=_options(parameter, choices, is_given=is_given),
    )


def _options(parameter: Parameter, choices: tuple[JsonValue, ...], *, is_given: bool) -> tuple[tuple[str, str], ...]:
    is_required = parameter.is_required
    unset = [] if is_required and is_given else [(UNSET, "(choose)" if is_required else "(left out)")]
    null = [("null", "None")] if parameter.is_nullable else []
    return (*unset, *null, *((as_json(each), _label(each)) for each in choices))


def _kind(parameter: Parameter, choices: tuple[JsonValue, ...], value: JsonValue) -> Kind:
    if choices:
        return "choice"
    match parameter.type:
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


def _hint(kind: Kind, parameter: Parameter) -> str:
    notes = [parameter.description]
    if kind == "json":
        notes.append("Written as JSON: text in quotation marks, lists in square brackets.")
    if not parameter.is_required and parameter.default is not None:
        notes.append(f"{_label(parameter.default) or 'Empty'} when it is left out.")
    elif kind != "choice" and (parameter.is_nullable or not parameter.is_required):
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
            return typed_number(text.strip(), is_whole=field.kind == "whole")
        case "choice":
            if text not in {value for value, _ in field.options}:
                raise ValueError("Choose one of the list.")
            return typed_json(text)
        case "json":
            return typed_json(text)
