"""The loop on a real store, in the embedded engine, with a scripted model."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.conversation import Identity
from agent.errors import AlreadySettled, ChannelDown, ModelUnavailable, Refused
from agent.events import ApprovalRequested, Event, PromptStamp
from agent.loop import Agent, Loop
from agent.ports import ModelAnswer
from approvals.decision import Approve, Reject
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.policy import Policy, PolicyFile
from bot.inbox import Delivery, Inbox
from bot.worker import Engine
from store import schema
from store.approvals import ApprovalIndex
from store.database import Database
from store.threads import Threads
from tests.builders import ADA, DANA, PLACE, Ledger, a_call, calls, rules, said
from tests.fakes import CountingIds, FakeClock, RecordingOutbox, ScriptedModel


class PlainPrompt:
    def render(self, variables: object) -> tuple[str, PromptStamp]:
        return "You help.", PromptStamp(name="plain", version="1.0.0", digest="0" * 64)


POLICY = Policy(
    PolicyFile.model_validate(
        {
            "rules": [
                {"name": "reads", "effect": "read", "outcome": "allow"},
                {"name": "writes", "tools": ["refund"], "outcome": "ask", "approvers": {"roles": ["lead"]}},
            ]
        }
    )
)
PEOPLE = Directory(
    [
        Person(id="ada", name="Ada", slack={"T0": "U0ADA"}),
        Person(id="dana", name="Dana", slack={"T0": "U0DANA"}, roles=("lead",)),
    ]
)


@dataclass
class World:
    """One process, with all that it is made of."""

    database: Database
    threads: Threads
    index: ApprovalIndex
    gate: Gate
    inbox: Inbox
    engine: Engine
    model: ScriptedModel
    outbox: RecordingOutbox
    ledger: Ledger
    clock: FakeClock

    async def say(self, text: str, key: str = "k1", sender: Identity = ADA) -> str:
        thread_id = await self.inbox.deliver(Delivery(PLACE, (key,), sender, text))
        assert thread_id
        return thread_id

    async def events(self, thread_id: str) -> list[Event]:
        return [entry.event for entry in await self.threads.entries(thread_id)]

    async def kinds(self, thread_id: str) -> list[str]:
        return [event.kind for event in await self.events(thread_id)]

    async def until(self, thread_id: str, kind: str, count: int = 1) -> None:
        async with asyncio.timeout(5):
            while (await self.kinds(thread_id)).count(kind) < count or self.engine._running:
                await asyncio.sleep(0.01)

    async def approval(self, thread_id: str) -> ApprovalRequested:
        await self.until(thread_id, "approval_requested")
        return [e for e in await self.events(thread_id) if isinstance(e, ApprovalRequested)][-1]


@asynccontextmanager
async def a_world(path: Path, *steps: object, **parts: object) -> AsyncIterator[World]:
    database = Database(f"sqlite+aiosqlite:///{path}")
    clock, ids = parts.get("clock") or FakeClock(), parts.get("ids") or CountingIds()
    ledger, outbox, model = parts.get("ledger") or Ledger(), RecordingOutbox(), ScriptedModel(list(steps))  # type: ignore[arg-type]
    await schema.require(database)
    threads, index = Threads(database, clock), ApprovalIndex(database, clock)
    gate = Gate(index, threads, POLICY, PEOPLE, ledger.tools(), clock, ids, timeout=3600, channels=("slack",))
    loop = Loop({"support": Agent("support", "m", PlainPrompt(), rules(ledger))}, model, gate, outbox, clock, ids)
    engine = Engine(threads, loop)
    threads.wake = engine.wake
    running = asyncio.create_task(engine.run())
    inbox = Inbox(threads, clock, ids, "support")
    try:
        yield World(database, threads, index, gate, inbox, engine, model, outbox, ledger, clock)
    finally:
        await engine.stop(1)
        await running
        await database.aclose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


REFUND = calls(a_call("refund", order_id="1042", amount=40.0))


async def test_a_question_is_answered_in_the_thread(path: Path) -> None:
    async with a_world(path, calls(a_call("look_up", order_id="1042")), said("It was delivered.")) as world:
        thread = await world.say("Where is 1042?")
        await world.until(thread, "reply_sent")
        assert world.outbox.texts == ["It was delivered."]
        assert world.ledger.looked_up == ["1042"]
        assert await world.kinds(thread) == [
            "message_received",
            "model_responded",
            "tool_returned",
            "model_responded",
            "reply_sent",
        ]


async def test_a_gated_call_waits_and_runs_after_the_click(path: Path) -> None:
    async with a_world(path, REFUND, said("Refunded.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        assert world.ledger.refunds == []
        assert asked.preview == "40.00 EUR for 1042"
        card = await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        assert (card.status, card.decided_by) == ("approved", "Dana")
        await world.until(thread, "reply_sent")
        assert [each[:2] for each in world.ledger.refunds] == [("1042", 40.0)]
        facts = await world.index.facts(asked.approval_id)
        assert facts
        assert world.gate.card(facts).outcome == "done"


async def test_a_rejected_call_never_runs_and_the_model_reads_the_reason(path: Path) -> None:
    async with a_world(path, REFUND, said("Understood.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        await world.gate.decide(asked.approval_id, Reject("too late"), DANA, "slack")
        await world.until(thread, "reply_sent")
        assert world.ledger.refunds == []
        assert "too late" in world.model.requests[-1].turns[-1].text


async def test_edited_arguments_are_what_runs(path: Path) -> None:
    async with a_world(path, REFUND, said("Refunded 20.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        edited = Approve(asked.digest, {"order_id": "1042", "amount": 20.0})
        await world.gate.decide(asked.approval_id, edited, DANA, "web")
        await world.until(thread, "reply_sent")
        assert [each[:2] for each in world.ledger.refunds] == [("1042", 20.0)]
        assert '"amount": 20.0' in world.model.requests[-1].turns[-1].text


async def test_two_clicks_settle_once(path: Path) -> None:
    async with a_world(path, REFUND, said("Refunded.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        clicks = [world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack") for _ in range(5)]
        results = await asyncio.gather(*clicks, return_exceptions=True)
        assert sum(isinstance(each, AlreadySettled) for each in results) == 4
        await world.until(thread, "reply_sent")
        assert len(world.ledger.refunds) == 1


async def test_somebody_not_entitled_is_refused(path: Path) -> None:
    async with a_world(path, REFUND) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        stranger = Identity(channel="slack", id="U0DANA", team="T9")
        for who in (ADA, stranger):
            with pytest.raises(Refused):
                await world.gate.decide(asked.approval_id, Approve(asked.digest), who, "slack")
        assert world.ledger.refunds == []


async def test_an_expired_approval_is_not_a_refusal(path: Path) -> None:
    async with a_world(path, REFUND, said("Nobody decided.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        world.clock.move(3601)
        await world.until(thread, "reply_sent")
        assert "not a refusal" in world.model.requests[-1].turns[-1].text
        with pytest.raises(AlreadySettled):
            await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        assert world.ledger.refunds == []


async def test_the_same_delivery_twice_is_one_message(path: Path) -> None:
    async with a_world(path, said("Hello.")) as world:
        thread = await world.say("Hi", key="Ev1")
        assert await world.inbox.deliver(Delivery(PLACE, ("Ev1", "other"), ADA, "Hi")) is None
        assert await world.inbox.deliver(Delivery(PLACE, ("new", "Ev1"), ADA, "Hi")) is None
        await world.until(thread, "reply_sent")
        assert (await world.kinds(thread)).count("message_received") == 1


async def test_a_model_that_is_down_is_tried_again_and_a_person_is_told(path: Path) -> None:
    down = [ModelUnavailable("503") for _ in range(4)]
    async with a_world(path, *down, said("Back again.")) as world:
        thread = await world.say("Hi")
        for count, delay in enumerate((5, 30, 120), start=1):
            await world.until(thread, "model_failed", count)
            world.clock.move(delay)
        await world.until(thread, "reply_sent")
        assert "could not reach" in world.outbox.texts[0]
        await world.say("Still there?", key="k2")
        await world.until(thread, "reply_sent", 2)
        assert [turn.text for turn in world.model.requests[-1].turns if "Hi" in turn.text]


async def test_a_reply_that_may_have_arrived_is_looked_for(path: Path) -> None:
    async with a_world(path, said("Hello.")) as world:
        world.outbox.failures = [ChannelDown("502")]
        thread = await world.say("Hi")
        async with asyncio.timeout(5):
            while world.outbox.failures or world.engine._running:
                await asyncio.sleep(0.01)
        assert world.outbox.texts == []
        world.clock.move(2)
        await world.until(thread, "reply_sent")
        assert world.outbox.sent[0].fresh is False
        assert len(world.model.requests) == 1


async def test_errors_in_a_row_end_with_a_person_being_asked(path: Path) -> None:
    broken = [calls(a_call("broken")), calls(a_call("nonsense")), calls(a_call("look_up", wrong=1))]
    async with a_world(path, *broken) as world:
        thread = await world.say("Do it")
        asked = await world.approval(thread)
        assert asked.about == "trouble"
        assert asked.choices == ("Try again", "Stop")
        assert "errors in a row" in asked.title


async def test_a_question_of_the_agents_is_answered_by_the_next_message(path: Path) -> None:
    steps = (calls(a_call("ask_human", question="Which order?")), said("Thanks."))
    async with a_world(path, *steps) as world:
        thread = await world.say("Refund it")
        await world.approval(thread)
        await world.say("1042", key="k2")
        await world.until(thread, "reply_sent")
        turns = world.model.requests[-1].turns
        assert turns[-1].text == "Ada answered: 1042"
        assert await world.index.listed() == []


async def test_cancelling_settles_what_is_open(path: Path) -> None:
    async with a_world(path, REFUND, said("Hello again.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        assert await world.inbox.cancel(PLACE, ADA, "never mind")
        await world.until(thread, "thread_cancelled")
        with pytest.raises(AlreadySettled):
            await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        await world.say("Anything else?", key="k2")
        await world.until(thread, "reply_sent")
        assert world.ledger.refunds == []
        assert world.outbox.texts == ["Hello again."]


async def test_cancelling_interrupts_a_model_call(path: Path) -> None:
    async with a_world(path, said("Too late.")) as world:
        world.model.hold = asyncio.Event()
        thread = await world.say("Hi")
        async with asyncio.timeout(5):
            while not world.model.requests:
                await asyncio.sleep(0.01)
        await world.inbox.cancel(PLACE, ADA)
        async with asyncio.timeout(5):
            while world.engine._running:
                await asyncio.sleep(0.01)
        assert await world.kinds(thread) == ["message_received", "thread_cancelled"]


async def test_a_message_during_a_model_call_is_seen_in_the_next(path: Path) -> None:
    async with a_world(path, said("First."), said("Second.")) as world:
        world.model.hold = asyncio.Event()
        thread = await world.say("One")
        async with asyncio.timeout(5):
            while not world.model.requests:
                await asyncio.sleep(0.01)
        await world.say("Two", key="k2")
        world.model.hold.set()
        await world.until(thread, "reply_sent", 2)
        assert world.outbox.texts == ["First.", "Second."]
        assert any("Two" in turn.text for turn in world.model.requests[1].turns)


async def test_parallel_calls_run_together_and_only_the_gated_one_waits(path: Path) -> None:
    both = calls(a_call("look_up", order_id="1"), a_call("refund", order_id="2", amount=1.0))
    async with a_world(path, both, said("Both done.")) as world:
        thread = await world.say("Both")
        asked = await world.approval(thread)
        await world.until(thread, "tool_returned")
        assert world.ledger.looked_up == ["1"]
        await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        await world.until(thread, "reply_sent")
        answer = world.model.requests[-1].turns
        assert [type(turn).__name__ for turn in answer] == ["UserTurn", "ModelTurn", "ResultTurn", "ResultTurn"]


async def test_another_process_takes_up_where_one_stopped(path: Path) -> None:
    ledger, ids = Ledger(), CountingIds()
    async with a_world(path, REFUND, ids=ids) as first:
        thread = await first.say("Refund 1042")
        asked = await first.approval(thread)
    async with a_world(path, said("Refunded."), ledger=ledger, ids=ids) as second:
        await second.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        await second.until(thread, "reply_sent")
        assert [each[:2] for each in ledger.refunds] == [("1042", 40.0)]


async def test_finish_closes_and_a_later_message_opens_again(path: Path) -> None:
    steps: list[ModelAnswer] = [calls(a_call("finish", summary="All done.")), said("Open again.")]
    async with a_world(path, *steps) as world:
        thread = await world.say("Do it")
        await world.until(thread, "reply_sent")
        assert world.outbox.texts == ["All done."]
        await world.say("More?", key="k2")
        await world.until(thread, "reply_sent", 2)
        assert world.outbox.texts[-1] == "Open again."
