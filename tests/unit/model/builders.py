"""A thread with everything in it that a request can carry, and the pieces it is made of."""

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.events import PromptStamp, ToolCall
from agent.ports import ModelRequest, ModelTurn, ResultTurn, Turn, UserTurn
from agent.tool import tool

STAMP = PromptStamp(name="support", version="1", digest="0" * 64)


@tool(effect="read")
def look_up_order(number: int) -> str:
    """Look up an order.

    Args:
        number: As printed on the invoice.
    """
    return str(number)


def a_call(provider_id: str = "call_a", name: str = "look_up_order", **arguments: JsonValue) -> ToolCall:
    """A call under an id of ours that no server has seen."""
    return ToolCall(id="call_ours", provider_id=provider_id, name=name, arguments=arguments)


REASONING: JsonObject = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
RAW_CALL: JsonObject = {
    "type": "function_call",
    "call_id": "call_a",
    "name": "look_up_order",
    "arguments": '{"number": 7}',
}


def a_thread() -> tuple[Turn, ...]:
    """A message; an answer of the Responses API with reasoning; one of Chat with two calls, one unreadable."""
    first = a_call(number=7)
    second, broken = a_call("call_b", number=8), ToolCall(id="x", provider_id="call_c", name="odd name", malformed="no")
    return (
        UserTurn("Where is 7?"),
        ModelTurn("Let me see.", (first,), "responses", (REASONING, RAW_CALL)),
        ResultTurn(first, "shipped"),
        ModelTurn("And 8.", (second, broken), "chat"),
        ResultTurn(second, "lost"),
        ResultTurn(broken, "Failed: no"),
        UserTurn("Thanks"),
    )


def a_request(*turns: Turn, model: str = "gpt-test", instructions: str = "Be kind.") -> ModelRequest:
    """Of these turns, with one tool."""
    return ModelRequest(model, instructions, STAMP, turns, (look_up_order,))
