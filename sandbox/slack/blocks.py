"""Judges blocks, views and stream chunks as Slack does, walking the tables in `limits` and `elements`. No I/O.

Every problem is one line in Slack's style, with a JSON pointer. Lengths count characters, as Slack does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from sandbox.slack import limits
from sandbox.slack.elements import ELEMENTS, RECORDS, TEXT_EXTRAS
from sandbox.slack.refused import Json, Refused
from sandbox.slack.schema import Field, Fields, Flag, Free, Many, Record, String, Text, Typed, Whole

_NOT_AN_ELEMENT = frozenset({"image"})  # a block and an element of the same name: the block may also have a title


def check_message(blocks: object, pointer: str = "/blocks") -> list[Json]:
    """The blocks of a message; raises Refused with invalid_blocks_format, invalid_blocks or msg_blocks_too_long."""
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    found = [*_many(blocks, Many(Typed(limits.MESSAGE_BLOCKS), most=50, least=0), pointer), *_repeats(blocks, pointer)]
    if found:
        raise Refused("invalid_blocks", *found)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > limits.MARKDOWN_TOTAL or text_length(blocks) > limits.BLOCK_TEXT_TOTAL:
        raise Refused("msg_blocks_too_long")
    return blocks


def check_view(view: object) -> Json:
    """A modal or home view; raises Refused with invalid_arguments and one message for each problem."""
    if not isinstance(view, dict) or str(view.get("type")) not in limits.VIEWS:
        raise Refused("invalid_arguments", "[ERROR] must be a modal or a home view [json-pointer:/view/type]")
    found = list(_fields(view, limits.VIEWS[view["type"]], "/view", frozenset({"type"})))
    given = view.get("blocks")
    blocks: list[Json] = given if isinstance(given, list) else []
    found += _repeats(blocks, "/view/blocks")
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in blocks)
    if view["type"] == "modal" and has_input and "submit" not in view:
        found.append(_problem("submit is required when an input block is within the blocks array", "/view"))
    if found:
        raise Refused("invalid_arguments", *found)
    return view


def check_chunks(chunks: object) -> list[Json]:
    """The chunks of a stream; raises Refused with invalid_chunks."""
    if not isinstance(chunks, list):
        raise Refused("invalid_chunks")
    found: list[str] = []
    for number, chunk in enumerate(chunks):
        pointer = f"/chunks/{number}"
        if not isinstance(chunk, dict) or str(chunk.get("type")) not in limits.CHUNKS:
            found.append(_problem("unsupported chunk", pointer))
            continue
        found += _fields(chunk, limits.CHUNKS[chunk["type"]], pointer, frozenset({"type"}))
    if found:
        raise Refused("invalid_chunks", *found)
    return chunks


def text_length(value: object) -> int:
    """How many characters of text stand anywhere in these blocks."""
    if isinstance(value, list):
        return sum(text_length(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = value.get("text")
    return (len(own) if isinstance(own, str) else 0) + sum(text_length(item) for item in value.values())


def _problem(words: str, pointer: str) -> str:
    return f"[ERROR] {words} [json-pointer:{pointer}]"


def _judge(value: object, field: Field, pointer: str) -> Iterable[str]:
    match field:
        case Text():
            return _text(value, field, pointer)
        case String():
            return _string(value, field, pointer)
        case Flag() | Whole() | Free():
            return _plain(value, field, pointer)
        case Typed():
            return _typed(value, field, pointer)
        case Record():
            return _record(value, field, pointer)
        case Many():
            return _many(value, field, pointer)


def _plain(value: object, field: Flag | Whole | Free, pointer: str) -> list[str]:
    if isinstance(field, Flag) and not isinstance(value, bool):
        return [_problem("must be a boolean", pointer)]
    if isinstance(field, Whole) and (not isinstance(value, int) or isinstance(value, bool)):
        return [_problem("must be an integer", pointer)]
    return []


def _text(value: object, field: Text, pointer: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _problem("must be an object", pointer)
        return
    if str(value.get("type")) not in field.kinds:
        yield _problem(f"must be one of {', '.join(sorted(field.kinds))}", f"{pointer}/type")
        return
    yield from _string(value.get("text"), String(field.longest, shortest=1), f"{pointer}/text")
    extra = TEXT_EXTRAS[value["type"]]
    for key in value.keys() - {"type", "text", extra}:
        yield _problem(f"no more properties allowed: {key}", pointer)
    if extra in value:
        yield from _judge(value[extra], Flag(), f"{pointer}/{extra}")


def _string(value: object, field: String, pointer: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield _problem("must be a string", pointer)
    elif len(value) > field.longest:
        yield _problem(f"must be less than {field.longest + 1} characters", pointer)
    elif len(value) < field.shortest:
        yield _problem(f"must be more than {field.shortest - 1} characters", pointer)
    elif field.choices and value not in field.choices:
        yield _problem(f"must be one of {', '.join(sorted(field.choices))}", pointer)


def _typed(value: object, field: Typed, pointer: str) -> Iterable[str]:
    kind = value.get("type") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str):
        return [_problem("must be an object with a type", pointer)]
    if kind not in field.kinds:
        return [_problem(f"unsupported type: {kind}", pointer)]
    if kind in TEXT_EXTRAS:
        return _text(value, Text(), pointer)
    as_block = kind in limits.BLOCKS and (kind not in _NOT_AN_ELEMENT or "section" in field.kinds)
    table = limits.BLOCKS[kind] if as_block else ELEMENTS[kind]
    shape: Fields = {**table, "block_id": String(255)} if as_block else table
    return [
        *_fields(value, shape, pointer, frozenset({"type"})),
        *_one_of(value, kind, pointer),
        *_first(value, kind, pointer),
    ]


def _first(value: Json, kind: str, pointer: str) -> Iterator[str]:
    """What an element begins with must be one of its options, as it stands there, or a day that there is."""
    offered = [
        *_items(value, "options"),
        *(one for group in _items(value, "option_groups") for one in _items(group, "options")),
    ]
    chosen = [*_items(value, "initial_options"), *([value["initial_option"]] if "initial_option" in value else [])]
    if offered and any(one not in offered for one in chosen):
        yield _problem("the initial option must match one of the options", pointer)
    if kind == "datepicker" and "initial_date" in value and not _is_day(value["initial_date"]):
        yield _problem("must be a date in the format YYYY-MM-DD", f"{pointer}/initial_date")
    if kind in limits.PLAIN_OPTIONS and any(_at(_at(one, "text"), "type") == "mrkdwn" for one in offered):
        yield _problem("options take plain_text here", f"{pointer}/options")


def _items(value: object, key: str) -> list[Any]:
    found = _at(value, key)
    return found if isinstance(found, list) else []


def _at(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and len(text) == len("2026-01-01") and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _one_of(value: Json, kind: str, pointer: str) -> list[str]:
    keys = limits.ONE_OF.get(kind, ())
    if not keys or any(key in value for key in keys):
        return []
    return [_problem(f"missing required field: {' or '.join(keys)}", pointer)]


def _record(value: object, field: Record, pointer: str) -> Iterable[str]:
    if not isinstance(value, dict):
        return [_problem("must be an object", pointer)]
    return _fields(value, RECORDS[field.name], pointer, frozenset())


def _fields(value: Json, shape: Fields, pointer: str, free: frozenset[str]) -> Iterator[str]:
    for key in sorted(value.keys() - shape.keys() - free):
        yield _problem(f"no more properties allowed: {key}", pointer)
    for key, field in shape.items():
        if key in value:
            yield from _judge(value[key], field, f"{pointer}/{key}")
        elif field.needed:
            yield _problem(f"missing required field: {key}", pointer)


def _many(value: object, field: Many, pointer: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _problem("must be an array", pointer)
        return
    if len(value) > field.most:
        yield _problem(f"no more than {field.most} items allowed", pointer)
    if len(value) < field.least:
        yield _problem(f"no fewer than {field.least} items allowed", pointer)
    for number, item in enumerate(value):
        yield from _judge(item, field.item, f"{pointer}/{number}")


def _repeats(blocks: list[Json], pointer: str) -> list[str]:
    """Ids used twice: a block_id in the whole list, an action_id within one block. And tables too big as a whole."""
    found: list[str] = []
    objects = [block for block in blocks if isinstance(block, dict)]
    for block_id, times in Counter(str(b["block_id"]) for b in objects if "block_id" in b).items():
        if times > 1:
            found.append(_problem(f'block_id "{block_id}" already exists', pointer))
    for number, block in enumerate(objects):
        actions = Counter(str(element["action_id"]) for element in interactive(block) if "action_id" in element)
        found += [
            _problem(f'action_id "{name}" already exists', f"{pointer}/{number}")
            for name, times in actions.items()
            if times > 1
        ]
    tables = [block for block in objects if block.get("type") == "table"]
    if text_length(tables) > limits.TABLE_CELLS_TOTAL:
        found.append(_problem(f"tables hold more than {limits.TABLE_CELLS_TOTAL} characters", pointer))
    return found


def interactive(block: object) -> Iterator[Json]:
    """Every element in a block that a person can use, in reading order."""
    if isinstance(block, list):
        for item in block:
            yield from interactive(item)
    elif isinstance(block, dict):
        if str(block.get("type")) in _INTERACTIVE:
            yield block
            return
        for value in block.values():
            yield from interactive(value)


_INTERACTIVE = frozenset(kind for kind, fields in ELEMENTS.items() if "action_id" in fields)
