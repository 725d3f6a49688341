"""The Responses API, stateless: what a request looks like, and what an answer says. Pure.

Nothing is kept at the provider (`store` is false). The thread holds the model's own items, encrypted reasoning among
them, and every request gives them back in their places, as
https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items describes.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelUnavailable
from agent.events import ToolCall, Usage
from agent.openai_call import read_call, wire_arguments, wire_name
from agent.openai_json import count, member, objects, present, text
from agent.ports import ModelAnswer, ModelRequest, ModelTurn, ResultTurn, Turn, UserTurn
from agent.tool import Tool

PATH = "/responses"


def body(request: ModelRequest, without: Iterable[str] = ()) -> JsonObject:
    """The request, without the fields named; without "reasoning", earlier answers are retold in plain words."""
    retold = "reasoning" in without
    fields: JsonObject = {
        "model": request.model,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "instructions": request.instructions,
        "tools": [_tool(each) for each in request.tools],
        "tool_choice": "none",
        "input": [item for turn in request.turns for item in turn_items(turn, retold=retold)],
    }
    dropped = {*without, *(() if request.tools else ("tools",))}
    dropped |= {"tool_choice"} if request.may_call or not request.tools else set()
    return {name: value for name, value in fields.items() if name not in dropped}


def turn_items(turn: Turn, *, retold: bool = False) -> Sequence[JsonObject]:
    """One turn as input items; it depends on nothing but the turn."""
    match turn:
        case UserTurn(said):
            return [{"role": "user", "content": said}]
        case ResultTurn(call, result):
            return [{"type": "function_call_output", "call_id": call.provider_id, "output": result}]
        case ModelTurn(api="responses", items=items) if items and not retold:
            return items
        case ModelTurn(said, calls):
            words: list[JsonObject] = [{"role": "assistant", "content": said}] if said else []
            return [*words, *(_function_call(each) for each in calls)]


def answer(payload: JsonObject, taken: Iterable[str] = ()) -> ModelAnswer:
    """What the model said; `taken` are the call ids that the thread has used.

    Raises ModelUnavailable when it lacks what it must have or was not finished.
    """
    _check(payload)
    output = list(objects(payload["output"]))
    parts = [part for item in output for part in objects(item.get("content")) if item.get("type") == "message"]
    refusal = "".join(text(part.get("refusal")) for part in parts)
    stop = _stop(payload, refused=any(part.get("type") == "refusal" for part in parts))
    # An answer that was cut or refused is retold from its text: its last call may be half a call.
    calls, items = _kept(output, set(taken)) if stop == "end" else ((), ())
    return ModelAnswer(
        text=refusal or _said(output),
        calls=calls,
        stop="calls" if calls else stop,
        model=text(payload.get("model")),
        api="responses",
        items=items,
        usage=_usage(member(payload, "usage")),
    )


def _check(payload: JsonObject) -> None:
    status = payload.get("status")
    if status in {"failed", "cancelled", "queued", "in_progress"}:
        raise ModelUnavailable(f"The model's server did not finish its answer (status {status}).")
    if not isinstance(payload.get("output"), list):
        raise ModelUnavailable("The model's server sent an answer without output. Does it speak the Responses API?")


def _stop(payload: JsonObject, *, refused: bool) -> Literal["end", "length", "refusal"]:
    reason = member(payload, "incomplete_details").get("reason")
    if refused or reason == "content_filter":
        return "refusal"
    return "length" if reason or payload.get("status") == "incomplete" else "end"


def _said(output: Sequence[JsonObject]) -> str:
    """The final answer where the model marks one, else all it said."""
    messages = [item for item in output if item.get("type") == "message"]
    final = [item for item in messages if item.get("phase") == "final_answer"]
    said = ("".join(text(part.get("text")) for part in objects(item.get("content"))) for item in final or messages)
    return "\n\n".join(each for each in said if each)


def _kept(output: Iterable[JsonObject], taken: set[str]) -> tuple[tuple[ToolCall, ...], tuple[JsonObject, ...]]:
    """The calls, and the items to give back: as they came, less what the API refuses or ignores on its way back."""
    calls: list[ToolCall] = []
    items: list[JsonObject] = []
    for item in output:
        match item.get("type"):
            case "function_call":
                call = read_call(item.get("call_id"), item.get("name"), item.get("arguments"), taken)
                calls.append(call)
                items.append(present(item, "id", "status") | _function_call(call, item.get("arguments")))
            case "message":
                items.append(present(item) | {"content": [present(each, "logprobs") for each in _contents(item)]})
            case "reasoning" if item.get("encrypted_content") or item.get("content"):
                # Without either it is only a name for what the server did not keep.
                items.append(present(item, "status"))
            case _:
                pass
    # What has no reasoning in it can be told again from its text and calls; the log need not hold it twice.
    return tuple(calls), tuple(items) if _has_more_than_words(items) else ()


def _has_more_than_words(items: Iterable[JsonObject]) -> bool:
    """Reasoning, or a message with more than a text to it (a phase, annotations)."""
    plain = {"type", "role", "content"}
    return any(
        item.get("type") == "reasoning"
        or (
            item.get("type") == "message"
            and (set(item) > plain or any(set(p) > {"type", "text"} for p in objects(item.get("content"))))
        )
        for item in items
    )


def _contents(item: JsonObject) -> Iterable[JsonObject]:
    return objects(item.get("content"))


def _function_call(call: ToolCall, arguments: JsonValue = None) -> JsonObject:
    spelled = arguments if isinstance(arguments, str) and arguments and not call.malformed else wire_arguments(call)
    return {
        "type": "function_call",
        "call_id": call.provider_id,
        "name": wire_name(call.name),
        "arguments": spelled,
    }


def _tool(tool: Tool) -> JsonObject:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _usage(usage: JsonObject) -> Usage:
    cached = count(member(usage, "input_tokens_details").get("cached_tokens"))
    return Usage(input=count(usage.get("input_tokens")), output=count(usage.get("output_tokens")), cached=cached)
