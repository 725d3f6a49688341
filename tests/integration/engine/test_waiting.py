"""Approvals and questions in a running process: what waits, what goes on, and what never runs."""

import asyncio

import pytest

from agent.conversation import Identity
from agent.errors import AlreadySettled, Refused
from approvals.decision import Approve, Reject
from tests.builders import ADA, DANA, Ledger, a_call, calls, said
from tests.fakes import CountingIds
from tests.world import a_world

REFUND = calls(a_call("refund", order_id="1042", amount=40.0))


async def test_a_gated_call_waits_and_runs_after_the_click(url: str) -> None:
    async with a_world(url, REFUND, said("Refunded.")) as world:
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


async def test_a_rejected_call_never_runs_and_the_model_reads_the_reason(url: str) -> None:
    async with a_world(url, REFUND, said("Understood.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        await world.gate.decide(asked.approval_id, Reject("too late"), DANA, "slack")
        await world.until(thread, "reply_sent")
        assert world.ledger.refunds == []
        assert "too late" in world.model.requests[-1].turns[-1].text


async def test_edited_arguments_are_what_runs(url: str) -> None:
    async with a_world(url, REFUND, said("Refunded 20.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        edited = Approve(asked.digest, {"order_id": "1042", "amount": 20.0})
        await world.gate.decide(asked.approval_id, edited, DANA, "web")
        await world.until(thread, "reply_sent")
        assert [each[:2] for each in world.ledger.refunds] == [("1042", 20.0)]
        assert '"amount": 20.0' in world.model.requests[-1].turns[-1].text


async def test_two_clicks_settle_once(url: str) -> None:
    async with a_world(url, REFUND, said("Refunded.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        clicks = [world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack") for _ in range(5)]
        results = await asyncio.gather(*clicks, return_exceptions=True)
        assert sum(isinstance(each, AlreadySettled) for each in results) == 4
        await world.until(thread, "reply_sent")
        assert len(world.ledger.refunds) == 1


async def test_somebody_not_entitled_is_refused(url: str) -> None:
    async with a_world(url, REFUND) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        stranger = Identity(channel="slack", id="U0DANA", team="T9")
        for who in (ADA, stranger):
            with pytest.raises(Refused):
                await world.gate.decide(asked.approval_id, Approve(asked.digest), who, "slack")
        assert world.ledger.refunds == []


async def test_an_expired_approval_is_not_a_refusal(url: str) -> None:
    async with a_world(url, REFUND, said("Nobody decided.")) as world:
        thread = await world.say("Refund 1042")
        asked = await world.approval(thread)
        world.clock.move(3601)
        await world.until(thread, "reply_sent")
        assert "not a refusal" in world.model.requests[-1].turns[-1].text
        with pytest.raises(AlreadySettled):
            await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        assert world.ledger.refunds == []


async def test_a_question_of_the_agents_is_answered_by_the_next_message(url: str) -> None:
    steps = (calls(a_call("ask_human", question="Which order?")), said("Thanks."))
    async with a_world(url, *steps) as world:
        thread = await world.say("Refund it")
        await world.approval(thread)
        await world.say("1042", key="k2")
        await world.until(thread, "reply_sent")
        turns = world.model.requests[-1].turns
        assert turns[-1].text == "Ada answered: 1042"
        assert await world.index.listed() == []


async def test_parallel_calls_run_together_and_only_the_gated_one_waits(url: str) -> None:
    both = calls(a_call("look_up", order_id="1"), a_call("refund", order_id="2", amount=1.0))
    async with a_world(url, both, said("Both done.")) as world:
        thread = await world.say("Both")
        asked = await world.approval(thread)
        await world.until(thread, "tool_returned")
        assert world.ledger.looked_up == ["1"]
        await world.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        await world.until(thread, "reply_sent")
        answer = world.model.requests[-1].turns
        assert [type(turn).__name__ for turn in answer] == ["UserTurn", "ModelTurn", "ResultTurn", "ResultTurn"]


async def test_another_process_takes_up_where_one_stopped(url: str) -> None:
    ledger, ids = Ledger(), CountingIds()
    async with a_world(url, REFUND, ids=ids) as first:
        thread = await first.say("Refund 1042")
        asked = await first.approval(thread)
    async with a_world(url, said("Refunded."), ledger=ledger, ids=ids) as second:
        await second.gate.decide(asked.approval_id, Approve(asked.digest), DANA, "slack")
        await second.until(thread, "reply_sent")
        assert [each[:2] for each in ledger.refunds] == [("1042", 40.0)]
