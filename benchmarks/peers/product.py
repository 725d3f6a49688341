"""Twokey beside its peers: the adapter for the side-by-side harness (`common.Adapter`), calling it as its users run it.

A message goes in by the inbox; the engine works on it; the call that needs approval opens one through the gate, with
its card; a click decides through the gate; the reply goes out by the outbox. Nothing is switched off: audit chain,
cards, policy, people, time limits. Only the channel is one that records.

Variants: `responses` (the default API) and `chat`.
"""

import asyncio
import json
import logging
from collections import defaultdict

import structlog

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # as quiet as the peers

import common
from sqlalchemy import text

from agent.conversation import Identity, SlackThread
from agent.errors import AlreadySettled
from agent.events import PromptStamp
from agent.loop import Loop
from agent.model import OpenAIModel
from agent.reducer import Rules
from agent.rounds import Agent
from agent.tool import catalog, tool
from approvals.decision import Approve
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from bot.cards import Cards
from bot.inbox import Delivery, Inbox
from bot.outbox import Outbox
from bot.turns import Bounds
from bot.wiring import RandomIds, SystemClock, engine_for
from bot.worker import Worker
from store import schema
from store.approvals import ApprovalIndex
from store.connect import connect
from store.threads import Threads

DANA = Identity(channel="slack", id="U0DANA", team="T0", name="Dana")
SAM = Identity(channel="slack", id="U0SAM", team="T0", name="Sam")
PEOPLE = Directory([Person(id="dana", name="Dana", slack={"T0": "U0DANA"}, roles=("lead",))])
POLICY = Policy(
    PolicyFile.model_validate(
        {
            "rules": [
                {"name": "reads", "effect": "read", "outcome": "allow"},
                {"name": "refunds", "tools": ["send_refund"], "outcome": "ask", "approvers": {"roles": ["lead"]}},
            ]
        }
    )
)
LEASE = 5.0
"""Seconds; short, so that a killed process is taken over within the harness's patience."""


@tool(effect="read")
async def lookup(order_id: str, n: int) -> str:
    """Look up an order."""
    return common.do_lookup(order_id, n)


@tool(effect="write")
async def send_refund(order_id: str, amount: int) -> str:
    """Send a refund. Needs approval."""
    return common.do_send_refund(order_id, amount)


TOOLS = catalog([lookup, send_refund])


BUTTON = text(
    "SELECT approval.id, about, body FROM thread JOIN approval ON approval.thread_id = thread.id "
    "JOIN event ON event.thread_id = thread.id AND seq = asked_seq "
    "WHERE conversation_key = :key AND approval.status = 'open'"
)
"""What a button carries, and whoever presses it therefore need not look for: the harness names only the thread."""


class SystemPrompt:
    """The scenario's system text."""

    def render(self, variables: object) -> tuple[str, PromptStamp]:
        """It needs no variables."""
        return common.SYSTEM, PromptStamp(name="bench", version="1.0.0", digest="0" * 64)


AT_REST: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
"""By thread; shared by all handles of the process, since any of their engines may take a thread up."""


class RecordingChannel:
    """Takes everything, and tells who waits when a thread comes to rest."""

    sent = 0

    async def send(self, conversation: SlackThread, reply: object) -> tuple[str, ...]:
        """A receipt."""
        self.sent += 1
        return (f"{self.sent}.000",)

    async def show(self, address: SlackThread, card: object, receipt: str, *, fresh: bool) -> str:
        """A receipt."""
        self.sent += 1
        return receipt or f"{self.sent}.000"

    async def show_presence(self, conversation: SlackThread, presence: str) -> None:
        """Working, waiting, idle."""
        if presence != "working":
            AT_REST[conversation.thread_ts].set()


