"""Changed arguments: another call, which is judged, and asked about, again."""

from dataclasses import replace

import pytest

from agent.effects import Allow, Ask, Deny, Step, Verdict
from agent.errors import BadArguments, Refused
from agent.events import ApprovalAmended, ApprovalDecided, ToolCall, ToolStarted
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approved
from approvals.decision import Approve
from tests.council import Council, person, who, whom, with_parameter

PEOPLE = [
    person("fay", "finance"),
    person("gus", "finance"),
    person("cy", "cfo"),
    person("max", "manager"),
    person("ada", "support"),
]
FINANCE, TWO, CFO = whom(roles=["finance"]), whom(roles=["finance"], count=2), whom(roles=["cfo"])
CFO_TOO = replace(whom(each=[{"roles": ["finance"]}, {"roles": ["cfo"]}]), rule="high", why="It is a lot.")


def by_amount(low: Verdict, high: Verdict, above: float = 100.0) -> Council:
    """What the policy says of small sums, and of great ones."""

    def judge(call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        amount = call.arguments["amount"]
        assert isinstance(amount, float | int)
        return high if amount > above else low

    return Council(list(PEOPLE), judge)


async def test_a_digest_of_something_else_is_refused() -> None:
    it = by_amount(FINANCE, CFO)
    asked = await it.ask()

    with pytest.raises(Refused, match="no longer what was shown"):
        await it.says("fay", Approve("0" * 64), asked)
    assert await it.outcome(asked) == ""


async def test_a_click_for_the_digest_before_the_change_is_refused() -> None:
    it = by_amount(FINANCE, CFO_TOO)
    asked = await it.ask()
    before = (await it.request(asked)).digest
    await it.approves("fay", asked, amount=500.0)

    with pytest.raises(Refused, match="no longer what was shown"):
        await it.says("cy", Approve(before), asked)
    assert it.paid == []


async def test_the_digest_of_a_tool_that_has_changed_since_is_refused() -> None:
    it = by_amount(FINANCE, CFO)
    asked = await it.ask()
    it.tools = {**it.tools, "pay": with_parameter(it.tools["pay"])}

    with pytest.raises(Refused, match="no longer what was shown"):
        await it.approves("fay", asked)
    assert (await it.rejects("fay", asked)).status == "rejected"
    assert it.paid == []


async def test_a_tool_that_changes_between_the_votes_lets_nobody_finish() -> None:
    it = by_amount(TWO, CFO)
    asked = await it.ask()
    await it.approves("fay", asked)
    it.tools = {**it.tools, "pay": with_parameter(it.tools["pay"])}

    with pytest.raises(Refused, match="no longer what was shown"):
        await it.approves("gus", asked)


async def test_a_tool_that_is_gone_cannot_be_approved() -> None:
    it = by_amount(FINANCE, CFO)
    asked = await it.ask()
    it.tools = {name: each for name, each in it.tools.items() if name != "pay"}

    with pytest.raises(Refused, match="does not exist any more"):
        await it.approves("fay", asked)


async def test_arguments_that_the_tool_does_not_take_change_nothing() -> None:
    it = by_amount(FINANCE, CFO)
    asked = await it.ask()

    with pytest.raises(BadArguments):
        await it.approves("fay", asked, amount="much")
    with pytest.raises(BadArguments, match="tool"):
        await it.approves("fay", asked, tool="look_up")  # what is edited are arguments; the tool is not among them
    assert (await it.request(asked)).tool == "pay"
    assert it.paid == []


async def test_a_change_that_the_policy_denies_is_refused() -> None:
    it = by_amount(FINANCE, Deny("never", "too much"))
    asked = await it.ask()

    with pytest.raises(Refused, match="too much"):
        await it.approves("fay", asked, amount=500.0)
    assert await it.outcome(asked) == ""


async def test_a_change_that_they_may_decide_alone_runs_at_once() -> None:
    for low in (FINANCE, Allow("small")):
        it = by_amount(low, FINANCE, above=30.0)
        asked = await it.ask(amount=50.0)

        await it.approves("fay", asked, amount=20.0)
        assert it.paid == [("1", 20.0)]
        (decided,) = await it.decisions()
        assert decided.decision == Approved(
            digest=it.tools["pay"].digest({"order": "1", "amount": 20.0}), arguments={"order": "1", "amount": 20.0}
        )


async def test_a_change_that_needs_others_asks_them_and_is_their_first_vote() -> None:
    it = by_amount(FINANCE, CFO_TOO)
    asked = await it.ask()

    card = await it.approves("fay", asked, amount=500.0)
    assert (card.status, card.changed_by, card.why) == ("open", "Fay", "It is a lot.")
    assert [(each.name, each.vote) for each in card.votes] == [("Fay", "approve")]
    assert [(each.name, each.value, each.was) for each in card.arguments][1] == ("amount", "500.0", "50.0")
    assert it.paid == []
    await it.approves("cy", asked)
    assert it.paid == [("1", 500.0)]


async def test_a_change_that_only_others_may_decide_is_nobody_s_vote() -> None:
    it = by_amount(FINANCE, CFO)
    asked = await it.ask()

    assert (await it.approves("fay", asked, amount=500.0)).votes == ()
    with pytest.raises(Refused, match="Only these may decide this: role cfo"):
        await it.approves("fay", asked)
    await it.approves("cy", asked)
    assert it.paid == [("1", 500.0)]


async def test_a_change_by_one_of_several_voids_the_votes_before_it() -> None:
    it = by_amount(TWO, CFO)
    asked = await it.ask()
    await it.approves("fay", asked)

    card = await it.approves("gus", asked, amount=60.0)
    assert [each.name for each in card.votes] == ["Gus"]
    assert it.paid == []
    await it.approves("fay", asked)
    assert it.paid == [("1", 60.0)]


async def test_a_change_of_a_change_is_shown_beside_what_was_proposed() -> None:
    it = by_amount(TWO, CFO)
    asked = await it.ask()
    await it.approves("fay", asked, amount=60.0)
    card = await it.approves("gus", asked, amount=70.0)

    assert [(each.value, each.was) for each in card.arguments][1] == ("70.0", "50.0")
    assert card.changed_by == "Gus"
    card = await it.approves("fay", asked, amount=50.0)
    assert [(each.value, each.was) for each in card.arguments][1] == ("50.0", "")
    await it.approves("gus", asked)
    assert it.paid == [("1", 50.0)]


async def test_whoever_may_not_decide_may_not_change_either() -> None:
    it = by_amount(FINANCE, CFO)
    asked = await it.ask()

    with pytest.raises(Refused, match="Only these"):
        await it.approves("cy", asked, amount=500.0)
    assert "approval_amended" not in await it.kinds()


async def test_the_time_does_not_begin_anew_with_a_change() -> None:
    it = by_amount(FINANCE, replace(CFO, timeout=9_000.0))
    asked = await it.ask()
    it.clock.move(3000)
    await it.approves("fay", asked, amount=500.0)
    it.clock.move(600)
    await it.works()

    assert await it.outcome(asked) == "expired"


def escalating(ask: Ask, *steps: Step) -> Ask:
    return replace(ask, escalation=steps)


async def test_those_whom_the_rule_before_the_change_would_have_asked_later_may_not_decide_it() -> None:
    it = by_amount(escalating(FINANCE, Step(600.0, roles=("manager",))), CFO)
    asked = await it.ask()
    await it.approves("fay", asked, amount=500.0)
    it.clock.move(1200)
    await it.works()

    assert "approval_escalated" not in await it.kinds()
    with pytest.raises(Refused, match="Only these may decide this: role cfo"):
        await it.approves("max", asked)
    assert it.paid == []


async def test_those_whom_the_rule_of_the_change_asks_later_are_asked_then() -> None:
    it = by_amount(FINANCE, escalating(CFO, Step(600.0, roles=("manager",))))
    asked = await it.ask()
    it.clock.move(60)
    await it.approves("fay", asked, amount=500.0)
    with pytest.raises(Refused):
        await it.approves("max", asked)
    it.clock.move(540)
    await it.works()

    await it.approves("max", asked)
    assert it.paid == [("1", 500.0)]


async def test_those_who_were_asked_because_nobody_decided_may_decide_after_a_change_too() -> None:
    step = Step(600.0, roles=("manager",))
    it = by_amount(escalating(TWO, step), CFO)
    asked = await it.ask()
    it.clock.move(600)
    await it.works()

    card = await it.approves("max", asked, amount=60.0)
    assert [each.name for each in card.votes] == ["Max"]
    await it.approves("fay", asked)
    assert it.paid == [("1", 60.0)]


async def test_a_change_under_another_rule_may_be_granted_only_if_that_rule_lets_it() -> None:
    it = by_amount(replace(FINANCE, may_grant=True), CFO)
    asked = await it.ask()

    assert (await it.approves("fay", asked, amount=500.0)).may_grant is False


async def test_the_changed_call_is_bound_to_its_own_call_and_the_model_is_told() -> None:
    it = by_amount(FINANCE, CFO_TOO)
    asked = await it.ask()
    await it.approves("fay", asked, amount=500.0)
    await it.approves("cy", asked)

    shown = str(it.model.requests[-1].turns)
    assert "approved this with changed arguments" in shown
    assert "do not repeat it" in shown
    amended = [event for event in await it.events() if isinstance(event, ApprovalAmended)]
    decided = [event for event in await it.events() if isinstance(event, ApprovalDecided)]
    assert isinstance(decided[0].decision, Approved)
    assert decided[0].decision.digest == amended[0].digest


async def test_nothing_can_be_chosen_of_nothing() -> None:
    it = by_amount(FINANCE, CFO)
    await it.ask()

    with pytest.raises(Refused, match="Nothing was chosen"):
        await it.gate.decide_plan({}, who("fay"), "api")


async def test_a_change_that_was_approved_stays_changed_when_the_tool_is_another_by_now() -> None:
    it = Council(list(PEOPLE), FINANCE)
    asked = await it.ask()
    less = Approve((await it.request(asked)).digest, {"order": "1", "amount": 40.0})
    await it.gate.decide(asked, less, who("fay"), "api")
    it.tools = {**it.tools, "pay": with_parameter(it.tools["pay"])}
    await it.works()

    (again,) = await it.index.listed(thread_id=it.thread_id)
    assert (await it.request(again)).arguments == {"order": "1", "amount": 40.0}
    await it.approves("fay", again)
    assert await it.index.listed(thread_id=it.thread_id) == []
    assert [type(event) for event in await it.events()].count(ToolStarted) == 1
