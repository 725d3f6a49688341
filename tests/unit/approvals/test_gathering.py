"""Which calls are gathered on one card, and which have their own."""

from dataclasses import replace

import pytest

from agent.effects import Allow, Ask, Step, Verdict
from tests.builders import a_call
from tests.council import Council, a_pay, whom
from tests.plans import FINANCE, chosen, council, differently, planned, yes


def by_order(**verdicts: Verdict) -> Council:
    return council(lambda call, tool, state: verdicts["o" + str(call.arguments["order"])])


@pytest.mark.parametrize(
    "other",
    [
        whom(roles=["cfo"]),
        whom(roles=["finance"], count=2),
        whom(roles=["finance"], requester=False),
        whom(roles=["finance"], rejections=2),
        differently(timeout=60.0),
        differently(show_on=("direct",)),
        differently(reminders=2),
        differently(on_timeout="reject"),
        differently(escalation=(Step(60.0, roles=("cfo",)),)),
    ],
)
async def test_what_others_decide_or_otherwise_has_its_own_card(other: Ask) -> None:
    it = by_order(o1=FINANCE, o2=other, o3=replace(FINANCE, rule="another rule", why="another reason"))
    ids = await it.asks(a_pay("1"), a_pay("2"), a_pay("3"))
    requests = {each: await it.request(each) for each in ids}

    by_order_of_call = {str(each.arguments["order"]): each for each in requests.values()}
    assert by_order_of_call["3"].plan == by_order_of_call["1"].approval_id
    assert by_order_of_call["2"].plan == ""
    assert by_order_of_call["2"].shown_on
    assert by_order_of_call["3"].why == "another reason"


async def test_each_group_that_fits_together_is_a_plan_of_its_own_and_goes_on_when_it_is_decided() -> None:
    cfo = whom(roles=["cfo"])
    it = by_order(o1=FINANCE, o2=cfo, o3=FINANCE, o4=cfo)
    ids = await it.asks(*(a_pay(str(number)) for number in range(1, 5)))
    cards = [view.card for each in ids if (view := await it.gate.view(each)) and view.card.mates]
    assert sorted([each.title for each in card.plan] for card in cards) == [["Pay: 1", "Pay: 3"], ["Pay: 2", "Pay: 4"]]

    theirs = next(card for card in cards if card.title == "Pay: 2")
    await chosen(it, "cy", *map(yes, theirs.plan))
    assert sorted(it.paid) == [("2", 50.0), ("4", 50.0)]


async def test_one_gated_call_among_free_ones_gates_only_itself() -> None:
    it = council(lambda call, tool, state: Allow("reads") if call.name == "look_up" else FINANCE)
    await it.asks(a_pay("1"), a_call("look_up", order="7"), a_pay("2"))

    assert (it.looked_up, it.paid) == (["7"], [])
    kinds = await it.kinds()
    assert kinds.index("tool_returned") > kinds.index("approval_requested")


async def test_questions_never_join() -> None:
    it = council()
    question = a_call("ask_human", question="Which?", role="finance")
    ids = await it.asks(a_pay("1"), question, a_pay("2"))

    requests = [await it.request(each) for each in ids]
    assert sorted((each.about, bool(each.plan)) for each in requests) == [
        ("call", False),
        ("call", True),
        ("question", False),
    ]


async def test_calls_of_another_answer_have_another_card() -> None:
    it = council()
    card = await planned(it, 2)
    await chosen(it, "fay", *map(yes, card.plan))
    ids = await it.asks(a_pay("8"), a_pay("9"))

    assert (await it.request(ids[0])).plan == ""
    assert (await it.request(ids[1])).plan == ids[0]
