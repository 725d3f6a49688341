"""Votes on one approval through the real gate: who counts, when, and when it is decided."""

from dataclasses import replace

import pytest

from agent.errors import AlreadySettled, Refused
from agent.events import ApprovalDecided, ApprovalVoted, DecisionRefused, ToolStarted
from agent.verdict import Approved, Rejected
from approvals.decision import Answer, Approve
from approvals.recording import MAX_REFUSALS
from tests.council import Council, a_pay, person, who, whom

AWAY = [{"from": "2026-11-20"}]
FINANCE = [person("fay", "finance"), person("gus", "finance"), person("hal", "finance"), person("ada", "support")]
TWO = whom(roles=["finance"], count=2)
ORDERED = whom(each=[{"roles": ["lead"]}, {"roles": ["cfo"], "count": 2}], in_order=True)


def council(verdict: object = TWO, *more: object) -> Council:
    return Council([*FINANCE, *more], verdict)  # type: ignore[arg-type, list-item]  # an Ask, and persons


async def test_it_runs_when_the_last_vote_is_there_and_not_before() -> None:
    it = council()
    asked = await it.ask()

    card = await it.approves("fay", asked)
    assert (card.status, card.needs, [vote.name for vote in card.votes]) == ("open", "2 of role finance", ["Fay"])
    assert it.paid == []

    assert (await it.approves("gus", asked)).status == "approved"
    assert it.paid == [("1", 50.0)]
    decided = [event for event in await it.events() if isinstance(event, ApprovalDecided)]
    assert [(each.decision.outcome, each.by and each.by.person, each.version) for each in decided] == [
        ("approved", "gus", 2)
    ]


async def test_one_person_is_one_vote_on_whatever_surface() -> None:
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked, "slack")

    with pytest.raises(Refused, match="counts already"):
        await it.approves("fay", asked, "cli")
    assert it.paid == []
    assert [type(each) for each in (await it.events())[-1:]] == [DecisionRefused]


async def test_one_rejection_settles_it_unless_the_rule_says_otherwise() -> None:
    it = council()
    asked = await it.ask()
    await it.approves("fay", asked)
    assert (await it.rejects("gus", asked, "too much")).status == "rejected"

    with pytest.raises(AlreadySettled, match="Gus was first: this was rejected already"):
        await it.approves("hal", asked)
    assert it.paid == []


async def test_where_it_takes_two_rejections_one_is_a_vote() -> None:
    it = council(whom(roles=["finance"], count=2, rejections=2))
    asked = await it.ask()

    assert (await it.rejects("fay", asked, "no")).status == "open"
    with pytest.raises(Refused, match="Your rejection counts already"):
        await it.rejects("fay", asked)
    assert (await it.rejects("gus", asked, "never")).status == "rejected"
    decided = [event for event in await it.events() if isinstance(event, ApprovalDecided)]
    assert decided[0].decision == Rejected(reason="never")


async def test_where_it_takes_two_rejections_nobody_gives_a_result_in_place_of_it_alone() -> None:
    it = council(whom(roles=["finance"], rejections=2))
    asked = await it.ask()

    with pytest.raises(Refused, match="more than one person"):
        await it.says("fay", Answer("It is paid already."), asked)
    assert (await it.approves("fay", asked)).status == "approved"


async def test_whoever_changes_their_mind_counts_as_they_said_last() -> None:
    it = council(whom(roles=["finance"], count=2, rejections=2))
    asked = await it.ask()
    await it.approves("fay", asked)
    await it.rejects("fay", asked)
    assert (await it.approves("gus", asked)).status == "open"
    await it.approves("fay", asked)

    assert it.paid == [("1", 50.0)]
    votes = [(each.by.person, each.vote) for each in await it.events() if isinstance(each, ApprovalVoted)]
    assert votes == [("fay", "approve"), ("fay", "reject"), ("gus", "approve"), ("fay", "approve")]


async def test_a_rejection_that_was_taken_back_does_not_count() -> None:
    it = council(whom(roles=["finance"], count=3, rejections=2))
    asked = await it.ask()
    await it.rejects("fay", asked)
    await it.approves("fay", asked)

    assert (await it.rejects("gus", asked)).status == "open"


async def test_in_order_nobody_is_before_their_turn() -> None:
    it = council(ORDERED, person("lea", "lead"), person("cy", "cfo"), person("cas", "cfo"))
    asked = await it.ask()

    with pytest.raises(Refused, match="not your turn yet: first role lead"):
        await it.approves("cy", asked)
    await it.approves("lea", asked)
    await it.approves("cy", asked)
    assert it.paid == []
    await it.approves("cas", asked)
    assert it.paid == [("1", 50.0)]