class Peer(common.Adapter):
    """One process's worth of handles."""

    variants = ("responses", "chat")
    stores = ("sqlite", "postgres")

    async def open(self) -> None:
        """As `bot.wiring.build` does, with a channel that records."""
        cfg, clock, ids = self.cfg, SystemClock(), RandomIds()
        is_sqlite = cfg.store == "sqlite"
        url = (
            f"sqlite+aiosqlite:///{cfg.dsn}" if is_sqlite else cfg.dsn.replace("postgresql://", "postgresql+psycopg://")
        )
        self.database = connect(url)
        await schema.migrate(self.database)
        self.threads = Threads(self.database, clock, lease=LEASE)
        self.index = ApprovalIndex(self.database, clock)
        self.channel = RecordingChannel()
        outbox = Outbox({"slack": self.channel})
        self.gate = Gate(
            self.index, self.threads, POLICY, PEOPLE, TOOLS, clock, ids, timeout=86400, channels=("slack",)
        )
        self.model = OpenAIModel(api_key="bench", base_url=cfg.base_url, api=cfg.variant, retries=0)
        rules = Rules(TOOLS, POLICY.judge, max_steps=100_000)
        agent = Agent("bench", common.MODEL, SystemPrompt(), rules)
        loop = Loop({"bench": agent}, self.model, self.gate, outbox, clock, ids)
        self.cards = Cards(self.index, self.gate, outbox)
        room = max(16, cfg.concurrency)
        self.engine = engine_for(Worker(self.threads, loop), self.cards, Bounds(total=room, person=room))
        self.inbox = Inbox(self.threads, clock, ids, "bench")
        self.running = [asyncio.create_task(self.engine.run()), asyncio.create_task(self.cards.run())]

    async def close(self) -> None:
        """In good order."""
        self.cards.stop()
        await self.engine.stop(5)
        await asyncio.gather(*self.running)
        await self.model.aclose()
        await self.database.aclose()

    def _place(self, thread_id: str) -> SlackThread:
        return SlackThread(team="T0", channel="C0", thread_ts=thread_id)

    async def _rest(self, thread_id: str) -> common.Outcome:
        """Wait until the thread rests, and say how."""
        await AT_REST[thread_id].wait()
        del AT_REST[thread_id]
        found = await self.threads.find(self._place(thread_id).key)
        open_ones = await self.index.listed(thread_id=found or "-")
        if not open_ones:
            return common.Outcome("done")
        facts = await self.index.facts(open_ones[0])
        return common.Outcome("in_doubt" if facts and facts.request.about == "in_doubt" else "paused")

    async def start(self, thread_id: str, text: str) -> common.Outcome:
        """Somebody mentions the agent."""
        await self.inbox.deliver(Delivery(self._place(thread_id), (f"bench:{thread_id}",), SAM, text))
        return await self._rest(thread_id)

    async def resume(self, thread_id: str, approved: bool = True) -> common.Outcome:  # noqa: FBT001, FBT002 - theirs
        """Dana presses Approve."""
        button = await self.database.read(
            lambda c: c.execute(BUTTON, {"key": self._place(thread_id).key}).one_or_none()
        )
        if button is None:
            return common.Outcome("noop", "nothing waits")
        if button[1] == "in_doubt":
            return common.Outcome("in_doubt", "a person is asked whether it happened")
        try:
            await self.gate.decide(button[0], Approve(json.loads(button[2])["digest"]), DANA, "slack")
        except AlreadySettled as error:
            return common.Outcome("noop", str(error))
        return await self._rest(thread_id)

    async def recover(self, thread_id: str, text: str) -> common.Outcome:
        """Nothing to call: the engine takes the thread over by itself when its lease has run out."""
        found = await self.threads.find(self._place(thread_id).key)
        for _ in range(200):
            open_ones = await self.index.listed(thread_id=found or "-")
            facts = await self.index.facts(open_ones[0]) if open_ones else None
            if facts is not None:
                return common.Outcome("in_doubt" if facts.request.about == "in_doubt" else "paused")
            entries = await self.threads.entries(found or "-")
            if entries and entries[-1].event.kind == "reply_sent":
                return common.Outcome("done")
            await asyncio.sleep(0.1)
        return common.Outcome("lost", "not taken over in 20 s")
