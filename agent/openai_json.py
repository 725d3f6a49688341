"""JSON as servers of the OpenAI kind send and take it, read without trusting that they keep to their own schema.

Two things that Python's JSON lets pass are kept out of what we store and send: halves of surrogate pairs, which no
UTF-8 can carry, and NaN, which is no JSON.
"""

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelUnavailable


def encode(value: Mapping[str, JsonValue]) -> bytes:
    """The body of a request. What cannot be written in UTF-8 becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def decode(raw: bytes) -> JsonObject:
    """The body of an answer. Raises ModelUnavailable when it is no JSON object."""
    try:
        payload = json.loads(raw, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise ModelUnavailable("The model's server answered with something that is not JSON.") from None
    if not isinstance(payload, dict):
        raise ModelUnavailable("The model's server answered with JSON that is not an object.")
    return payload if b"\\u" not in raw else _writable(payload)


def _writable(payload: JsonObject) -> JsonObject:
    text = json.dumps(payload, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        whole: JsonObject = json.loads(text.encode("utf-8", "replace"))
        return whole
    return payload


def objects(value: JsonValue) -> Iterator[JsonObject]:
    """The objects in a list; nothing when it is no list."""
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def member(value: JsonObject, name: str) -> JsonObject:
    """The object under that name, or an empty one."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def text(value: JsonValue) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def count(value: JsonValue) -> int:
    """The whole number, or zero."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def present(value: JsonObject, *dropped: str) -> JsonObject:
    """The fields that say something: neither null nor named."""
    return {name: each for name, each in value.items() if each is not None and name not in dropped}
