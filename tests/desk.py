"""A deployment with approvals in it, on a real store: what the tests of the page and of REST decide on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from agent.conversation import ApiThread, Identity, JsonObject
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    MessageReceived,
    ModelResponded,
    ReplySent,
    ToolCall,
    ToolReturned,
)
from agent.thread import IT_HAPPENED, RUN_AGAIN, STOP
from agent.tool import catalog, tool
from agent.verdict import ApprovalKind, Approvers, Decision
from approvals.gate import Gate
from approvals.people import Directory, Person, token_digest
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from approvals.token import link_token
from bot.inbox import Inbox
from store.approvals import ApprovalFacts, ApprovalIndex
from store.connect import connect
from store.database import Database
from store.threads import Threads
from tests.fakes import CountingIds, FakeClock
from tests.migrated import sqlite_at

SECRETS = ("a secret of forty characters for the tests",)


class Currency(Enum):
    """What a refund is counted in."""

    EUR = "EUR"
    USD = "USD"


@tool(needs_approval=True)
def refund(  # noqa: PLR0913, PLR0917 - one parameter for each kind of field
    order_id: str,
    amount: Annotated[float, Field(gt=0, le=500)],
    currency: Currency = Currency.EUR,
    notify: bool = True,
    copies: int = 1,
    note: str | None = None,
    tags: list[str] = [],  # noqa: B006 - becomes a schema
) -> str:
    """Send money back.

    Args:
        order_id: The number of the order.
        amount: How much, at most 500.
    """
    return f"{order_id} {amount} {currency} {notify} {copies} {note} {tags}"


POLICY = PolicyFile.model_validate(
    {"rules": [{"name": "refunds", "tools": ["refund"], "outcome": "ask", "approvers": {"roles": ["finance"]}}]}
)
PEOPLE = (
    Person(
        id="ada",
        email=("ada@acme.example",),
        name="Ada Okafor",
        roles=("support",),
        api_tokens=(token_digest("token-of-ada"),),
    ),
    Person(
        id="lee",
        email=("lee@acme.example",),
        name="Lee Chen",
        roles=("finance",),
        api_tokens=(token_digest("token-of-lee"),),
    ),
    Person(
        id="mia",
        email=("mia@acme.example",),
        name="Mia Novak",
        roles=("finance",),
        api_tokens=(token_digest("token-of-mia"),),
    ),
    Person(id="crm", name="The CRM", roles=("finance",), service=True, api_tokens=(token_digest("token-of-crm"),)),
)
ADA = Identity(channel="api", id="ada", name="Ada Okafor")
LEE = Identity(channel="api", id="lee", name="Lee Chen")
MIA = Identity(channel="api", id="mia", name="Mia Novak")
ARGUMENTS: JsonObject = {"order_id": "1042", "amount": 40.0}


@dataclass
class Desk:
    """The parts, and what puts approvals into them."""

    database: Database
    threads: Threads
    index: ApprovalIndex
    gate: Gate
    inbox: Inbox
    clock: FakeClock
    ids: CountingIds

    async def ask(self, about: ApprovalKind = "call", arguments: JsonObject = ARGUMENTS, **changes: object) -> str:
        """A new thread in which an approval is open; its id."""
        thread_id, now = self.ids.new("thr"), self.clock.now()
        message = MessageReceived(at=now, delivery_id=self.ids.new("dlv"), sender=ADA, text="Refund order 1042")
        await self.threads.take_in(ApiThread(ref=thread_id), message, keys=[thread_id], new_id=thread_id)
        call = ToolCall(id="c1", provider_id="p1", name="refund", arguments=arguments)
        request = self.request(about, arguments, **changes)
        await self.threads.inform(
            thread_id, [ModelResponded(at=now, seen=1, calls=(call,) if request.call_id else ()), request]
        )
        return request.approval_id

    async def plan(self, *more: JsonObject) -> list[str]:
        """Several calls of one answer on one card; their ids, the card's first."""
        first = await self.ask()
        mates = [
            self.request("call", arguments, plan=first, call_id=f"c{number}")
            for number, arguments in enumerate(more, start=2)
        ]
        await self.threads.inform((await self.facts(first)).thread_id, mates)
        return [first, *(each.approval_id for each in mates)]

    def request(self, about: ApprovalKind, arguments: JsonObject, **changes: object) -> ApprovalRequested:
        """What people are asked."""
        is_call, now = about in {"call", "in_doubt"}, self.clock.now()
        values: dict[str, object] = {
            "title": {"call": "Refund", "in_doubt": "Refund: did it happen?"}.get(about, "Which warehouse?"),
            "call_id": "c1" if is_call else "",
            "tool": "refund" if is_call else "",
            "arguments": arguments if is_call else {},
            "digest": refund.digest(arguments) if is_call else "",
            "choices": (IT_HAPPENED, RUN_AGAIN, STOP) if about == "in_doubt" else (),
            "approvers": Approvers(roles=("finance",)),
            "expires_at": now + timedelta(days=1),
            "why": "A refund sends money out and cannot be taken back.",
            "rule": "refunds",
            "requester": ADA,
        }
        new_id = self.ids.new("apr")
        return ApprovalRequested(at=now, approval_id=new_id, about=about, **{**values, **changes})

    def link(self, approval_id: str, person: str = "lee", seconds: float = 86_400) -> str:
        """The end of the address that this person was mailed."""
        return link_token(approval_id, person, SECRETS, self.clock.now() + timedelta(seconds=seconds))

    async def facts(self, approval_id: str) -> ApprovalFacts:
        """What the log says of it."""
        found = await self.index.facts(approval_id)
        assert found is not None
        return found

    async def outcome(self, approval_id: str) -> str:
        """How it was decided; empty while it is open."""
        decided = (await self.facts(approval_id)).decided
        return decided.decision.outcome if decided else ""

    async def decide(self, approval_id: str, decision: Decision, **changes: object) -> None:
        """Have it decided by something else than what is tested."""
        event = ApprovalDecided(at=self.clock.now(), approval_id=approval_id, decision=decision, **changes)
        await self.threads.inform((await self.facts(approval_id)).thread_id, [event])

    async def finish(self, thread_id: str, said: str) -> None:
        """As if the loop had gone round: the call came back, and the agent answered."""
        now, length = self.clock.now(), len(await self.threads.entries(thread_id))
        events: list[Event] = [
            ToolReturned(at=now, call_id="c1", result="ok"),
            ModelResponded(at=now, seen=length, text=said),
            ReplySent(at=now, reply_id=f"r{length + 2}", receipts=()),
        ]
        await self.threads.inform(thread_id, events)


@asynccontextmanager
async def desk_at(folder: Path, *, is_down: bool = False) -> AsyncIterator[Desk]:
    """A desk whose store is a file in that folder, new if there is none; or is not reached: that folder itself is no
    file."""
    clock, ids, file = FakeClock(), CountingIds(), folder / "desk.db"
    found = folder if is_down else file
    database = connect(f"sqlite+aiosqlite:///{found}" if found.exists() else sqlite_at(file))
    threads, index = Threads(database, clock), ApprovalIndex(database, clock)
    gate = Gate(
        index,
        threads,
        Policy(POLICY),
        Directory(PEOPLE),
        catalog([refund]),
        clock,
        ids,
        timeout=86_400,
    )
    try:
        yield Desk(database, threads, index, gate, Inbox(threads, clock, ids, "support"), clock, ids)
    finally:
        await database.aclose()
