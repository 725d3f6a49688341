"""What was typed into a form, as the arguments of the tool. Pure. Rules:

- A field that was not touched gives back the very value that was proposed, so that looking at a call changes nothing.
- Whether the result fits the tool is the tool's to say; here only what a field cannot mean is refused.
"""

import re

from pydantic import JsonValue

from agent.conversation import JsonObject
from bot.parameters import BadFields, typed_json, typed_number
from bot.slack.form import NOT_SET, TEXT_MOST, YES, Field
from bot.slack.inputs import INPUT

_CHANGED = "The tool has changed since this form was opened. Close it and open it again."


def arguments_of(fields: tuple[Field, ...], arguments: JsonObject, values: JsonObject) -> JsonObject:
    """The arguments as they are after the edit. `values` is `view.state.values` of the submission.

    Raises BadFields with one problem a field, by block id."""
    changed: JsonObject = dict(arguments)
    problems: dict[str, str] = {}
    for field in fields:
        if not field.is_editable:
            continue
        try:
            _put(changed, field, _typed(field, values))
        except ValueError as error:
            problems[field.block_id] = str(error)
    if problems:
        raise BadFields(problems)
    return changed


def problems_by_field(fields: tuple[Field, ...], message: str) -> dict[str, str]:
    """The tool's own objections (`name: what; name.part: what`) beside the fields they name, the rest at the first."""
    by_name = {field.name: field.block_id for field in fields if field.is_editable}
    first = next(iter(by_name.values()), "")
    found: dict[str, list[str]] = {}
    for each in message.split("; "):
        name = re.split(r"[.:]", each, maxsplit=1)[0]
        found.setdefault(by_name.get(name, first), []).append(each)
    return {block: "; ".join(texts)[:TEXT_MOST] for block, texts in found.items() if block}


def _typed(field: Field, values: JsonObject) -> str:
    """What stands in the field: its text, or the value of the option chosen; ValueError when the form has no such."""
    block = values.get(field.block_id)
    state = block.get(INPUT) if isinstance(block, dict) else None
    if not isinstance(state, dict):
        raise ValueError(_CHANGED)  # noqa: TRY004 - one way to say that a field cannot be read
    option = state.get("selected_option")
    found = option.get("value") if isinstance(option, dict) else state.get("value")
    return found if isinstance(found, str) else ""


def _put(arguments: JsonObject, field: Field, typed: str) -> None:
    if _is_untouched(field, typed):
        return
    if not typed.strip() or typed == NOT_SET:
        _clear(arguments, field)
        return
    arguments[field.name] = _parsed(field, typed)


def _is_untouched(field: Field, typed: str) -> bool:
    """Whether the field shows what it showed at first, short of white space at its ends, which Slack does not keep."""
    if field.kind in {"yes_no", "one_of"}:
        return (typed or NOT_SET) == field.chosen
    return typed.replace("\r\n", "\n").strip() == field.shown.strip()


def _clear(arguments: JsonObject, field: Field) -> None:
    if field.is_nullable:
        arguments[field.name] = None
    elif not field.is_required:
        arguments.pop(field.name, None)
    elif field.kind == "text":
        arguments[field.name] = ""
    else:
        raise ValueError("This is needed.")


def _parsed(field: Field, typed: str) -> JsonValue:
    match field.kind:
        case "text":
            return typed
        case "whole" | "number":
            return typed_number(typed.strip(), is_whole=field.kind == "whole")
        case "yes_no":
            return typed == YES
        case "one_of":
            return _chosen(field, typed)
        case "json":
            return typed_json(typed)


def _chosen(field: Field, typed: str) -> JsonValue:
    if not typed.isdigit() or int(typed) >= len(field.options):
        raise ValueError(_CHANGED)
    return field.options[int(typed)]
