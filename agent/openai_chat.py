"""Chat Completions, which nearly every server speaks: what a request looks like, and what an answer says. Pure.

Earlier answers are retold from text and calls. Only where a server adds fields of its own to an answer that calls tools
(thought signatures, reasoning that it wants back) is its message kept and given back.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelUnavailable
from agent.events import ToolCall, Usage
from agent.openai_call import read_call, wire_arguments, wire_name
from agent.openai_json import count, member, objects, present, text
from agent.ports import ModelAnswer, ModelRequest, ModelTurn, ResultTurn, Turn, UserTurn
from agent.tool import Tool

PATH = "/chat/completions"

_STANDARD: Final = ("role", "content", "tool_calls", "refusal", "annotations", "audio", "function_call")


def body(request: ModelRequest, without: Iterable[str] = ()) -> JsonObject:
    """The request; without "reasoning", nothing but text and calls is given back of earlier answers."""
    retold = "reasoning" in without
    system: list[JsonObject] = [{"role": "system", "content": request.instructions}] if request.instructions else []
    spoken = (message for turn in request.turns for message in turn_messages(turn, retold=retold))
    fields: JsonObject = {"model": request.model, "messages": [*system, *spoken]}
    if request.tools:
        fields["tools"] = [_tool(each) for each in request.tools]
        if not request.may_call:
            fields["tool_choice"] = "none"
    return fields


def turn_messages(turn: Turn, *, retold: bool = False) -> Sequence[JsonObject]:
    """One turn as messages; it depends on nothing but the turn."""
    match turn:
        case UserTurn(said):
            return [{"role": "user", "content": said}]
        case ResultTurn(call, result):
            return [{"role": "tool", "tool_call_id": call.provider_id, "content": result}]
        case ModelTurn(api="chat", items=items) if items and not retold:
            return items
        case ModelTurn(said, calls):
            # Empty, not null: chat templates of local servers append the content as a string.
            message: JsonObject = {"role": "assistant", "content": said}
            return [message | {"tool_calls": [_tool_call(each) for each in calls]} if calls else message]


def answer(payload: JsonObject, taken: Iterable[str] = ()) -> ModelAnswer:
    """What the model said; `taken` are the call ids that the thread has used.

    Raises ModelUnavailable when it lacks what it must have.
    """
    choice = next(objects(payload.get("choices")), {})
    message = choice.get("message")
    if not isinstance(message, dict):
        raise ModelUnavailable("The model's server sent an answer without a message. Does it speak Chat Completions?")
    refusal = text(message.get("refusal"))
    stop = _stop(choice.get("finish_reason"), refusal)
    # Calls of an answer that was cut or refused are dropped: the last may be half a call.
    raw = list(objects(message.get("tool_calls"))) if stop == "end" else []
    calls = _calls(raw, set(taken))
    return ModelAnswer(
        text=refusal or _said(message.get("content")),
        calls=calls,
        stop="calls" if calls else stop,
        model=text(payload.get("model")),
        api="chat",
        items=_items(message, raw, calls),
        usage=_usage(member(payload, "usage")),
    )


def _stop(reason: JsonValue, refusal: str) -> Literal["end", "length", "refusal"]:
    if refusal or reason == "content_filter":
        return "refusal"
    return "length" if reason == "length" else "end"


def _said(content: JsonValue) -> str:
    """The content, which a few servers send in parts."""
    return text(content) or "".join(text(part.get("text")) for part in objects(content))


def _calls(raw: Iterable[JsonObject], taken: set[str]) -> tuple[ToolCall, ...]:
    functions = ((each.get("id"), member(each, "function")) for each in raw)
    return tuple(read_call(id_, each.get("name"), each.get("arguments"), taken) for id_, each in functions)


def _items(message: JsonObject, raw: Sequence[JsonObject], calls: Sequence[ToolCall]) -> tuple[JsonObject, ...]:
    """The message with the server's own fields, if it calls tools and has any."""
    own = present(message, *_STANDARD)
    own_of_calls = [present(each, "id", "type", "function", "index") for each in raw]
    if not calls or not (own or any(own_of_calls)):
        return ()
    spelled = [_tool_call(call) | extra for call, extra in zip(calls, own_of_calls, strict=True)]
    return ({"role": "assistant", "content": _said(message.get("content")), "tool_calls": [*spelled], **own},)


def _tool_call(call: ToolCall) -> JsonObject:
    function: JsonObject = {"name": wire_name(call.name), "arguments": wire_arguments(call)}
    return {"id": call.provider_id, "type": "function", "function": function}


def _tool(tool: Tool) -> JsonObject:
    function: JsonObject = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _usage(usage: JsonObject) -> Usage:
    cached = count(member(usage, "prompt_tokens_details").get("cached_tokens"))
    return Usage(input=count(usage.get("prompt_tokens")), output=count(usage.get("completion_tokens")), cached=cached)
