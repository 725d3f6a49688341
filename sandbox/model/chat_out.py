"""Writes an answer the way POST /v1/chat/completions does: one object, or the chunks of a stream. Pure."""

import json
from collections.abc import Iterator

from sandbox.model.answer import Answer
from sandbox.model.ask import MODEL, Ask
from sandbox.model.refused import Json
from sandbox.model.responses_out import pieces
from sandbox.model.tokens import counted


def completion(ask: Ask, answer: Answer, ids: Iterator[str], at: int) -> Json:
    """The completion object."""
    refused = answer.stop == "refusal"
    message: Json = {
        "role": "assistant", "content": None if refused else answer.text or None,
        "refusal": answer.text if refused else None, "annotations": [],
    }  # fmt: skip
    if answer.calls:
        message["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.calls
        ]
    used_in, used_out = counted(ask, answer)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
    return {
        "id": f"chatcmpl-{next(ids)}", "object": "chat.completion", "created": at, "model": MODEL,
        "choices": [choice], "system_fingerprint": "fp_sandbox",
        "usage": {"prompt_tokens": used_in, "completion_tokens": used_out, "total_tokens": used_in + used_out},
    }  # fmt: skip


def _finish(answer: Answer) -> str:
    if answer.stop == "length":
        return "length"
    return "tool_calls" if answer.calls else "stop"


def completion_chunks(ask: Ask, whole: Json) -> Iterator[str]:
    """The same as server-sent events."""
    head = {key: whole[key] for key in ("id", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    choice = whole["choices"][0]  # type: ignore[index]  # built above
    usage = {"usage": None} if ask.usage_chunk else {}
    for delta in _deltas(choice["message"]):
        chunk = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
        yield _line({**head, "choices": [chunk], **usage})
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]}
    yield _line({**head, "choices": [last], **usage})
    if ask.usage_chunk:
        yield _line({**head, "choices": [], "usage": whole["usage"]})
    yield "data: [DONE]\n\n"


def _deltas(message: dict[str, object]) -> Iterator[Json]:
    yield {"role": "assistant", "content": None if message["content"] is None else "", "refusal": None}
    for key in ("content", "refusal"):
        for piece in pieces(str(message[key] or "")):
            yield {key: piece}
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else []):
        function = call["function"]
        begun = {"name": function["name"], "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": begun}]}
        for piece in pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _line(chunk: Json) -> str:
    return f"data: {json.dumps(chunk)}\n\n"
