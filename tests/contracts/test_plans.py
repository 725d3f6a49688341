"""What any store promises of plans: several approvals whose places are those of the first."""

import pytest

from agent.conversation import SlackUser
from agent.errors import AlreadySettled, Conflict
from agent.events import (
    ApprovalAmended,
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRemarked,
    ApprovalVoted,
    TimerFired,
)
from agent.verdict import Decider, Rejected
from tests.builders import ADA, AT, DANA, LEADS, PLACE
from tests.contracts.steps import asked, claim, length, say
from tests.contracts.stores import Store

DANA_AT = SlackUser(team="T0", user="U0DANA", person="dana")
BY = Decider(person="dana", identity=DANA, via="slack")


async def a_plan(store: Store) -> None:
    """Of three, shown in one place."""
    await say(store)
    part = {"plan": "apr_1", "shown_on": ()}
    rest = [asked(each).model_copy(update=part) for each in ("apr_2", "apr_3")]
    await store.threads.inform("thr_1", [asked(), *rest])


def no(approval_id: str, version: int = 0) -> ApprovalDecided:
    return ApprovalDecided(at=AT, approval_id=approval_id, version=version, decision=Rejected(), by=BY)


async def shown(store: Store) -> None:
    """Bring everything up to date."""
    for approval_id, key in await store.index.due_cards():
        card = await store.index.claim_card(approval_id, key)
        assert card
        await store.index.card_shown(card, card.receipt or "receipt")
    assert await store.index.due_cards() == []


async def test_the_first_has_the_others_as_mates_in_the_order_in_which_they_were_asked(store: Store) -> None:
    await a_plan(store)
    first, second = await store.index.facts("apr_1"), await store.index.facts("apr_2")

    assert first
    assert [each.approval_id for each in first.mates] == ["apr_2", "apr_3"]
    assert second
    assert second.mates == ()
    assert await store.index.due_cards() == [("apr_1", PLACE.key)]


async def test_whatever_happens_to_any_of_it_has_the_card_brought_up_to_date(store: Store) -> None:
    await a_plan(store)
    vote = ApprovalVoted(at=AT, approval_id="apr_2", version=0, vote="approve", digest="d", by=BY)
    remark = ApprovalRemarked(at=AT, approval_id="apr_3", text="Why?", by=BY)
    for event in (vote, remark, no("apr_1"), no("apr_2", 1), no("apr_3")):
        await shown(store)
        await store.threads.inform("thr_1", [event])
        assert await store.index.due_cards() == [("apr_1", PLACE.key)]
    card = await store.index.claim_card("apr_1", PLACE.key)
    assert card
    facts = await store.index.facts("apr_1")
    assert facts
    assert [len(each.record.votes) for each in (facts, *facts.mates)] == [0, 1, 0]
    assert [bool(each.decided) for each in (facts, *facts.mates)] == [True, True, True]
    assert [len(each.record.remarks) for each in facts.mates] == [0, 1]


async def test_whoever_is_asked_more_about_one_of_it_is_shown_the_card(store: Store) -> None:
    await a_plan(store)
    await shown(store)
    also = {"approvers": LEADS, "shown_on": (DANA_AT, PLACE)}
    await store.threads.inform("thr_1", [ApprovalEscalated(at=AT, approval_id="apr_2", step=1, **also)])
    assert sorted(await store.index.due_cards()) == sorted([("apr_1", PLACE.key), ("apr_1", DANA_AT.key)])
    await shown(store)
    other = DANA_AT.model_copy(update={"user": "U0LEE", "person": "lee"})
    amended = ApprovalAmended(
        at=AT,
        approval_id="apr_3",
        version=0,
        arguments={},
        digest="d",
        title="t",
        why="w",
        rule="r",
        approvers=LEADS,
        shown_on=(other, DANA_AT),
        by=BY,
    )
    await store.threads.inform("thr_1", [amended])
    assert ("apr_1", other.key) in await store.index.due_cards()
    assert {each for each, _ in await store.index.due_cards()} == {"apr_1"}


async def test_a_reminder_of_any_of_it_is_one_reminder_of_the_card(store: Store) -> None:
    await a_plan(store)
    await shown(store)
    await store.threads.inform("thr_1", [no("apr_1")])
    timers = [TimerFired(at=AT, timer=f"remind:{each}:1") for each in ("apr_2", "apr_3")]
    await store.threads.inform("thr_1", timers)

    assert sorted(await store.index.due_cards()) == [("apr_1", PLACE.key), ("apr_1", f"{PLACE.key} remind:1")]
    reminder = await store.index.claim_card("apr_1", f"{PLACE.key} remind:1")
    assert reminder
    assert (reminder.reminder, reminder.card_receipt) == (1, "receipt")


async def test_decisions_on_several_are_all_taken_or_none(store: Store) -> None:
    await a_plan(store)
    await store.threads.inform("thr_1", [no("apr_2")])
    before = await length(store)

    with pytest.raises(AlreadySettled):
        await store.threads.inform("thr_1", [no("apr_1"), no("apr_2"), no("apr_3")])
    with pytest.raises(Conflict):
        await store.threads.inform("thr_1", [no("apr_1"), no("apr_3", version=7)])
    assert await length(store) == before
    assert sorted(await store.index.listed()) == ["apr_1", "apr_3"]
    await store.threads.inform("thr_1", [no("apr_1"), no("apr_3")])
    assert await store.index.listed() == []


async def test_cancelling_settles_all_of_it(store: Store) -> None:
    await a_plan(store)
    await store.threads.cancel("thr_1", ADA, "never mind")

    facts = await store.index.facts("apr_1")
    assert facts
    assert [each.decided and each.decided.decision.outcome for each in (facts, *facts.mates)] == ["cancelled"] * 3


async def test_nothing_is_asked_about_what_is_settled(store: Store) -> None:
    await a_plan(store)
    await store.threads.inform("thr_1", [no("apr_2")])
    held = await claim(store)

    with pytest.raises(AlreadySettled):
        await store.threads.inform("thr_1", [ApprovalRemarked(at=AT, approval_id="apr_2", text="Why?", by=BY)])
    await held.release([], await length(store), None)
