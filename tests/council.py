"""People around one table: a thread on the memory store, a real gate and loop, a policy that says what it is told."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import JsonValue

from agent.approval import ApprovalRecord
from agent.conversation import Identity, SlackThread
from agent.effects import Ask, Verdict
from agent.events import ApprovalDecided, ApprovalRequested, Event, ToolCall
from agent.loop import Loop
from agent.reducer import Rules
from agent.rounds import Agent
from agent.state import ThreadState
from agent.tool import Tool, ToolContext, catalog, tool
from agent.tools import BUILT_IN
from agent.verdict import Approvers, Surface
from approvals.card import Card
from approvals.decision import Approve, Choice, Reject
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from bot.inbox import Delivery, Inbox
from store.threads import Threads
from tests.builders import calls
from tests.fakes import CountingIds, FakeClock, FakeStanding, RecordingOutbox, ScriptedModel
from tests.memory import MemoryThreads
from tests.memory_approvals import MemoryApprovals
from tests.memory_tables import MemoryDatabase
from tests.world import PlainPrompt

ASKED_BY = Identity(channel="api", id="ada", name="Ada")
PLACE = SlackThread(team="T0", channel="C0", thread_ts="1700000000.000100")
Judge = Callable[[ToolCall, Tool, ThreadState], Verdict]


class Said(Policy):
    """A policy that says what it is told to say."""

    def __init__(self, verdict: Judge) -> None:
        super().__init__(PolicyFile())
        self.verdict = verdict

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """That."""
        return self.verdict(call, tool, state)


def whom(**approvers: object) -> Ask:
    """The policy asks these."""
    return Ask("rule", "why", Approvers.model_validate(approvers))


def person(name: str, *roles: str, **more: object) -> Person:
    """Somebody known to Slack, too."""
    slack = {"T0": f"U0{name.upper()}"}
    return Person.model_validate({"id": name, "name": name.title(), "roles": roles, "slack": slack, **more})


@dataclass
class Council:
    """One deployment, whose people, tools and policy may change at any moment."""

    people: list[Person]
    verdict: Verdict | Judge
    clock: FakeClock = field(default_factory=FakeClock)
    ids: CountingIds = field(default_factory=CountingIds)
    model: ScriptedModel = field(default_factory=ScriptedModel)
    outbox: RecordingOutbox = field(default_factory=RecordingOutbox)
    standing: FakeStanding = field(default_factory=lambda: FakeStanding(team="T0"))
    paid: list[tuple[str, float]] = field(default_factory=list)
    """What was really done, in order."""
    looked_up: list[str] = field(default_factory=list)
    thread_id: str = ""
    preview: str = ""
    messages: int = 0
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Roles by Slack group."""

    def __post_init__(self) -> None:
        """The store, and the tools."""
        database = MemoryDatabase(lambda: int(self.clock.now().timestamp() * 1_000_000))
        self.threads = MemoryThreads(database, self.clock)
        self.index = MemoryApprovals(database, self.clock)
        self.tools: Mapping[str, Tool] = self._tools()
        for each in self.people:
            self.standing.account(f"U0{each.id.upper()}")

    def _tools(self) -> dict[str, Tool]:
        @tool(effect="read")
        async def look_up(order: str) -> str:
            """Look up an order."""
            self.looked_up.append(order)
            return "delivered"

        @tool(needs_approval=True, preview=lambda order, amount: self.preview)
        async def pay(order: str, amount: float, context: ToolContext) -> str:
            """Pay."""
            self.paid.append((order, amount))
            return f"paid by {context.approved_by}"

        return catalog([look_up, pay, *BUILT_IN])

    # --- parts ------------------------------------------------------------------------------------------------------

    def judge(self, call: ToolCall, called: Tool, state: ThreadState) -> Verdict:
        """What the policy says now."""
        return self.verdict(call, called, state) if callable(self.verdict) else self.verdict

    @property
    def gate(self) -> Gate:
        """As it is after a restart: with the people and tools of this moment."""
        rest = (
            self.index,
            self.threads,
            Said(self.judge),
            Directory(self.people, self.groups),
            self.tools,
            self.clock,
            self.ids,
        )
        return Gate(*rest, timeout=3600, channels=("slack",), standing=self.standing)

    def remove(self, name: str) -> None:
        """Somebody leaves."""
        self.people = [each for each in self.people if each.id != name]

    def change(self, name: str, **changes: object) -> None:
        """Something about somebody is no longer the same."""
        self.people = [
            Person.model_validate({**each.model_dump(), **changes}) if each.id == name else each for each in self.people
        ]

    # --- what happens -----------------------------------------------------------------------------------------------

    async def writes(self, sender: Identity = ASKED_BY) -> None:
        """Somebody writes to the agent, and nobody has looked yet."""
        self.messages += 1
        inbox = Inbox(cast("Threads", self.threads), self.clock, self.ids, "support")
        self.thread_id = await inbox.deliver(Delivery(PLACE, (f"k{self.messages}",), sender, "Please pay.")) or ""

    async def asks(self, *wanted: ToolCall) -> list[str]:
        """Ada writes, the model wants these calls, and the loop goes as far as it can; ids of what is open then."""
        self.model.steps.append(calls(*wanted))
        await self.writes()
        await self.works()
        return await self.index.listed(thread_id=self.thread_id)

    async def ask(self, order: str = "1", amount: float = 50.0) -> str:
        """The same with one call to pay; the approval."""
        return (await self.asks(a_pay(order, amount)))[0]

    def _loop(self) -> Loop:
        rules = Rules(self.tools, self.judge)
        return Loop(
            {"support": Agent("support", "m", PlainPrompt(), rules)},
            self.model,
            self.gate,
            self.outbox,
            self.clock,
            self.ids,
        )

    async def works(self) -> None:
        """The loop goes as far as it can."""
        while (held := await self.threads.claim(self.thread_id)) is not None:
            await self._loop().run(held, asyncio.Event(), asyncio.Event())

    async def starts(self) -> tuple[asyncio.Task[None], asyncio.Event]:
        """The loop begins, and is not waited for; what nudges it."""
        held, nudged = await self.threads.claim(self.thread_id), asyncio.Event()
        assert held
        return asyncio.create_task(self._loop().run(held, asyncio.Event(), nudged)), nudged

    async def record(self, approval_id: str) -> ApprovalRecord:
        """What the log says of it."""
        facts = await self.index.facts(approval_id)
        assert facts
        return facts.record

    async def request(self, approval_id: str) -> ApprovalRequested:
        """As it stands."""
        return (await self.record(approval_id)).request

    async def outcome(self, approval_id: str) -> str:
        """How it was decided; empty while it is open."""
        decided = (await self.record(approval_id)).decided
        return decided.decision.outcome if decided else ""

    async def says(self, name: str, choice: Choice, approval_id: str, via: Surface = "api") -> Card:
        """Somebody has their say, and the loop goes on."""
        card = await self.gate.decide(approval_id, choice, who(name, via), via)
        await self.works()
        return card

    async def approves(self, name: str, approval_id: str, via: Surface = "api", **changed: JsonValue) -> Card:
        """Yes to what stands, or to this in its place."""
        request = await self.request(approval_id)
        arguments = {**request.arguments, **changed} if changed else None
        return await self.says(name, Approve(request.digest, arguments), approval_id, via)

    async def rejects(self, name: str, approval_id: str, reason: str = "") -> Card:
        """No."""
        return await self.says(name, Reject(reason), approval_id)

    async def events(self) -> list[Event]:
        """The log."""
        return [entry.event for entry in await self.threads.entries(self.thread_id)]

    async def kinds(self) -> list[str]:
        """What happened."""
        return [event.kind for event in await self.events()]

    async def decisions(self) -> list[ApprovalDecided]:
        """All of them."""
        return [event for event in await self.events() if isinstance(event, ApprovalDecided)]


def who(name: str, via: Surface = "api") -> Identity:
    """As they are known there."""
    if via == "slack":
        return Identity(channel="slack", team="T0", id=f"U0{name.upper()}")
    return (
        Identity(channel="mail", id=f"{name}@acme.example")
        if via in {"mail", "web"}
        else Identity(channel="api", id=name)
    )


def a_pay(order: str = "1", amount: float = 50.0) -> ToolCall:
    """A call to pay."""
    return ToolCall(id=f"p{order}", provider_id=f"p{order}", name="pay", arguments={"order": order, "amount": amount})


def with_parameter(called: Tool) -> Tool:
    """The same tool after a release that gave it one more parameter."""

    @tool(needs_approval=True)
    async def pay(order: str, amount: float, note: str = "") -> str:
        """Pay."""
        return note

    return replace(called, arguments_model=pay.arguments_model)
