"""Approvals that take several people, several calls at once, and questions before the answer, over REST."""

from typing import Any

import pytest

from agent.conversation import JsonObject
from agent.events import ApprovalAmended, ApprovalRequested, DecisionRefused, ModelResponded, RemarkAnswered, ToolCall
from agent.verdict import Approved, Approvers, Decider
from tests.desk import ARGUMENTS, LEE, Desk, refund
from tests.integration.api.conftest import Caller, problem

DIGEST = refund.digest(ARGUMENTS)
OTHER: JsonObject = {"order_id": "1043", "amount": 15.0}
TWO = Approvers(roles=("finance",), count=2)


@pytest.fixture
def mia(lee: Caller) -> Caller:
    """May decide, too."""
    return Caller(lee.client, "mia")


def yes(shown: JsonObject = ARGUMENTS, **more: object) -> dict[str, Any]:
    """Approve what was shown."""
    return {"decision": "approve", "digest": refund.digest(shown), **more}


async def plan_of_two(desk: Desk) -> tuple[str, str]:
    """Two calls of one answer, on one card."""
    first = await desk.ask()
    thread_id = (await desk.facts(first)).thread_id
    second = desk.request("call", OTHER, call_id="c2", plan=first)
    call = ToolCall(id="c2", provider_id="p2", name="refund", arguments=OTHER)
    await desk.threads.inform(thread_id, [ModelResponded(at=desk.clock.now(), seen=2, calls=(call,)), second])
    return first, second.approval_id


async def test_a_vote_that_does_not_settle_it_is_answered_with_the_votes(desk: Desk, lee: Caller, mia: Caller) -> None:
    asked = await desk.ask(approvers=TWO)

    first = await lee.post(f"/approvals/{asked}/decision", yes())
    twice = await lee.post(f"/approvals/{asked}/decision", yes())
    second = await mia.post(f"/approvals/{asked}/decision", yes())

    assert (first.status_code, first.json()["status"], first.json()["needs"]) == (200, "open", "2 of role finance")
    assert [(each["name"], each["vote"], each["via"]) for each in first.json()["votes"]] == [
        ("Lee Chen", "approve", "api")
    ]
    assert (twice.status_code, problem(twice)["message"]) == (403, "Your approval counts already.")
    assert (second.status_code, second.json()["status"]) == (200, "approved")
    assert [each["name"] for each in second.json()["votes"]] == ["Lee Chen", "Mia Novak"]


