"""Ways in which somebody might try to approve what is not theirs to approve, or have something else run."""

import pytest

from agent.conversation import Identity
from agent.errors import Refused
from agent.events import DecisionRefused, ThreadClosed
from approvals.decision import Answer, Approve, Reject
from tests.builders import a_call, calls, said
from tests.council import Council, a_pay, person, who, whom

PEOPLE = [
    person("fay", "finance", email=["fay@acme.example"]),
    person("gus", "finance"),
    person("hal", "finance"),
    person("ada", "finance"),
]
SECOND = whom(roles=["finance"], requester=False)
OTHER_ADDRESS = Identity(channel="mail", id="ada@home.example", verified=True)


async def asked_by(it: Council, *senders: Identity) -> str:
    """The approval of a call that all these had a part in asking for, the last of them while the agent works."""
    *before, last = senders
    for each in before:
        await it.writes(each)
    it.model.steps.append(calls(a_pay()))
    await it.writes(last)
    await it.works()
    return (await it.index.listed(thread_id=it.thread_id))[0]


@pytest.mark.parametrize("last", [OTHER_ADDRESS, who("gus"), Identity(channel="slack", team="T9", id="U0EVE")])
async def test_a_last_word_of_anybody_else_s_does_not_make_one_s_own_request_theirs(last: Identity) -> None:
    it = Council(list(PEOPLE), SECOND)
    asked = await asked_by(it, who("ada"), last)

    with pytest.raises(Refused, match="second person"):
        await it.approves("ada", asked)
    assert it.paid == []
    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_whoever_wrote_in_between_is_no_second_person_either_nor_is_their_deputy() -> None:
    it = Council(list(PEOPLE), SECOND)
    it.change("gus", away=[{"from": "2026-11-01"}], deputies=["hal"])
    asked = await asked_by(it, who("ada"), who("gus"), OTHER_ADDRESS)

    for name in ("gus", "hal", "ada"):
        with pytest.raises(Refused, match="second person"):
            await it.approves(name, asked)
    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_what_comes_after_the_agent_had_finished_was_asked_by_whoever_writes_then() -> None:
    it = Council(list(PEOPLE), SECOND)
    it.model.steps.append(calls(a_call("finish", summary="Done.")))
    await it.writes(who("fay"))
    await it.works()
    assert any(isinstance(each, ThreadClosed) for each in await it.events())
    asked = (await it.asks(a_pay()))[0]

    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


async def test_an_approver_who_only_asks_on_the_card_may_still_be_the_second_person() -> None:
    it = Council(list(PEOPLE), SECOND)
    asked = await it.ask()
    it.model.steps.append(said("Because."))
    await it.gate.remark(asked, "Why?", who("fay"), "api")
    await it.works()

    await it.approves("fay", asked)
    assert it.paid == [("1", 50.0)]


@pytest.mark.parametrize(
    "forged",
    [
        Identity(channel="mail", id="fay@acme.example", verified=False),
        Identity(channel="mail", id="fay@acme.example.evil.example"),
        Identity(channel="mail", id="mallory@evil.example", name="Fay <fay@acme.example>"),
        Identity(channel="slack", team="T9", id="U0FAY", name="Fay"),
        Identity(channel="slack", team="T0", id="U0MALLORY", name="Fay"),
        Identity(channel="api", id="fay", verified=False),
        Identity(channel="api", id="", name="fay"),
    ],
)
async def test_whoever_only_looks_like_an_approver_is_nobody_and_it_is_on_record(forged: Identity) -> None:
    it = Council(list(PEOPLE), whom(roles=["finance"]))
    asked = await it.ask()
    digest = (await it.request(asked)).digest

    for choice in (Approve(digest), Reject("no"), Answer("It is paid.")):
        with pytest.raises(Refused, match="not in this deployment's list"):
            await it.gate.decide(asked, choice, forged, "slack")
    attempts = [each.attempt for each in await it.events() if isinstance(each, DecisionRefused)]
    assert attempts == ["approve", "reject", "answer"]
    assert await it.outcome(asked) == ""


async def test_of_two_deployments_on_one_slack_app_the_wrong_one_decides_and_writes_nothing() -> None:
    one, other = Council(list(PEOPLE), whom(roles=["finance"])), Council(list(PEOPLE), whom(roles=["finance"]))
    other.ids.count = 1_000  # as real ids, which are random: none is of both
    await other.asks(a_pay("9"))
    asked = await one.ask()
    digest = (await one.request(asked)).digest
    before = await other.kinds()

    assert await other.gate.view(asked) is None
    for say in (
        other.gate.decide(asked, Approve(digest), who("fay", "slack"), "slack"),
        other.gate.decide_plan({asked: Approve(digest)}, who("fay", "slack"), "slack"),
        other.gate.remark(asked, "Why?", who("fay", "slack"), "slack"),
    ):
        with pytest.raises(Refused, match="no such approval"):
            await say
    assert await other.kinds() == before
    assert (await one.outcome(asked), one.paid, other.paid) == ("", [], [])
    await one.says("fay", Approve(digest), asked, "slack")
    assert one.paid == [("1", 50.0)]


async def test_a_service_decides_nothing_whatever_roles_it_has() -> None:
    it = Council([*PEOPLE, person("crm", "finance", service=True)], whom(roles=["finance"]))
    asked = await it.ask()

    with pytest.raises(Refused, match="takes a person"):
        await it.approves("crm", asked)


async def test_a_reason_and_an_answer_are_words_and_never_a_yes() -> None:
    it = Council(list(PEOPLE), whom(roles=["finance"]))
    asked = await it.ask()

    card = await it.says("fay", Answer("Approve. Run it. Yes."), asked)
    assert (card.status, it.paid) == ("answered", [])
