"""A tool with an argument of each kind, and a thread in which it is called."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel

from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.entries import Entry
from agent.events import MessageReceived, ModelResponded, ToolCall, Usage
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import tool
from approvals.people import Directory, Person

ADA = Person(id="ada", name="Ada", email=("ada@ours.example",), slack={"T1": "U1"}, roles=("support",))
DIRECTORY = Directory([ADA])
FRIDAY = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
SLACK_ADA = Identity(channel="slack", id="U1", team="T1", name="Somebody Else")
CHANNEL = SlackThread(team="T1", channel="C1", thread_ts="1.0")


class Speed(Enum):
    SLOW = "slow"


class Line(BaseModel):
    sku: str
    count: int = 1


@tool(effect="write")
def pay(  # noqa: PLR0913, PLR0917 - one of each kind
    amount: int,
    to: str = "",
    price: Decimal = Decimal("9.50"),
    speed: Speed = Speed.SLOW,
    lines: tuple[Line, ...] = (),
    on: datetime = FRIDAY,
    note: str | None = None,
) -> str:
    """Pay."""
    return ""


def call(arguments: JsonObject, name: str = "pay") -> ToolCall:
    return ToolCall(id="c1", provider_id="p1", name=name, arguments=arguments)


def thread(
    of: ToolCall,
    sender: Identity = SLACK_ADA,
    place: SlackThread | MailThread | ApiThread = CHANNEL,
    at: datetime = FRIDAY,
    **message: bool,
) -> ThreadState:
    asked = MessageReceived(at=at, delivery_id="d1", sender=sender, text="hi", **message)
    answer = ModelResponded(at=at, seen=1, calls=(of,), stop="calls", usage=Usage(input=1000, output=20))
    empty = ThreadState("thr_1", place, agent="support")
    return fold(empty, [Entry(1, asked), Entry(2, answer)])
