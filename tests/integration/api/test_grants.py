"""Grants over REST: read before they are given, given with a decision, listed, taken back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.events import DecisionRefused, GrantRevoked
from approvals.policy import Policy
from tests.desk import ARGUMENTS, Desk, desk_at, refund
from tests.granted import DAY, granting
from tests.integration.api.conftest import Caller, problem

DIGEST = refund.digest(ARGUMENTS)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A deployment whose policy lets grants be given."""
    async with desk_at(tmp_path) as found:
        found.gate = replace(found.gate, policy=Policy(granting(roles=["finance"])))
        yield found


def grant(desk: Desk, **changes: object) -> dict[str, object]:
    return {"scope": "anyone", "until": (desk.clock.now() + DAY).isoformat(), **changes}


def approval(desk: Desk, **changes: object) -> dict[str, object]:
    return {"decision": "approve", "digest": DIGEST, "grant": grant(desk, **changes)}


async def given(desk: Desk, lee: Caller, **changes: object) -> dict[str, Any]:
    approval_id = await desk.ask(may_grant=True)
    answer = await lee.post(f"/approvals/{approval_id}/decision", approval(desk, **changes))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = (await lee.get("/grants")).json()["grants"]
    assert answer.json()["granted"] == [found[0]["words"]]
    return found[0]


async def test_it_is_given_with_a_decision_and_listed_with_its_words(desk: Desk, lee: Caller, crm: Caller) -> None:
    found = await given(desk, lee, scope="requester", uses=3)
    assert found["words"] == (
        'refund with exactly order_id="1042", amount=40.0; only when Ada Okafor asks; '
        "until 2026-11-26 09:00:00 UTC, at most 3 times"
    )
    expected = {
        "status": "standing", "tool": "refund", "arguments": ARGUMENTS, "condition": "", "thread_id": "",
        "requester": "ada", "uses": 3, "used": 0, "given_by": "lee", "revoked_by": "", "revoked_at": None, "reason": "",
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert (await crm.get(f"/grants/{found['id']}")).json() == found


async def test_a_condition_stands_in_place_of_the_arguments(desk: Desk, lee: Caller) -> None:
    found = await given(desk, lee, condition="args.amount <= 50", scope="thread")
    assert (found["arguments"], found["condition"]) == (None, "args.amount <= 50")
    assert found["thread_id"] == found["given_in"]


async def test_its_words_can_be_read_before_it_is_given(desk: Desk, lee: Caller) -> None:
    approval_id = await desk.ask(may_grant=True)
    wish = approval(desk, condition="args.amount <= 50")
    said = await lee.post(f"/approvals/{approval_id}/grant-words", wish)
    assert said.status_code == 200
    assert await desk.outcome(approval_id) == ""
    await lee.post(f"/approvals/{approval_id}/decision", wish)
    assert (await lee.get("/grants")).json()["grants"][0]["words"] == said.json()["words"]
    without = await lee.post(f"/approvals/{approval_id}/grant-words", {"decision": "approve", "digest": DIGEST})
    assert (without.status_code, problem(without)["fields"]) == (422, {"grant": "must be there"})


@pytest.mark.parametrize("path", ["decision", "grant-words"])
@pytest.mark.parametrize(
    "changes, code, words",
    [
        ({"uses": 0}, "bad_grant", "from 1 to 10000"),
        ({"until": "2027-11-25T09:00:00Z"}, "bad_grant", "at most 90 days"),
        ({"until": "2026-11-26T09:00:00"}, "invalid", "see fields"),
        ({"condition": "args.amount >"}, "bad_grant", "cannot be read"),
        ({"condition": "args.amount > 50"}, "bad_grant", "does not hold"),
        ({"scope": "everybody"}, "invalid", "see fields"),
        ({"forever": True}, "invalid", "see fields"),
    ],
)
async def test_terms_that_do_not_fit_decide_nothing(
    desk: Desk, lee: Caller, path: str, changes: dict[str, object], code: str, words: str
) -> None:
    approval_id = await desk.ask(may_grant=True)
    answer = await lee.post(f"/approvals/{approval_id}/{path}", approval(desk, **changes))
    assert (answer.status_code, problem(answer)["code"]) == (422, code)
    assert words in problem(answer)["message"]
    assert await desk.outcome(approval_id) == ""


async def test_where_the_policy_wants_to_be_asked_each_time_it_is_refused(desk: Desk, lee: Caller) -> None:
    approval_id = await desk.ask()
    for path in ("decision", "grant-words"):
        answer = await lee.post(f"/approvals/{approval_id}/{path}", approval(desk))
        assert (answer.status_code, problem(answer)["code"]) == (403, "not_allowed")
        assert "asked about this each time" in problem(answer)["message"]
    assert (await lee.get("/grants")).json() == {"grants": []}


async def test_who_may_not_decide_may_not_grant(desk: Desk, ada: Caller, crm: Caller) -> None:
    approval_id = await desk.ask(may_grant=True)
    for who in (ada, crm):
        answer = await who.post(f"/approvals/{approval_id}/decision", approval(desk))
        assert answer.status_code == 403
    facts = await desk.facts(approval_id)
    log = [entry.event for entry in await desk.threads.entries(facts.thread_id)]
    assert [event.attempt for event in log if isinstance(event, DecisionRefused)] == ["grant", "grant"]


async def test_it_is_taken_back_once_by_whoever_could_approve(
    desk: Desk, lee: Caller, ada: Caller, crm: Caller
) -> None:
    found = await given(desk, lee)
    for who in (ada, crm):
        answer = await who.post(f"/grants/{found['id']}/revoke", {})
        assert (answer.status_code, problem(answer)["code"]) == (403, "not_allowed")
    mia = replace(lee, name="mia")
    answer = await mia.post(f"/grants/{found['id']}/revoke", {"reason": "too wide"})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["revoked_by"], told["reason"]) == ("revoked", "mia", "too wide")
    again = await lee.post(f"/grants/{found['id']}/revoke", {})
    assert (again.status_code, problem(again)["code"]) == (409, "already_settled")
    assert (await lee.get("/grants")).json() == {"grants": []}
    assert [each["status"] for each in (await lee.get("/grants?all=1")).json()["grants"]] == ["revoked"]
    log = [entry.event for entry in await desk.threads.entries(found["given_in"])]
    (event,) = [event for event in log if isinstance(event, GrantRevoked)]
    assert (event.by.person, event.by.via) == ("mia", "api")


async def test_what_has_ended_says_so(desk: Desk, lee: Caller) -> None:
    found = await given(desk, lee)
    desk.clock.move(timedelta(days=1).total_seconds())
    assert (await lee.get(f"/grants/{found['id']}")).json()["status"] == "over"


async def test_no_token_no_such_grant_and_no_such_query(lee: Caller) -> None:
    for path in ("/grants/grt_none", "/grants/%00"):
        assert (await lee.get(path)).status_code == 404
    assert (await lee.post("/grants/grt_none/revoke", {})).status_code == 404
    assert (await lee.get("/grants?all=maybe")).status_code == 422
    nobody = replace(lee, name="")
    for answer in (await nobody.get("/grants"), await nobody.get("/grants/g"), await nobody.post("/grants/g/revoke")):
        assert answer.status_code == 401
