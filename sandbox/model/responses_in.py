"""Reads a request to POST /v1/responses, as strictly as OpenAI does and a little more so: it must not be stored."""

from typing import Final

from sandbox.model.ask import MODEL, Ask, Called, Item, Returned, Said, called, role_of, tool_limits
from sandbox.model.refused import Json, Refused, a_flag, a_list, a_text, an_object, known_only
from sandbox.model.schema import offered
from sandbox.model.seal import demand_reasoning, unseal

PARAMETERS: Final = frozenset({
    "background", "context_management", "conversation", "include", "input", "instructions", "max_output_tokens",
    "max_tool_calls", "metadata", "model", "parallel_tool_calls", "previous_response_id", "prompt",
    "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream",
    "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
})  # fmt: skip
_STATEFUL: Final = ("previous_response_id", "conversation", "background", "prompt")
_ENCRYPTED: Final = "reasoning.encrypted_content"


def read_responses(body: Json) -> Ask:
    """The request; Refused with OpenAI's words where OpenAI would refuse it, or where it asks us to keep something."""
    known_only(body, PARAMETERS)
    _refuse_state(body)
    include = a_list(body.get("include") or [], "include")
    items = _items(body)
    _paired(items)
    demand_reasoning(items)
    tools = offered(body.get("tools"), nested=False)
    return Ask(
        items=items,
        tools=tools,
        parallel=a_flag(body.get("parallel_tool_calls", True), "parallel_tool_calls"),
        may_call=tool_limits(body.get("tool_choice"), tools),
        max_tokens=_limit(body.get("max_output_tokens")),
        stream=a_flag(body.get("stream") or False, "stream"),
        reasoning=_ENCRYPTED in include,
    )


def check_model(body: Json) -> None:
    """Refuse any model but this one."""
    model = a_text(body.get("model"), "model")
    if model != MODEL:
        raise Refused(
            f"The model '{model}' does not exist; this is the sandbox's {MODEL}.", "model", "model_not_found", 404
        )


def _refuse_state(body: Json) -> None:
    check_model(body)
    if body.get("store", True) is not False:
        raise Refused("This server stores nothing: send 'store': false (OpenAI's default is true).", "store")
    for key in _STATEFUL:
        if body.get(key):
            raise Refused(f"This server stores nothing, so '{key}' cannot be used.", key)


def _limit(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or value < 16:
        raise Refused("Invalid 'max_output_tokens': integer of 16 or more expected.", "max_output_tokens")
    return value


def _items(body: Json) -> tuple[Item, ...]:
    given = body.get("input")
    items: list[Item] = []
    if body.get("instructions"):
        items.append(Said("system", a_text(body["instructions"], "instructions")))
    if isinstance(given, str):
        items.append(Said("user", given))
    else:
        items += [_item(an_object(raw, f"input[{n}]"), f"input[{n}]") for n, raw in enumerate(a_list(given, "input"))]
    if not items:
        raise Refused("One of 'input' or 'instructions' is required.", "input", "missing_required_parameter")
    return tuple(items)


def _item(raw: Json, at: str) -> Item:
    kind = raw.get("type", "message")
    if kind == "message":
        known_only(raw, {"type", "role", "content", "id", "status", "phase"}, at)
        role = role_of(raw.get("role"), f"{at}.role")
        return Said(role, _content(raw.get("content"), role, f"{at}.content"))
    if kind == "function_call":
        known_only(raw, {"type", "id", "call_id", "name", "arguments", "status"}, at)
        return called(raw.get("call_id"), raw.get("name"), raw.get("arguments"), at)
    if kind == "function_call_output":
        known_only(raw, {"type", "id", "call_id", "output", "status"}, at)
        return Returned(a_text(raw.get("call_id"), f"{at}.call_id"), _output(raw.get("output"), f"{at}.output"))
    if kind == "reasoning":
        return _thought(raw, at)
    raise Refused(f"Invalid value: '{kind}'.", f"{at}.type", "invalid_value")


def _thought(raw: Json, at: str) -> Item:
    known_only(raw, {"type", "id", "summary", "content", "encrypted_content", "status"}, at)
    item_id = a_text(raw.get("id"), f"{at}.id")
    a_list(raw.get("summary"), f"{at}.summary")
    sealed = raw.get("encrypted_content")
    if not sealed:
        raise Refused(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
            "input",
            status=404,
        )
    return unseal(a_text(sealed, f"{at}.encrypted_content"), item_id)


def _content(value: object, role: str, at: str) -> str:
    if isinstance(value, str):
        return value
    allowed = {"output_text": "text", "refusal": "refusal"} if role == "assistant" else {"input_text": "text"}
    texts: list[str] = []
    for n, raw in enumerate(a_list(value, at)):
        part = an_object(raw, f"{at}[{n}]")
        key = allowed.get(str(part.get("type")))
        if key is None:
            raise Refused(
                f"Invalid value: '{part.get('type')}'. Supported here: {', '.join(allowed)}.", f"{at}[{n}].type"
            )
        known_only(part, {"type", key, "annotations", "logprobs"}, f"{at}[{n}]")
        texts.append(a_text(part.get(key), f"{at}[{n}].{key}"))
    return "\n".join(texts)


def _output(value: object, at: str) -> str:
    return value if isinstance(value, str) else _content(value, "user", at)


def _paired(items: tuple[Item, ...]) -> None:
    answered: dict[str, bool] = {}
    for item in items:
        if isinstance(item, Called):
            if item.call_id in answered:
                raise Refused(f"Duplicate function call with call_id {item.call_id}.", "input")
            answered[item.call_id] = False
        if isinstance(item, Returned):
            if answered.get(item.call_id, True):
                wrong = "Duplicate" if item.call_id in answered else "No tool call found for"
                raise Refused(f"{wrong} function call output with call_id {item.call_id}.", "input")
            answered[item.call_id] = True
    for call_id, done in answered.items():
        if not done:
            raise Refused(f"No tool output found for function call {call_id}.", "input")
