"""A tool's arguments as the fields of a form. Pure. `bot.slack.inputs` draws them, `bot.slack.typed` reads them back.

The JSON schema decides the field: text, number, yes or no, one of a list; whatever has no field of its own in Slack
(lists, objects, alternatives), and whatever value does not fit its field, is edited as JSON. What cannot be edited here
(longer than Slack's 3,000 characters, or beyond the 90th field) is kept as it is.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from agent.conversation import JsonObject
from approvals.card import as_text
from bot.parameters import Parameter, parameters_of

Kind = Literal["text", "whole", "number", "yes_no", "one_of", "json"]

TEXT_MOST = 3_000
OPTIONS_MOST = 100
FIELDS_MOST = 90
NUMBER_MOST = 60
NOT_SET, YES, NO = "unset", "yes", "no"
"""Values of options that stand for no value of the tool's."""


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of the tool, as a field."""

    name: str
    block_id: str
    kind: Kind
    value: JsonValue
    """As proposed; None also when it was left out."""
    is_given: bool
    is_required: bool
    is_nullable: bool
    hint: str = ""
    options: tuple[JsonValue, ...] = ()
    least: str = ""
    most: str = ""

    @property
    def is_editable(self) -> bool:
        """Whether Slack can hold the value in a field."""
        return self.kind not in {"text", "json"} or len(self.shown) <= TEXT_MOST

    @property
    def shown(self) -> str:
        """The value as the field shows it at first; empty when there is none."""
        if self.value is None and (self.kind != "json" or not self.is_given):
            return ""
        if self.kind == "json":
            text = json.dumps(self.value, ensure_ascii=False, indent=1)
            return text if len(text) <= TEXT_MOST else json.dumps(self.value, ensure_ascii=False)
        return _plain_number(self.value) if self.kind in {"whole", "number"} else as_text(self.value)

    @property
    def chosen(self) -> str:
        """The option that is chosen at first, by its value, in a field with options."""
        if self.kind == "yes_no":
            return NOT_SET if self.value is None else YES if self.value else NO
        return next((str(n) for n, each in enumerate(self.options) if _same(each, self.value)), NOT_SET)

    @property
    def may_be_unset(self) -> bool:
        """Whether no value is a value."""
        return self.is_nullable or not self.is_required


def fields_of(parameters: JsonObject, arguments: JsonObject) -> tuple[Field, ...]:
    """The fields for a call: one for each parameter of the tool, in the schema's order."""
    declared = parameters_of(parameters)[:FIELDS_MOST]
    return tuple(_field(number, parameter, arguments) for number, parameter in enumerate(declared))


def _field(number: int, parameter: Parameter, arguments: JsonObject) -> Field:
    name, options = parameter.name, parameter.choices
    value = arguments.get(name)
    kind = _kind(parameter)
    if value is not None and not _fits(kind, value, options):
        kind, options = "json", ()
    return Field(
        name=name,
        block_id=f"argument.{number}.{name}"[:255],
        kind=kind,
        value=value,
        is_given=name in arguments,
        is_required=parameter.is_required,
        is_nullable=parameter.is_nullable,
        hint=parameter.description,
        options=options,
        least=_bound(parameter.minimum),
        most=_bound(parameter.maximum),
    )


def _kind(parameter: Parameter) -> Kind:
    if parameter.choices:
        return "one_of" if len(parameter.choices) < OPTIONS_MOST else "json"
    kinds: dict[str, Kind] = {"string": "text", "integer": "whole", "number": "number", "boolean": "yes_no"}
    return kinds.get(parameter.type, "json")


def _fits(kind: Kind, value: JsonValue, options: tuple[JsonValue, ...]) -> bool:
    """Whether a field of this kind can show the value. True and 1 are not the same here."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "text":
            return isinstance(value, str)
        case "whole" | "number":
            return is_number and len(_plain_number(value)) <= NUMBER_MOST and _plain_number(value)[-1:].isdigit()
        case "yes_no":
            return isinstance(value, bool)
        case "one_of":
            return any(_same(value, each) for each in options)
        case "json":
            return True


def _same(one: JsonValue, other: JsonValue) -> bool:
    return type(one) is type(other) and one == other


def _plain_number(value: JsonValue) -> str:
    """Digits without an exponent, as Slack's number field wants them."""
    return f"{Decimal(str(value)):f}"


def _bound(value: JsonValue) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = _plain_number(value) if is_number else ""
    return text if len(text) <= NUMBER_MOST else ""
