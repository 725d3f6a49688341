"""Reads a request to POST /v1/chat/completions, as strictly as OpenAI does; nothing may be stored."""

from typing import Final

from sandbox.model.ask import Ask, Called, Item, Returned, Said, called, role_of, tool_limits
from sandbox.model.refused import Json, Refused, a_flag, a_list, a_text, an_object, known_only
from sandbox.model.responses_in import check_model
from sandbox.model.schema import offered

PARAMETERS: Final = frozenset({
    "audio", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "messages",
    "metadata", "modalities", "model", "n", "parallel_tool_calls", "prediction", "presence_penalty",
    "prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed",
    "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools",
    "top_logprobs", "top_p", "user", "verbosity",
})  # fmt: skip
_KEYS: Final = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "tool_calls", "annotations"},
    "tool": {"role", "content", "tool_call_id"},
}


def read_chat(body: Json) -> Ask:
    """The request; Refused with OpenAI's words where OpenAI would refuse it."""
    known_only(body, PARAMETERS)
    check_model(body)
    if body.get("store"):
        raise Refused("This server stores nothing: leave 'store' out or send false.", "store")
    if body.get("n", 1) != 1:
        raise Refused("This model gives one choice.", "n")
    stream = a_flag(body.get("stream") or False, "stream")
    options = body.get("stream_options")
    if options and not stream:
        raise Refused("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    tools = offered(body.get("tools"), nested=True)
    if "parallel_tool_calls" in body and not tools:
        raise Refused("'parallel_tool_calls' is only allowed when 'tools' are specified.", "parallel_tool_calls")
    return Ask(
        items=_items(a_list(body.get("messages"), "messages")),
        tools=tools,
        parallel=a_flag(body.get("parallel_tool_calls", True), "parallel_tool_calls"),
        may_call=tool_limits(body.get("tool_choice"), tools),
        max_tokens=_limit(body),
        stream=stream,
        usage_chunk=bool(isinstance(options, dict) and options.get("include_usage")),
    )


def _limit(body: Json) -> int | None:
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    if limit is None:
        return None
    if not isinstance(limit, int) or limit < 1:
        raise Refused("Invalid 'max_completion_tokens': integer of 1 or more expected.", "max_completion_tokens")
    return limit


def _items(messages: list[object]) -> tuple[Item, ...]:
    if not messages:
        raise Refused("Invalid 'messages': empty array.", "messages", "empty_array")
    items: list[Item] = []
    open_calls: dict[str, None] = {}
    for n, raw in enumerate(messages):
        at = f"messages[{n}]"
        message = an_object(raw, at)
        role = a_text(message.get("role"), f"{at}.role")
        if role not in _KEYS:
            raise Refused(f"Invalid value: '{role}'. Supported values are {', '.join(_KEYS)}.", f"{at}.role")
        known_only(message, _KEYS[role], at)
        if role == "tool":
            items.append(_result(message, open_calls, at))
            continue
        _none_open(open_calls, at)
        said = _said(message, at)
        items += said
        open_calls = {item.call_id: None for item in said if isinstance(item, Called)}
    _none_open(open_calls, "messages")
    return tuple(items)


def _none_open(open_calls: dict[str, None], at: str) -> None:
    if open_calls:
        raise Refused(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            at,
        )


def _result(message: Json, open_calls: dict[str, None], at: str) -> Returned:
    call_id = a_text(message.get("tool_call_id"), f"{at}.tool_call_id")
    if call_id not in open_calls:
        raise Refused(
            "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
            f"{at}.role",
        )
    del open_calls[call_id]
    return Returned(call_id, _text(message.get("content"), f"{at}.content"))


def _said(message: Json, at: str) -> list[Item]:
    role = role_of(message["role"], f"{at}.role")
    calls = [_call(an_object(raw, f"{at}.tool_calls"), at) for raw in a_list(message.get("tool_calls") or [], at)]
    content = message.get("content")
    if content is None and role == "assistant" and (calls or message.get("refusal")):
        refusal = message.get("refusal")
        return [*([Said(role, a_text(refusal, at))] if refusal else []), *calls]
    return [Said(role, _text(content, f"{at}.content")), *calls]


def _call(raw: Json, at: str) -> Called:
    known_only(raw, {"id", "type", "function"}, f"{at}.tool_calls")
    if raw.get("type") != "function":
        raise Refused("Invalid value: 'function' expected.", f"{at}.tool_calls.type")
    function = an_object(raw.get("function"), f"{at}.tool_calls.function")
    known_only(function, {"name", "arguments"}, f"{at}.tool_calls.function")
    return called(raw.get("id"), function.get("name"), function.get("arguments"), f"{at}.tool_calls")


def _text(value: object, at: str) -> str:
    if isinstance(value, str):
        return value
    texts: list[str] = []
    for n, raw in enumerate(a_list(value, at)):
        part = an_object(raw, f"{at}[{n}]")
        key = {"text": "text", "refusal": "refusal"}.get(str(part.get("type")))
        if key is None:
            raise Refused(f"Invalid value: '{part.get('type')}'. This model reads 'text'.", f"{at}[{n}].type")
        texts.append(a_text(part.get(key), f"{at}[{n}].{key}"))
    return "\n".join(texts)