async def test_in_order_whoever_was_passed_over_since_the_first_left_may_say_it_again() -> None:
    it = council(ORDERED, person("lea", "lead"), person("lou", "lead"), person("cy", "cfo"), person("cas", "cfo"))
    asked = await it.ask()
    await it.approves("lea", asked)
    await it.approves("cy", asked)
    it.remove("lea")

    with pytest.raises(Refused, match="first role lead"):
        await it.approves("cas", asked)
    await it.approves("lou", asked)
    await it.approves("cas", asked)
    assert it.paid == []
    await it.approves("cy", asked)
    assert it.paid == [("1", 50.0)]


async def test_refused_attempts_are_on_record_up_to_a_bound() -> None:
    it = council()
    asked = await it.ask()

    for _ in range(MAX_REFUSALS + 5):
        with pytest.raises(Refused):
            await it.gate.decide(asked, Approve("whatever"), who("ada"), "api")
    assert (await it.record(asked)).refused == MAX_REFUSALS
    await it.works()
    assert (await it.kinds()).count("decision_refused") == MAX_REFUSALS


async def test_a_click_that_comes_twice_is_one_vote() -> None:
    it = council()
    asked = await it.ask()
    digest = (await it.request(asked)).digest
    await it.says("fay", Approve(digest), asked, "slack")

    with pytest.raises(Refused):
        await it.says("fay", Approve(digest), asked, "slack")
    assert (await it.kinds()).count("approval_voted") == 1


async def test_an_attempt_after_the_time_puts_the_expiry_on_record_and_no_clock_opens_it_again() -> None:
    it = council(whom(roles=["finance"]))
    asked = await it.ask()
    digest = (await it.request(asked)).digest
    it.clock.move(3600)

    with pytest.raises(AlreadySettled, match="has expired"):
        await it.gate.decide(asked, Approve(digest), who("fay"), "api")
    it.clock.move(-3000)
    with pytest.raises(AlreadySettled, match="has expired"):
        await it.says("fay", Approve(digest), asked)
    assert await it.outcome(asked) == "expired"
    assert it.paid == []


async def test_a_clock_that_is_set_back_before_anybody_looked_gives_the_time_back() -> None:
    it = council(whom(roles=["finance"]))
    asked = await it.ask()
    it.clock.move(7200)
    it.clock.move(-7000)

    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_what_nobody_decided_in_time_is_a_no_where_the_rule_says_so() -> None:
    it = council(replace(whom(roles=["finance"]), on_timeout="reject"))
    asked = await it.ask()
    it.clock.move(3600)

    with pytest.raises(AlreadySettled, match="This was rejected"):
        await it.approves("fay", asked)
    assert await it.outcome(asked) == "rejected"


async def test_ten_thousand_characters_are_approved_as_they_are() -> None:
    it = council(whom(roles=["finance"]))
    order = "x" * 10_000
    asked = await it.ask(order)

    card = await it.approves("fay", asked)
    assert card.arguments[0].value == order
    assert it.paid == [(order, 50.0)]


async def test_two_pending_requests_in_one_thread_and_the_click_on_the_second_moves_only_the_second() -> None:
    others = whom(roles=["finance"], people=["lee"])
    it = council(lambda call, *_: others if call.arguments["order"] == "1" else whom(roles=["finance"]))
    first, second = await it.asks(a_pay("1"), a_pay("2"))

    await it.approves("fay", second)
    assert it.paid == [("2", 50.0)]
    assert await it.outcome(first) == ""
    starts = [event for event in await it.events() if isinstance(event, ToolStarted)]
    assert [each.rule for each in starts] == [f"approval {second}"]


async def test_a_call_in_doubt_is_run_again_only_by_as_many_as_it_took_to_run() -> None:
    it = council(TWO)
    asked = await it.ask()
    decided = ApprovalDecided(
        at=it.clock.now(), approval_id=asked, decision=Approved(digest=(await it.request(asked)).digest)
    )
    request = await it.request(asked)
    started = ToolStarted(at=it.clock.now(), call_id=request.call_id, tool="pay", digest=request.digest, rule="r")
    await it.threads.inform(it.thread_id, [decided, started])  # and the process died
    await it.works()
    (doubt,) = await it.index.listed(thread_id=it.thread_id)

    assert (await it.says("fay", Answer("Run it again"), doubt)).status == "open"
    assert it.paid == []
    assert (await it.says("gus", Answer("Run it again"), doubt)).status == "answered"
    assert it.paid == [("1", 50.0)]


async def test_that_it_happened_one_person_may_say() -> None:
    it = council(TWO)
    asked = await it.ask()
    request = await it.request(asked)
    decided = ApprovalDecided(at=it.clock.now(), approval_id=asked, decision=Approved(digest=request.digest))
    started = ToolStarted(at=it.clock.now(), call_id=request.call_id, tool="pay", digest=request.digest, rule="r")
    await it.threads.inform(it.thread_id, [decided, started])
    await it.works()
    (doubt,) = await it.index.listed(thread_id=it.thread_id)

    assert (await it.says("fay", Answer("It happened"), doubt)).status == "answered"
    assert it.paid == []
