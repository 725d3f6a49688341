"""Ready-made values with defaults, so that a test names only what it is about."""

from datetime import UTC, datetime

from pydantic import JsonValue

from agent.conversation import Identity, SlackThread
from agent.effects import Allow, Ask, Verdict
from agent.entries import Entry
from agent.events import MessageReceived, ToolCall
from agent.ports import ModelAnswer
from agent.reducer import Rules
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import Tool, ToolContext, catalog, tool
from agent.tools import BUILT_IN
from agent.verdict import Approvers

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
ADA = Identity(channel="slack", id="U0ADA", team="T0", name="Ada")
DANA = Identity(channel="slack", id="U0DANA", team="T0", name="Dana")
PLACE = SlackThread(team="T0", channel="C0", thread_ts="1700000000.000100")
LEADS = Approvers(roles=("lead",))


class Ledger:
    """What the tools have really done: the tools' own record of effects."""

    def __init__(self) -> None:
        self.looked_up: list[str] = []
        self.refunds: list[tuple[str, float, str]] = []

    def tools(self) -> dict[str, Tool]:
        """A read, a gated write, and a tool that fails; with the built-in ones."""

        @tool(effect="read")
        async def look_up(order_id: str) -> dict[str, str]:
            """Look up an order."""
            self.looked_up.append(order_id)
            return {"order_id": order_id, "status": "delivered"}

        @tool(needs_approval=True, preview=lambda order_id, amount: f"{amount:.2f} EUR for {order_id}")
        async def refund(order_id: str, amount: float, context: ToolContext) -> dict[str, float]:
            """Refund an order."""
            self.refunds.append((order_id, amount, context.idempotency_key))
            return {"refunded": amount}

        @tool(effect="read")
        async def broken() -> str:
            """Always fails."""
            raise RuntimeError("the shelf fell down")

        return catalog([look_up, refund, broken, *BUILT_IN])


def judge(call: ToolCall, called: Tool, state: ThreadState) -> Verdict:
    """Reads run, the rest asks a lead."""
    return Allow("reads") if called.effect == "read" else Ask("writes", "It changes the world.", LEADS)


def rules(ledger: Ledger | None = None, *, max_steps: int = 40, max_errors: int = 3) -> Rules:
    """The rules of a small deployment."""
    return Rules((ledger or Ledger()).tools(), judge, max_steps, max_errors)


def a_call(name: str, call_id: str = "", **arguments: JsonValue) -> ToolCall:
    """A call as the model adapter gives it."""
    return ToolCall(id=call_id or f"p_{name}", provider_id=call_id or f"p_{name}", name=name, arguments=arguments)


def calls(*wanted: ToolCall) -> ModelAnswer:
    """An answer that calls tools."""
    return ModelAnswer(calls=wanted, stop="calls")


def said(text: str) -> ModelAnswer:
    """An answer in words."""
    return ModelAnswer(text=text)


def a_message(text: str = "Please refund order 1042.", **changes: object) -> MessageReceived:
    """Ada writes."""
    values = {"at": AT, "delivery_id": "dlv_1", "sender": ADA, "text": text, **changes}
    return MessageReceived.model_validate(values)


def a_thread(*events: object) -> ThreadState:
    """The state after these events."""
    empty = ThreadState("thr_1", PLACE, "support")
    return fold(empty, [Entry(place, event) for place, event in enumerate(events, start=1)])  # type: ignore[arg-type]  # any event
