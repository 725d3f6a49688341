"""An approver asks the agent something on the card: it answers, and the call keeps waiting."""

import asyncio

import pytest

from agent.asking import NO_ANSWER
from agent.context import STILL_WAITING
from agent.errors import AlreadySettled, ModelUnavailable, Refused
from agent.events import ApprovalRemarked, RemarkAnswered
from agent.ports import ResultTurn, UserTurn
from approvals.attempt import MAX_REMARK
from approvals.decision import Approve
from tests.builders import ADA, said
from tests.council import Council, a_pay, person, who, whom

FINANCE = [person("fay", "finance"), person("gus", "finance"), person("ada", "support")]


def council() -> Council:
    return Council(list(FINANCE), whom(roles=["finance"]))


async def remarks(it: Council, asked: str) -> list[tuple[str, str, str]]:
    view = await it.gate.view(asked)
    assert view
    return [(each.name, each.question, each.answer) for each in view.card.remarks]


async def test_it_is_answered_once_in_words_and_the_call_waits() -> None:
    it = council()
    asked = await it.ask()
    it.model.steps.append(said("Because it arrived broken."))
    await it.gate.remark(asked, "  Why?  ", who("fay"), "api")
    await it.works()
    await it.works()

    assert await remarks(it, asked) == [("Fay", "Why?", "Because it arrived broken.")]
    request = it.model.requests[-1]
    assert request.may_call is False
    assert isinstance(request.turns[-1], UserTurn)
    assert "Why?" in request.turns[-1].text
    assert (len(it.model.requests), it.paid, await it.outcome(asked)) == (2, [], "")
    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_several_are_answered_each_in_turn() -> None:
    it = council()
    first, second = await it.asks(a_pay("1"), a_pay("2"))
    it.model.steps += [said("One."), said("Two."), said("Three.")]
    await it.gate.remark(first, "First?", who("fay"), "api")
    await it.gate.remark(first, "Second?", who("gus"), "api")
    await it.gate.remark(second, "Third?", who("gus"), "api")
    await it.works()

    assert await remarks(it, first) == [("Fay", "First?", "One."), ("Gus", "Second?", "Two.")]
    assert await remarks(it, second) == [("Gus", "Third?", "Three.")]


async def test_what_is_approved_and_waits_for_the_rest_of_its_plan_is_said_to_wait() -> None:
    it = council()
    first, second = await it.asks(a_pay("1"), a_pay("2"))
    await it.approves("fay", first)
    it.model.steps.append(said("Because."))
    await it.gate.remark(second, "Why?", who("fay"), "api")
    await it.works()

    results = [turn.text for turn in it.model.requests[-1].turns if isinstance(turn, ResultTurn)]
    assert results == [STILL_WAITING, STILL_WAITING]


async def test_when_the_model_is_down_that_is_said_and_not_tried_for_ever() -> None:
    it = council()
    asked = await it.ask()
    it.model.steps.append(ModelUnavailable("503"))
    await it.gate.remark(asked, "Why?", who("fay"), "api")
    await it.works()

    assert await remarks(it, asked) == [("Fay", "Why?", NO_ANSWER)]
    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_an_empty_answer_is_said_to_be_none() -> None:
    it = council()
    asked = await it.ask()
    it.model.steps.append(said("  "))
    await it.gate.remark(asked, "Why?", who("fay"), "api")
    await it.works()

    assert await remarks(it, asked) == [("Fay", "Why?", NO_ANSWER)]


@pytest.mark.parametrize("how", ["approve", "cancel"])
async def test_what_is_decided_or_stopped_meanwhile_does_not_wait_for_the_answer(how: str) -> None:
    it = council()
    asked = await it.ask()
    digest = (await it.request(asked)).digest
    it.model.hold = asyncio.Event()
    await it.gate.remark(asked, "Why?", who("fay"), "api")
    working, nudged = await it.starts()
    while len(it.model.requests) < 2:
        await asyncio.sleep(0)
    if how == "approve":
        await it.gate.decide(asked, Approve(digest), who("gus"), "api")
    else:
        await it.threads.cancel(it.thread_id, ADA, "never mind")
    nudged.set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert "remark_answered" not in await it.kinds()
    it.model.hold.set()
    await asyncio.wait_for(working, 5)
    await it.works()

    assert it.paid == ([("1", 50.0)] if how == "approve" else [])
    assert "remark_answered" not in await it.kinds()


async def test_whoever_may_not_decide_may_not_ask_and_it_is_on_record() -> None:
    it = council()
    asked = await it.ask()

    with pytest.raises(Refused, match="Only these"):
        await it.gate.remark(asked, "Why?", who("ada"), "api")
    assert (await it.kinds())[-1] == "decision_refused"


@pytest.mark.parametrize("text", ["", " \n", "x" * (MAX_REMARK + 1)])
async def test_it_is_asked_in_words_and_not_in_too_many(text: str) -> None:
    it = council()
    asked = await it.ask()

    with pytest.raises(Refused):
        await it.gate.remark(asked, text, who("fay"), "api")
    assert not any(isinstance(each, ApprovalRemarked) for each in await it.events())


async def test_nothing_is_asked_about_what_is_settled() -> None:
    it = council()
    asked = await it.ask()
    await it.rejects("fay", asked)

    with pytest.raises(AlreadySettled, match="Fay was first"):
        await it.gate.remark(asked, "Why?", who("gus"), "api")


async def test_what_is_settled_in_that_very_moment_is_not_asked_about() -> None:
    it = council()
    asked = await it.ask()
    inform = it.threads.inform

    async def slowly(thread_id: str, events: list[object]) -> None:
        it.threads.inform = inform  # type: ignore[method-assign]  # only once
        await it.rejects("gus", asked)
        await inform(thread_id, events)  # type: ignore[arg-type]  # as they came

    it.threads.inform = slowly  # type: ignore[method-assign, assignment]  # somebody else is faster
    with pytest.raises(AlreadySettled, match="Gus was first"):
        await it.gate.remark(asked, "Why?", who("fay"), "api")
    assert not any(isinstance(each, ApprovalRemarked | RemarkAnswered) for each in await it.events())
