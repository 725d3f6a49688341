"""Writes an answer the way POST /v1/responses does: one object, or the events of a stream. Pure."""

import json
from collections.abc import Iterator

from sandbox.model.answer import Answer, Call
from sandbox.model.ask import MODEL, Ask, Thought
from sandbox.model.refused import Json
from sandbox.model.seal import seal
from sandbox.model.tokens import counted


def response(ask: Ask, answer: Answer, ids: Iterator[str], at: int) -> Json:
    """The response object."""
    response_id = f"resp_{next(ids)}"
    output = _output(ask, answer, ids)
    used_in, used_out = counted(ask, answer)
    cut = answer.stop == "length"
    return {
        "id": response_id, "object": "response", "created_at": at, "status": "incomplete" if cut else "completed",
        "background": False, "error": None, "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": None, "max_output_tokens": ask.max_tokens, "metadata": {}, "model": MODEL, "output": output,
        "parallel_tool_calls": ask.parallel, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False, "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto",
        "tools": [], "top_p": 1.0, "truncation": "disabled", "user": None,
        "usage": {
            "input_tokens": used_in, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": used_out, "output_tokens_details": {"reasoning_tokens": len(answer.reasoning) // 4},
            "total_tokens": used_in + used_out,
        },
    }  # fmt: skip


def _output(ask: Ask, answer: Answer, ids: Iterator[str]) -> list[Json]:
    output: list[Json] = []
    if ask.reasoning:
        thought = Thought(f"rs_{next(ids)}", tuple(call.call_id for call in answer.calls))
        summary = [{"type": "summary_text", "text": answer.reasoning}] if answer.reasoning else []
        output.append({"id": thought.id, "type": "reasoning", "summary": summary, "encrypted_content": seal(thought)})
    if answer.text:
        key = "refusal" if answer.stop == "refusal" else "text"
        part: Json = {"type": "refusal", key: answer.text}
        if answer.stop != "refusal":
            part = {"type": "output_text", key: answer.text, "annotations": [], "logprobs": []}
        status = "incomplete" if answer.stop == "length" else "completed"
        output.append(
            {"id": f"msg_{next(ids)}", "type": "message", "role": "assistant", "status": status, "content": [part]}
        )
    return output + [_call(call, next(ids)) for call in answer.calls]


def _call(call: Call, item_id: str) -> Json:
    return {
        "id": f"fc_{item_id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.call_id,
        "name": call.name,
        "arguments": call.arguments,
    }


def response_events(whole: Json) -> Iterator[str]:
    """The same as server-sent events, numbered, ending with the whole object."""
    for number, event in enumerate(_events(whole)):
        text = json.dumps({**event, "sequence_number": number})
        yield f"event: {event['type']}\ndata: {text}\n\n"


def _events(whole: Json) -> Iterator[Json]:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    output = whole["output"]
    for index, item in enumerate(output if isinstance(output, list) else []):
        yield from _item_events(item, index)
    yield {"type": f"response.{whole['status']}", "response": whole}


def _item_events(item: Json, index: int) -> Iterator[Json]:
    at = {"item_id": item["id"], "output_index": index}
    blanks: dict[str, Json] = {"message": {"content": []}, "function_call": {"arguments": ""}}
    empty = blanks.get(str(item["type"]), {})
    begun = {**item, **empty, **({"status": "in_progress"} if "status" in item else {})}
    yield {"type": "response.output_item.added", "output_index": index, "item": begun}
    if item["type"] == "function_call":
        arguments = str(item["arguments"])
        for piece in pieces(arguments):
            yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
        done = {"arguments": arguments, "name": item["name"]}
        yield {"type": "response.function_call_arguments.done", **at, **done}
    content = item.get("content")
    for number, part in enumerate(content if isinstance(content, list) else []):
        yield from _part_events(part, {**at, "content_index": number})
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _part_events(part: Json, at: Json) -> Iterator[Json]:
    refusal = part["type"] == "refusal"
    key, name = ("refusal", "refusal") if refusal else ("text", "output_text")
    extra: Json = {} if refusal else {"logprobs": []}
    yield {"type": "response.content_part.added", **at, "part": {**part, key: ""}}
    for piece in pieces(str(part[key])):
        yield {"type": f"response.{name}.delta", **at, "delta": piece, **extra}
    yield {"type": f"response.{name}.done", **at, key: part[key], **extra}
    yield {"type": "response.content_part.done", **at, "part": part}


def pieces(text: str, size: int = 24) -> Iterator[str]:
    """The text, a little at a time."""
    for start in range(0, len(text), size):
        yield text[start : start + size]
