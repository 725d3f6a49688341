"""Whether a tool on offer is one that OpenAI would take: its name, its JSON schema, and what `strict` demands. Pure.

Source of the rules: OpenAI's guide to structured outputs and function calling.
"""

import re
from typing import Final

from sandbox.model.refused import Json, Refused, a_list, a_text, an_object, known_only

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TYPES: Final = {"object", "array", "string", "number", "integer", "boolean", "null"}
_KEYWORDS: Final = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "$ref", "$defs",
    "definitions", "description", "title", "default", "examples", "format", "pattern", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
    "uniqueItems", "oneOf", "allOf", "not", "prefixItems", "minProperties", "maxProperties", "patternProperties",
    "propertyNames", "$schema", "deprecated", "discriminator",
}  # fmt: skip
_NOT_STRICT: Final = {"default", "oneOf", "allOf", "not", "patternProperties", "propertyNames", "uniqueItems"}


def offered(tools: object, *, nested: bool) -> dict[str, Json]:
    """Parameters by tool name. `nested`: Chat wraps a function in `function`, Responses does not."""
    found: dict[str, Json] = {}
    for n, raw in enumerate(a_list([] if tools is None else tools, "tools")):
        at = f"tools[{n}]"
        tool = _function(an_object(raw, at), at, nested=nested)
        name = a_text(tool.get("name"), f"{at}.name")
        if not _NAME.fullmatch(name):
            raise Refused(f"Invalid '{at}.name': '{name}' does not match '^[a-zA-Z0-9_-]+$'.", f"{at}.name")
        if name in found:
            raise Refused(f"Duplicate tool name '{name}'.", f"{at}.name")
        found[name] = _parameters(name, tool, at, strict_by_default=not nested)
    return found


def _function(tool: Json, at: str, *, nested: bool) -> Json:
    if tool.get("type") != "function":
        raise Refused(f"Invalid value: '{tool.get('type')}'. This model supports 'function' only.", f"{at}.type")
    if nested:
        known_only(tool, {"type", "function"}, at)
        tool = an_object(tool.get("function"), f"{at}.function")
        known_only(tool, {"name", "description", "parameters", "strict"}, f"{at}.function")
    else:
        known_only(tool, {"type", "name", "description", "parameters", "strict"}, at)
    if len(a_text(tool.get("description", ""), f"{at}.description")) > 1024:
        raise Refused("Invalid description: longer than 1024 characters.", f"{at}.description")
    return tool


def _parameters(name: str, tool: Json, at: str, *, strict_by_default: bool) -> Json:
    schema = an_object(tool.get("parameters", {"type": "object", "properties": {}}), f"{at}.parameters")
    strict = tool.get("strict", strict_by_default)
    if schema.get("type") != "object":
        raise Refused(
            f"Invalid schema for function '{name}': schema must be of type 'object', got '{schema.get('type')}'.",
            f"{at}.parameters",
            "invalid_function_parameters",
        )
    _check(schema, name, (), strict=strict is True)
    return schema


def _check(schema: object, name: str, path: tuple[str, ...], *, strict: bool) -> None:
    if isinstance(schema, bool):
        return
    why = _fault(schema, strict=strict)
    if why or not isinstance(schema, dict):
        where = f" In context={path}," if path else ""
        message = f"Invalid schema for function '{name}':{where} {why}."
        raise Refused(message, "tools", "invalid_function_parameters")
    for label, child in _children(schema):
        _check(child, name, (*path, label), strict=strict)


def _fault(schema: object, *, strict: bool) -> str:
    if not isinstance(schema, dict):
        return "a schema must be an object"
    stray = [key for key in schema if key not in _KEYWORDS or (strict and key in _NOT_STRICT)]
    if stray:
        return f"'{stray[0]}' is not permitted"
    kinds = schema.get("type", [])
    if not {kinds} <= _TYPES if isinstance(kinds, str) else not set(kinds) <= _TYPES:
        return f"{kinds!r} is not a type"
    return _object_fault(schema, strict=strict)


def _object_fault(schema: Json, *, strict: bool) -> str:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        return "'properties' must be an object and 'required' an array"
    stray = [key for key in required if key not in properties]
    if stray:
        return f"'required' names {stray}, which 'properties' does not hold"
    if not strict or schema.get("type") != "object":
        return ""
    if schema.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false"
    missing = [key for key in properties if key not in required]
    return f"'required' is required to hold every key in properties. Missing {missing}" if missing else ""


def _children(schema: Json) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for keyword in ("properties", "$defs", "definitions"):
        inner = schema.get(keyword, {})
        found += [(f"{keyword}.{key}", child) for key, child in inner.items()] if isinstance(inner, dict) else []
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        inner = schema.get(keyword, [])
        found += [(f"{keyword}.{n}", child) for n, child in enumerate(inner)] if isinstance(inner, list) else []
    return found + [(key, schema[key]) for key in ("items", "not") if key in schema]
