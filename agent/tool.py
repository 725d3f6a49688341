"""A tool is a typed Python function and what must be known of it before it may run.

`@tool` turns the function's signature and docstring into a name, a description and a JSON schema (factor 4: tools are
structured outputs). The arguments that a model sends are checked by Pydantic against the same signature, so what
reaches the function always has the declared types.

Three things are declared by the author and believed by the engine: `effect` ("write" changes the world, and is then
started at most once by itself), `idempotent` (running it again under the same key does no harm), `is_outside` (what it
brings was written by outsiders, so that rules may ask more of what comes after).
"""

import hashlib
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model

from agent.conversation import Identity, JsonObject
from agent.errors import BadArguments, ConfigError

Effect = Literal["read", "write"]
Function = Callable[..., object]
"""Sync or async. What it returns is shown to the model as JSON: a value, or a Pydantic model."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a function may know of its call: declare a parameter of this type to be given it."""

    thread_id: str
    call_id: str
    idempotency_key: str
    """The same for every run of the same call: hand it to the service that does the work."""
    requester: Identity | None = None
    approved_by: str = ""
    """Person id of whoever approved the call, if somebody had to."""


@dataclass(frozen=True)
class Tool:
    """One ability of the agent."""

    name: str
    description: str
    arguments_model: type[BaseModel]
    function: Function
    effect: Effect = "write"
    idempotent: bool = False
    needs_approval: bool = False
    is_outside: bool = False
    """Whether what it brings are outsiders' words: web pages, mail, customers' tickets. They taint the thread."""
    time_limit: float = 60.0
    """Seconds that one run may take."""
    preview: Callable[..., str | Awaitable[str]] | None = None
    """Says, without side effects, what a call with the same arguments would do."""
    context_parameter: str = ""
    is_control: bool = field(default=False)
    """Handled by the reducer itself (`ask_human`, `finish`); its function never runs."""

    @cached_property
    def parameters(self) -> JsonObject:
        """The JSON schema of the arguments, as models expect it."""
        schema = self.arguments_model.model_json_schema()
        _drop_titles(schema)
        schema.pop("description", None)
        return schema

    @cached_property
    def schema_digest(self) -> str:
        """SHA-256 over name, schema and effect: when it changes, what was approved is no longer what would run."""
        return _sha256({"name": self.name, "parameters": self.parameters, "effect": self.effect})

    def digest(self, arguments: Mapping[str, JsonValue]) -> str:
        """SHA-256 of exactly this call of exactly this tool; an approval is bound to it."""
        return _sha256({"schema": self.schema_digest, "arguments": dict(arguments)})

    def check(self, arguments: Mapping[str, JsonValue]) -> dict[str, object]:
        """The arguments as the function takes them, or BadArguments with a text that a model can mend them by."""
        try:
            checked = self.arguments_model.model_validate(dict(arguments))
        except ValidationError as error:
            raise BadArguments(_explain(error)) from None
        except Exception as error:  # a validator of the tool's own raised it, and may raise anything
            raise BadArguments(f"they could not be checked ({type(error).__name__})") from error
        return {name: getattr(checked, name) for name in type(checked).model_fields}


@overload
def tool(function: Function, /) -> Tool: ...
@overload
def tool(
    *,
    name: str = "",
    effect: Effect = "write",
    idempotent: bool = False,
    needs_approval: bool = False,
    is_outside: bool = False,
    time_limit: float = 60.0,
    preview: Callable[..., str | Awaitable[str]] | None = None,
) -> Callable[[Function], Tool]: ...
def tool(function: Function | None = None, /, **options: Any) -> Tool | Callable[[Function], Tool]:
    """Make a Tool of a function. Undeclared means `effect="write"`: what might change the world is treated so.

    Raises ConfigError for a function without a docstring or with an untyped parameter.
    """
    if function is not None:
        return _build(function)
    return lambda wrapped: _build(wrapped, **options)


def _build(function: Function, *, name: str = "", **options: Any) -> Tool:  # noqa: ANN401 - those of `tool`, typed there
    name = name or function.__name__
    doc = inspect.getdoc(function) or ""
    if not doc:
        raise ConfigError(f"tool {name}: needs a docstring; its first part is what the model reads")
    description, notes = _split_docstring(doc)
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    context_parameter = ""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in hints:
            raise ConfigError(f"tool {name}: parameter {parameter.name} needs a type")
        if hints[parameter.name] is ToolContext:
            context_parameter = parameter.name
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], Field(default, description=notes.get(parameter.name)))
    model = create_model(f"{name}_arguments", __config__=ConfigDict(extra="forbid"), **fields)
    return Tool(name, description, model, function, context_parameter=context_parameter, **options)


def catalog(tools: Iterable[Tool]) -> dict[str, Tool]:
    """Tools by name; ConfigError when two share one."""
    found: dict[str, Tool] = {}
    for each in tools:
        if each.name in found:
            raise ConfigError(f"two tools are named {each.name}; rename one of them")
        found[each.name] = each
    return found


_PARAMETER = re.compile(r"^\s+(\w+)(?:\s*\([^)]*\))?:\s*(.+)$")


def _split_docstring(doc: str) -> tuple[str, dict[str, str]]:
    """The text before `Args:`, and one note a parameter (Google style)."""
    text, _, rest = doc.partition("\nArgs:\n")
    notes: dict[str, str] = {}
    for line in rest.splitlines():
        if found := _PARAMETER.match(line):
            notes[found[1]] = found[2].strip()
        elif line and not line[0].isspace():
            break
    return text.strip(), notes


def _drop_titles(schema: object) -> None:
    """Pydantic's titles repeat the names; they are tokens that say nothing."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for value in schema.values():
            _drop_titles(value)
    elif isinstance(schema, list):
        for value in schema:
            _drop_titles(value)


def _explain(error: ValidationError) -> str:
    problems = []
    for each in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in each["loc"]) or "arguments"
        problems.append(f"{where}: {each['msg']}")
    return "; ".join(problems)


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()  # half a character is no reason to fail
