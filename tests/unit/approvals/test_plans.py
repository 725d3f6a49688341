"""Several gated calls of one answer are one card: decided all at once, or some, edited, rejected; and one resume."""

import pytest

from agent.errors import AlreadySettled, BadArguments, Refused
from agent.events import ApprovalRequested
from approvals.decision import Answer, Approve, Choice, Reject
from tests.builders import said
from tests.council import who, whom
from tests.plans import chosen, council, no, plan_of, planned, yes


async def test_the_calls_of_one_answer_are_one_card_with_one_place() -> None:
    it = council()
    card = await planned(it)

    assert [each.title for each in card.plan] == ["Pay: 1", "Pay: 2", "Pay: 3"]
    assert [key[0] for key in it.index.database.tables.cards] == [card.approval_id]
    requests = [event for event in await it.events() if isinstance(event, ApprovalRequested)]
    assert [each.plan for each in requests] == ["", card.approval_id, card.approval_id]
    assert len({each.expires_at for each in requests}) == 1


async def test_all_are_approved_at_once_and_run_in_one_go() -> None:
    it = council()
    card = await planned(it)
    it.model.steps.append(said("All paid."))

    after = await chosen(it, "fay", *map(yes, card.plan))
    assert [each.status for each in after.plan] == ["approved"] * 3
    assert sorted(it.paid) == [("1", 50.0), ("2", 50.0), ("3", 50.0)]
    kinds = await it.kinds()
    starts = [place for place, kind in enumerate(kinds) if kind == "tool_started"]
    assert starts == list(range(starts[0], starts[0] + 3))
    assert len(it.model.requests) == 2
    assert it.outbox.texts == ["All paid."]


async def test_what_is_decided_in_part_waits_for_the_rest() -> None:
    it = council()
    card = await planned(it)
    first, second, third = card.plan

    after = await chosen(it, "fay", yes(second), no(third, "not that one"))
    assert [each.status for each in after.plan] == ["open", "approved", "rejected"]
    assert (after.is_pending, it.paid) == (True, [])
    after = await chosen(it, "gus", yes(first))
    assert (after.is_pending, sorted(it.paid)) == (False, [("1", 50.0), ("2", 50.0)])
    turns = str(it.model.requests[-1].turns)
    assert "Rejected by Fay. It did not run. Reason: not that one" in turns


async def test_one_is_edited_one_rejected_one_approved_in_one_transaction() -> None:
    it = council()
    card = await planned(it)
    first, second, third = card.plan
    edited = Approve(second.digest, {"order": "2", "amount": 9.0})
    before = len(await it.events())

    await chosen(it, "fay", yes(first), (second, edited), no(third))
    assert (await it.kinds())[before : before + 3] == ["approval_decided"] * 3
    assert sorted(it.paid) == [("1", 50.0), ("2", 9.0)]


async def test_a_choice_that_is_refused_leaves_all_as_it_was() -> None:
    it = council()
    card = await planned(it)
    first, second, third = card.plan
    wrong: list[tuple[Choice, type[Exception]]] = [
        (Approve("0" * 64), Refused),
        (Approve(third.digest, {"order": "3", "amount": "much"}), BadArguments),
        (Answer(" "), Refused),
    ]
    for choice, error in wrong:
        with pytest.raises(error):
            await chosen(it, "fay", yes(first), no(second), (third, choice))
    assert [each.status for each in (await plan_of(it, card)).plan] == ["open"] * 3
    assert it.paid == []


async def test_what_is_settled_already_is_left_as_it_is_unless_all_is() -> None:
    it = council()
    card = await planned(it, 2)
    await chosen(it, "gus", no(card.plan[0]))

    after = await chosen(it, "fay", *map(yes, card.plan))
    assert [each.status for each in after.plan] == ["rejected", "approved"]
    with pytest.raises(AlreadySettled, match="Gus was first"):
        await chosen(it, "fay", *map(yes, card.plan))
    assert it.paid == [("2", 50.0)]


async def test_what_does_not_belong_together_is_not_decided_together() -> None:
    it = council()
    card = await planned(it, 1)

    with pytest.raises(Refused, match="no such approval"):
        await it.gate.decide_plan({card.approval_id: Reject(), "apr_9": Reject()}, who("fay"), "api")
    assert await it.outcome(card.approval_id) == ""


async def test_a_call_of_a_plan_shows_itself_and_a_decision_on_it_shows_the_plan() -> None:
    it = council()
    card = await planned(it, 2)
    view = await it.gate.view(card.plan[1].approval_id)
    assert view
    assert (view.card.title, view.card.mates, view.arguments) == ("Pay: 2", (), {"order": "2", "amount": 50.0})

    after = await it.says("fay", Approve(view.card.digest), view.card.approval_id)
    assert after.approval_id == card.approval_id
    assert [each.status for each in after.plan] == ["open", "approved"]


async def test_several_votes_on_a_plan_and_who_said_yes_to_some_may_say_yes_to_all() -> None:
    it = council(whom(roles=["finance"], count=2))
    card = await planned(it, 2)
    await chosen(it, "fay", yes(card.plan[0]))

    await chosen(it, "fay", *map(yes, card.plan))
    with pytest.raises(Refused, match="counts already"):
        await chosen(it, "fay", *map(yes, card.plan))
    assert it.paid == []
    await chosen(it, "gus", *map(yes, card.plan))
    assert sorted(it.paid) == [("1", 50.0), ("2", 50.0)]


async def test_a_say_on_a_plan_looks_up_each_account_and_each_group_once() -> None:
    """Slack answers so often a minute, and a click in three seconds or not at all."""
    it = council(whom(roles=["treasury"], count=3))
    it.groups = {"treasury": {"T0": "S1"}}
    it.standing.groups["S1"] = ("U0FAY", "U0GUS", "U0CY")
    card = await planned(it)
    assert it.standing.asked == ["S1"]
    for name in ("fay", "gus", "cy"):
        it.standing.asked.clear()
        await it.gate.decide_plan({each.approval_id: yes(each)[1] for each in card.plan}, who(name, "slack"), "slack")

    assert sorted(it.standing.asked) == ["S1", "U0CY", "U0FAY", "U0GUS"]
    await it.works()
    assert len(it.paid) == 3
