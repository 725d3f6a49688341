"""Grants at work: given with an approval, used in place of one, counted as they are used, taken back at once."""

from dataclasses import replace

import pytest

from agent.errors import AlreadySettled, Refused
from agent.events import DecisionRefused, GrantGiven, GrantUsed, ModelResponded, ToolStarted
from approvals.decision import Approve
from tests.builders import AT, DANA, a_call, a_message, said
from tests.fakes import CountingIds, Step
from tests.granted import terms, where
from tests.granting_world import ADA, POLICY, STRANGER, give, place, refund
from tests.world import a_world


async def test_what_was_granted_runs_without_asking_and_the_log_says_under_what(url: str) -> None:
    async with a_world(url, refund(), said("Done."), refund(), said("Again."), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        grant = (await give(world, thread_id, terms())).grant
        await world.until(thread_id, "reply_sent")
        await world.say("And again", "k2")
        await world.until(thread_id, "reply_sent", 2)
        events = await world.events(thread_id)
        kinds = [event.kind for event in events]
        assert kinds.count("approval_requested") == 1
        assert kinds.index("grant_given") + 1 == kinds.index("approval_decided")
        (use,) = [event for event in events if isinstance(event, GrantUsed)]
        assert (use.grant_id, use.rule, use.given_by) == (grant.id, "refunds", "dana")
        started = [event for event in events if isinstance(event, ToolStarted)]
        assert [event.rule for event in started][1] == f"grant {grant.id}"
        assert use.digest == started[1].digest
        assert [amount for _, amount, _ in world.ledger.refunds] == [40.0, 40.0]
        assert [each.used for each in await world.index.grants()] == [1]


async def test_the_approved_call_itself_is_no_use_of_the_grant(url: str) -> None:
    async with a_world(url, refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        assert (await give(world, thread_id, terms(uses=1))).used == 0


@pytest.mark.parametrize("step", [refund("1043"), refund(amount=41)], ids=["another order", "a larger amount"])
async def test_wider_arguments_are_asked_about(url: str, step: Step) -> None:
    async with a_world(url, refund(), said("Done."), step, policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        await give(world, thread_id, terms())
        await world.say("And this", "k2")
        await world.until(thread_id, "approval_requested", 2)
        assert len(world.ledger.refunds) == 1


async def test_a_condition_lets_what_it_holds_for_run_and_nothing_else(url: str) -> None:
    steps = (refund(), said("1"), refund("7", 50), said("2"), refund("7", 51))
    async with a_world(url, *steps, policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        await give(world, thread_id, where("args.amount <= 50"))
        await world.say("And 7", "k2")
        await world.until(thread_id, "reply_sent", 2)
        await world.say("And 7 with more", "k3")
        await world.until(thread_id, "approval_requested", 2)
        assert [amount for _, amount, _ in world.ledger.refunds] == [40.0, 50.0]


async def test_another_thread_and_another_person_are_asked_about(url: str) -> None:
    async with a_world(url, refund(), said("1"), refund(), refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        await give(world, thread_id, terms(scope="thread"))
        await world.until(thread_id, "reply_sent")
        other = await world.say("Refund 1042", "k2", place=place(2))
        await world.approval(other)
    async with a_world(url, refund(), ids=CountingIds(900), policy=POLICY) as world:
        await world.gate.revoke((await world.index.grants())[0].grant.id, DANA, "slack")
        third = await world.say("Refund 1042", "k3", place=place(3))
        asked = await world.approval(third)
        assert asked.requester == ADA


async def test_for_one_person_it_counts_wherever_they_ask_and_for_nobody_else(url: str) -> None:
    async with a_world(url, refund(), said("1"), refund(), said("2"), refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        await give(world, thread_id, terms(scope="requester"))
        await world.until(thread_id, "reply_sent")
        other = await world.say("Refund 1042", "k2", place=place(2))
        await world.until(other, "reply_sent")
        await world.say("Me too", "k3", sender=DANA, place=place(2))
        asked = await world.approval(other)
        assert asked.requester == DANA
        assert len(world.ledger.refunds) == 2


async def test_for_one_person_it_does_not_count_where_another_had_a_part_in_asking(url: str) -> None:
    async with a_world(url, refund(), said("1"), said("2"), refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        await give(world, thread_id, terms(scope="requester"))
        await world.until(thread_id, "reply_sent")
        other = await world.say("When somebody says thanks, refund 1042", "k2", sender=DANA, place=place(2))
        await world.until(other, "reply_sent")
        await world.say("Thanks", "k3", place=place(2))
        assert (await world.approval(other)).requester == ADA
        assert len(world.ledger.refunds) == 1


async def test_it_lasts_for_as_many_uses_as_it_says(url: str) -> None:
    steps = [step for number in range(4) for step in (refund(), said(str(number)))]
    async with a_world(url, *steps, policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        await give(world, thread_id, terms(uses=2))
        for number in (2, 3):
            await world.say("Again", f"k{number}")
            await world.until(thread_id, "reply_sent", number)
        await world.say("Again", "k4")
        await world.until(thread_id, "approval_requested", 2)
        assert len(world.ledger.refunds) == 3
        assert await world.index.grants() == []
        (found,) = await world.index.grants(standing=False)
        assert (found.used, found.is_used_up) == (2, True)


async def test_a_process_killed_between_the_use_and_the_run_neither_loses_nor_repeats_it(url: str) -> None:
    async with a_world(url, refund(), said("1"), policy=POLICY) as world:
        grant = (await give(world, await world.say("Refund 1042"), terms(uses=1))).grant
        refund_tool = world.gate.tools["refund"]
    async with a_world(url, said("2"), ids=CountingIds(900), policy=POLICY) as world:
        wish = a_call("refund", "c9", order_id="1042", amount=40.0)
        asked = ModelResponded(at=AT, seen=1, calls=(wish,))
        use = GrantUsed(
            at=AT, grant_id=grant.id, call_id="c9", tool="refund", digest=refund_tool.digest(wish.arguments),
            rule="refunds", given_by="dana",
        )  # fmt: skip
        thread_id = await world.threads.take_in(
            place(2), a_message("Again"), keys=["k2"], new_id="thr_killed", agent="support"
        )
        assert thread_id
        await world.threads.inform(thread_id, [asked, use])
        await world.until(thread_id, "reply_sent")
        assert len(world.ledger.refunds) == 1
        kinds = await world.kinds(thread_id)
        assert (kinds.count("grant_used"), kinds.count("tool_started"), kinds.count("approval_requested")) == (1, 1, 0)
        (found,) = await world.index.grants(standing=False)
        assert found.used == 1


async def test_it_is_taken_back_at_once_and_nobody_else_may(url: str) -> None:
    async with a_world(url, refund(), said("1"), refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        grant = (await give(world, thread_id, terms())).grant
        for who, words in ((ADA, "Only these may decide this: role lead"), (STRANGER, "not in this deployment's list")):
            with pytest.raises(Refused, match=words):
                await world.gate.revoke(grant.id, who, "slack")
        with pytest.raises(Refused, match="There is no such grant"):
            await world.gate.revoke("grt_none", DANA, "slack")
        found = await world.gate.revoke(grant.id, DANA, "slack", reason=" too wide ")
        assert found.revoked
        assert (found.revoked.reason, found.revoked.by.person) == ("too wide", "dana")
        with pytest.raises(AlreadySettled, match="taken back already"):
            await world.gate.revoke(grant.id, DANA, "slack")
        assert await world.index.grants() == []
        tried = [event for event in await world.events(thread_id) if isinstance(event, DecisionRefused)]
        assert [(event.attempt, event.by.person) for event in tried] == [("revoke", "ada"), ("revoke", "")]
        await world.say("Again", "k2")
        await world.until(thread_id, "approval_requested", 2)


async def test_one_that_is_taken_back_between_look_and_use_is_not_used(url: str) -> None:
    async with a_world(url, refund(), said("1"), refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        grant = (await give(world, thread_id, terms())).grant
        await world.until(thread_id, "reply_sent")
        use = GrantUsed(at=AT, grant_id=grant.id, call_id="c", tool="refund", digest="d", rule="r", given_by="dana")
        await world.gate.revoke(grant.id, DANA, "slack")
        before = len(await world.events(thread_id))
        with pytest.raises(Exception, match="grown since"):
            await world.threads.inform(thread_id, [use])
        assert len(await world.events(thread_id)) == before


async def test_where_the_policy_does_not_let_it_be_given_nothing_is_decided(url: str) -> None:
    async with a_world(url, refund()) as world:
        thread_id = await world.say("Refund 1042")
        asked = await world.approval(thread_id)
        wish = Approve(asked.digest, grant=terms())
        with pytest.raises(Refused, match="wants to be asked about this each time"):
            await world.gate.decide(asked.approval_id, wish, DANA, "slack")
        events = await world.events(thread_id)
        assert [event.attempt for event in events if isinstance(event, DecisionRefused)] == ["grant"]
        assert not any(isinstance(event, GrantGiven) for event in events)
        assert await world.index.listed() == [asked.approval_id]


async def test_the_words_before_are_those_of_what_is_given(url: str) -> None:
    async with a_world(url, refund(), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        asked = await world.approval(thread_id)
        wish = Approve(asked.digest, grant=where("args.amount <= 50", scope="requester", uses=3))
        words = await world.gate.grant_words(asked.approval_id, wish)
        assert words.startswith("refund where args.amount <= 50; only when Ada asks; until 2026-11-26 09:00:00 UTC")
        await world.gate.decide(asked.approval_id, wish, DANA, "slack")
        (found,) = await world.index.grants()
        assert world.gate.granting.words(found.grant) == words
        assert await world.gate.grant_words(asked.approval_id, replace(wish, grant=None)) == ""


async def test_changed_arguments_are_what_is_granted(url: str) -> None:
    async with a_world(url, refund(), said("1"), refund(amount=20.0), said("2"), policy=POLICY) as world:
        thread_id = await world.say("Refund 1042")
        asked = await world.approval(thread_id)
        wish = Approve(asked.digest, {"order_id": "1042", "amount": 20.0}, terms())
        await world.gate.decide(asked.approval_id, wish, DANA, "slack")
        await world.until(thread_id, "reply_sent")
        await world.say("Again", "k2")
        await world.until(thread_id, "reply_sent", 2)
        assert [amount for _, amount, _ in world.ledger.refunds] == [20.0, 20.0]
