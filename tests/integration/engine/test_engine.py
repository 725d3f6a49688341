"""A running process: messages, tools, failures, cancellation."""

import asyncio

import pytest

from agent.errors import AlreadySettled, ChannelDown, ModelUnavailable
from agent.ports import ModelAnswer
from approvals.decision import Approve
from bot.inbox import Delivery
from tests.builders import ADA, DANA, PLACE, a_call, calls, said
from tests.world import PATIENCE, a_world

REFUND = calls(a_call("refund", order_id="1042", amount=40.0))


async def test_a_question_is_answered_in_the_thread(url: str) -> None:
    async with a_world(url, calls(a_call("look_up", order_id="1042")), said("It was delivered.")) as world:
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


async def test_the_same_delivery_twice_is_one_message(url: str) -> None:
    async with a_world(url, said("Hello.")) as world:
        thread = await world.say("Hi", key="Ev1")
        assert await world.inbox.deliver(Delivery(PLACE, ("Ev1", "other"), ADA, "Hi")) is None
        assert await world.inbox.deliver(Delivery(PLACE, ("new", "Ev1"), ADA, "Hi")) is None
        await world.until(thread, "reply_sent")
        assert (await world.kinds(thread)).count("message_received") == 1


async def test_a_model_that_is_down_is_tried_again_and_a_person_is_told(url: str) -> None:
    down = [ModelUnavailable("503") for _ in range(4)]
    async with a_world(url, *down, said("Back again.")) as world:
        thread = await world.say("Hi")
        for count, delay in enumerate((5, 30, 120), start=1):
            await world.until(thread, "model_failed", count)
            world.clock.move(delay)
        await world.until(thread, "reply_sent")
        assert "could not reach" in world.outbox.texts[0]
        await world.say("Still there?", key="k2")
        await world.until(thread, "reply_sent", 2)
        assert [turn.text for turn in world.model.requests[-1].turns if "Hi" in turn.text]


async def test_a_reply_that_may_have_arrived_is_looked_for(url: str) -> None:
    async with a_world(url, said("Hello.")) as world:
        world.outbox.failures = [ChannelDown("502")]
        thread = await world.say("Hi")
        async with asyncio.timeout(PATIENCE):
            while world.outbox.failures or world.worker.running:
                await asyncio.sleep(0.01)
        assert world.outbox.texts == []
        world.clock.move(2)
        await world.until(thread, "reply_sent")
        assert world.outbox.sent[0].fresh is False
        assert len(world.model.requests) == 1


async def test_errors_in_a_row_end_with_a_person_being_asked(url: str) -> None:
    broken = [calls(a_call("broken")), calls(a_call("nonsense")), calls(a_call("look_up", wrong=1))]
    async with a_world(url, *broken) as world:
        thread = await world.say("Do it")
        asked = await world.approval(thread)
        assert asked.about == "trouble"
        assert asked.choices == ("Try again", "Stop")
        assert "errors in a row" in asked.title


async def test_cancelling_settles_what_is_open(url: str) -> None:
    async with a_world(url, REFUND, said("Hello again.")) as world:
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


async def test_cancelling_interrupts_a_model_call(url: str) -> None:
    async with a_world(url, said("Too late.")) as world:
        world.model.hold = asyncio.Event()
        thread = await world.say("Hi")
        await world.asked_model()
        await world.inbox.cancel(PLACE, ADA)
        await world.at_rest()
        assert await world.kinds(thread) == ["message_received", "thread_cancelled"]


async def test_a_message_during_a_model_call_is_seen_in_the_next(url: str) -> None:
    async with a_world(url, said("First."), said("Second.")) as world:
        world.model.hold = asyncio.Event()
        thread = await world.say("One")
        await world.asked_model()
        await world.say("Two", key="k2")
        world.model.hold.set()
        await world.until(thread, "reply_sent", 2)
        assert world.outbox.texts == ["First.", "Second."]
        assert any("Two" in turn.text for turn in world.model.requests[1].turns)


async def test_finish_closes_and_a_later_message_opens_again(url: str) -> None:
    steps: list[ModelAnswer] = [calls(a_call("finish", summary="All done.")), said("Open again.")]
    async with a_world(url, *steps) as world:
        thread = await world.say("Do it")
        await world.until(thread, "reply_sent")
        assert world.outbox.texts == ["All done."]
        await world.say("More?", key="k2")
        await world.until(thread, "reply_sent", 2)
        assert world.outbox.texts[-1] == "Open again."