async def test_an_approval_shows_what_was_proposed_beside_what_stands(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask(arguments={**ARGUMENTS, "amount": 400.0}, may_grant=True)
    shown = (await lee.get(f"/approvals/{asked}")).json()

    assert shown["proposed_arguments"] == shown["arguments"] == {**ARGUMENTS, "amount": 400.0}
    assert (shown["changed_by"], shown["is_escalated"], shown["may_grant"]) == ("", False, True)
    assert (shown["votes"], shown["remarks"], shown["plan"], shown["mates"]) == ([], [], "", [])


async def test_a_plan_is_decided_in_one_request(desk: Desk, lee: Caller) -> None:
    first, second = await plan_of_two(desk)
    shown = (await lee.get(f"/approvals/{first}")).json()
    assert (shown["plan"], [each["id"] for each in shown["mates"]]) == (first, [second])
    assert (await lee.get(f"/approvals/{second}")).json()["plan"] == first

    sent = {first: yes(), second: {"decision": "reject", "reason": "Too late"}}
    done = await lee.post(f"/approvals/{second}/plan", {"decisions": sent})

    assert (done.status_code, done.json()["status"]) == (200, "rejected")
    assert (await desk.outcome(first), await desk.outcome(second)) == ("approved", "rejected")


async def test_a_plan_is_decided_whole_or_not_at_all(desk: Desk, lee: Caller, ada: Caller) -> None:
    first, second = await plan_of_two(desk)
    wrong: JsonObject = {**OTHER, "amount": 9000}
    for sent, status, field in (
        ({first: yes(), second: yes(OTHER, arguments=wrong)}, 422, f"decisions.{second}.arguments.amount"),
        ({first: yes(), second: {**yes(OTHER), "digest": "stale"}}, 409, ""),
        ({first: yes(), "apr_other": yes()}, 422, "decisions.apr_other"),
        ({first: yes(), second: {"decision": "perhaps"}}, 422, f"decisions.{second}"),
        ({}, 422, "decisions"),
    ):
        refused = await lee.post(f"/approvals/{first}/plan", {"decisions": sent})
        assert refused.status_code == status, refused.text
        assert field in problem(refused).get("fields", {"": ""})
    refused = await ada.post(f"/approvals/{first}/plan", {"decisions": {first: yes(), second: yes(OTHER)}})

    assert (refused.status_code, problem(refused)["code"]) == (403, "not_allowed")
    assert (await desk.outcome(first), await desk.outcome(second)) == ("", "")


async def test_what_a_plan_leaves_out_stays_open_and_what_is_settled_stays_settled(desk: Desk, lee: Caller) -> None:
    first, second = await plan_of_two(desk)

    part = await lee.post(f"/approvals/{first}/plan", {"decisions": {second: {"decision": "reject"}}})
    assert (part.status_code, part.json()["status"], part.json()["mates"][0]["status"]) == (200, "open", "rejected")
    both = await lee.post(f"/approvals/{first}/plan", {"decisions": {first: yes(), second: yes(OTHER)}})
    again = await lee.post(f"/approvals/{first}/plan", {"decisions": {first: yes(), second: yes(OTHER)}})

    assert both.status_code == 200
    assert (await desk.outcome(first), await desk.outcome(second)) == ("approved", "rejected")
    assert (again.status_code, problem(again)["code"]) == (409, "already_settled")


async def test_an_approval_alone_is_a_plan_of_one(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask()
    changed: JsonObject = {**ARGUMENTS, "amount": 12.5}

    done = await lee.post(f"/approvals/{asked}/plan", {"decisions": {asked: yes(arguments=changed)}})

    assert done.json()["approved_arguments"] == changed
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(changed), arguments=changed)


async def test_an_approver_asks_the_agent_without_deciding(desk: Desk, lee: Caller, ada: Caller) -> None:
    asked, question = await desk.ask(), await desk.ask("question")

    done = await lee.post(f"/approvals/{asked}/remarks", {"text": "Why 40?"})
    facts = await desk.facts(asked)
    answer = RemarkAnswered(at=desk.clock.now(), approval_id=asked, number=1, text="It is the price.")
    await desk.threads.inform(facts.thread_id, [answer])

    assert (done.status_code, done.json()["status"]) == (202, "open")
    assert done.json()["remarks"] == [{"name": "Lee Chen", "question": "Why 40?", "answer": ""}]
    assert (await lee.get(f"/approvals/{asked}")).json()["remarks"][0]["answer"] == "It is the price."
    assert (await ada.post(f"/approvals/{asked}/remarks", {"text": "Why?"})).status_code == 403
    assert (await lee.post(f"/approvals/{question}/remarks", {"text": "Why?"})).status_code == 422
    assert (await lee.post(f"/approvals/{asked}/remarks", {"text": " \x00"})).status_code == 422
    await lee.post(f"/approvals/{asked}/decision", {"decision": "reject"})
    late = await lee.post(f"/approvals/{asked}/remarks", {"text": "Why?"})
    assert (late.status_code, problem(late)["code"]) == (409, "already_settled")


async def test_each_decision_has_its_address_and_user_agent_on_record(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask()
    lee.client.headers["User-Agent"] = "our-script/1.0"

    await lee.post(f"/approvals/{asked}/remarks", {"text": "Why?"})
    await lee.post(f"/approvals/{asked}/decision", yes())

    facts = await desk.facts(asked)
    assert facts.decided is not None
    assert facts.decided.by is not None
    remark = facts.record.remarks[0].asked.by
    for by in (facts.decided.by, remark):
        assert (by.person, by.via, by.address, by.user_agent) == ("lee", "api", "127.0.0.1", "our-script/1.0")


@pytest.mark.parametrize("anyone", [True, False])
async def test_the_attempt_of_a_service_is_refused_and_on_record(desk: Desk, crm: Caller, anyone: bool) -> None:
    asked = await desk.ask("question", approvers=Approvers(roles=("finance",), anyone_in_thread=anyone))

    refused = await crm.post(f"/approvals/{asked}/decision", {"decision": "answer", "text": "Lyon"})

    assert (refused.status_code, problem(refused)["code"]) == (403, "not_allowed")
    events = [entry.event for entry in await desk.threads.entries((await desk.facts(asked)).thread_id)]
    attempt = events[-1]
    assert isinstance(attempt, DecisionRefused)
    assert (attempt.attempt, attempt.by.person, attempt.by.address) == ("answer", "crm", "127.0.0.1")
    assert "A service cannot decide" in attempt.reason


async def test_a_plan_is_listed_with_its_calls(desk: Desk, lee: Caller) -> None:
    first, second = await plan_of_two(desk)
    listed = {each["id"]: each for each in (await lee.get("/approvals")).json()["approvals"]}

    assert listed.keys() == {first, second}
    assert listed[first]["mates"][0]["arguments"] == OTHER
    assert isinstance((await desk.facts(second)).request, ApprovalRequested)


async def test_somebody_s_own_approvals_are_those_that_wait_for_them(
    desk: Desk, lee: Caller, mia: Caller, ada: Caller, crm: Caller
) -> None:
    both, other = await desk.ask(approvers=TWO), await desk.ask(approvers=Approvers(people=("mia",)))
    await lee.post(f"/approvals/{both}/decision", yes())

    async def ids(caller: Caller, query: str = "mine=1") -> list[str]:
        return [each["id"] for each in (await caller.get(f"/approvals?{query}")).json()["approvals"]]

    assert await ids(lee) == []
    assert await ids(lee, "mine=1&all=1") == [both]
    assert await ids(mia) == [both, other]
    assert (await ids(ada), await ids(crm)) == ([], [])
    assert (await lee.get("/approvals?mine=perhaps")).status_code == 422


async def test_what_another_changed_is_shown_as_it_was_and_as_it_stands(desk: Desk, lee: Caller, mia: Caller) -> None:
    asked = await desk.ask(approvers=TWO)
    now: JsonObject = {**ARGUMENTS, "amount": 12.5}
    amended = ApprovalAmended(
        at=desk.clock.now(),
        approval_id=asked,
        version=0,
        arguments=now,
        digest=refund.digest(now),
        title="Refund 1042",
        why="w",
        rule="refunds",
        approvers=TWO,
        by=Decider(person="lee", identity=LEE, via="web"),
    )
    await desk.threads.inform((await desk.facts(asked)).thread_id, [amended])

    shown = (await mia.get(f"/approvals/{asked}")).json()
    assert (shown["proposed_arguments"], shown["arguments"], shown["changed_by"]) == (ARGUMENTS, now, "Lee Chen")
    assert (await mia.post(f"/approvals/{asked}/decision", yes())).status_code == 409
    assert (await mia.post(f"/approvals/{asked}/decision", yes(now))).json()["status"] == "open"
    done = await lee.post(f"/approvals/{asked}/decision", yes(now))
    assert (done.json()["status"], done.json()["approved_arguments"]) == ("approved", now)
