"""Approvals over REST: looked at by all who have a token, decided by whom the policy names."""

import json
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.conversation import JsonObject
from agent.verdict import Answered, ApprovalKind, Approved, Approvers, Rejected
from tests.desk import ARGUMENTS, Desk, refund
from tests.integration.api.conftest import Caller, problem

DIGEST = refund.digest(ARGUMENTS)


async def test_open_approvals_are_listed_and_on_demand_all(desk: Desk, crm: Caller) -> None:
    decided, waiting, late = await desk.ask(), await desk.ask(), await desk.ask(expires_at=desk.clock.now())
    await desk.decide(decided, Rejected(reason="No"))

    def ids(answer: httpx.Response) -> set[str]:
        return {each["id"] for each in answer.json()["approvals"]}

    assert ids(await crm.get("/approvals")) == {waiting}
    assert ids(await crm.get("/approvals?all=1")) == {decided, waiting, late}
    assert (await crm.get("/approvals?all=perhaps")).status_code == 422


async def test_an_approval_is_shown_with_what_deciding_takes(desk: Desk, crm: Caller) -> None:
    asked = await desk.ask(preview="40.00 EUR go to Sam.")

    shown = (await crm.get(f"/approvals/{asked}")).json()

    assert shown["arguments"] == ARGUMENTS
    assert shown["digest"] == DIGEST
    assert shown["parameters"] == refund.parameters
    assert (shown["status"], shown["preview"], shown["requester"]) == ("open", "40.00 EUR go to Sam.", "Ada Okafor")


async def test_approving_takes_the_digest_that_was_read(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask()

    stale = await lee.post(f"/approvals/{asked}/decision", {"decision": "approve", "digest": "another"})
    missing = await lee.post(f"/approvals/{asked}/decision", {"decision": "approve"})
    assert (stale.status_code, problem(stale)["code"]) == (409, "changed")
    assert (missing.status_code, problem(missing)["fields"].keys()) == (422, {"digest"})
    assert await desk.outcome(asked) == ""

    done = await lee.post(f"/approvals/{asked}/decision", {"decision": "approve", "digest": DIGEST})
    assert done.status_code == 200
    shown = done.json()
    assert (shown["status"], shown["decided_by"], shown["decided_via"]) == ("approved", "Lee Chen", "api")
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=DIGEST)


async def test_changed_arguments_are_checked_by_the_tool(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask()
    sent: dict[str, Any] = {"decision": "approve", "digest": DIGEST, "arguments": {**ARGUMENTS, "amount": 9000, "x": 1}}

    refused = await lee.post(f"/approvals/{asked}/decision", sent)
    assert refused.status_code == 422
    assert problem(refused)["fields"].keys() == {"arguments.amount", "arguments.x"}

    after: JsonObject = {**ARGUMENTS, "amount": 12.5}
    done = await lee.post(f"/approvals/{asked}/decision", {**sent, "arguments": after})
    assert done.json()["approved_arguments"] == after
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(after), arguments=after)


@pytest.mark.parametrize("value", ["1e999", "NaN", "-Infinity", "[" * 300 + "]" * 300, '"\\udfff"', "9" * 5000])
async def test_arguments_that_cannot_be_kept_are_refused(desk: Desk, lee: Caller, value: str) -> None:
    asked = await desk.ask()
    content = f'{{"decision": "approve", "digest": "{DIGEST}", "arguments": {{"order_id": {value}}}}}'

    answer = await lee.client.post(f"/api/approvals/{asked}/decision", headers=lee.headers, content=content)

    assert answer.status_code in {400, 422}
    assert problem(answer)["message"]
    assert await desk.outcome(asked) == ""


async def test_rejecting_and_answering_carry_words(desk: Desk, lee: Caller) -> None:
    call, question = await desk.ask(), await desk.ask("question", choices=("Berlin", "Lyon"))

    assert (await lee.post(f"/approvals/{call}/decision", {"decision": "reject", "reason": "Too much"})).is_success
    assert (await lee.post(f"/approvals/{question}/decision", {"decision": "answer", "text": "Lyon"})).is_success

    outcomes = [(await desk.facts(each)).decided for each in (call, question)]
    assert [each.decision for each in outcomes if each] == [Rejected(reason="Too much"), Answered(text="Lyon")]


async def test_an_approver_may_give_the_result_in_place_of_the_call(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask("call")

    answered = await lee.post(f"/approvals/{asked}/decision", {"decision": "answer", "text": "I paid it by hand."})

    assert answered.status_code == 200
    assert await desk.outcome(asked) == "answered"


@pytest.mark.parametrize(
    "about, sent",
    [
        ("question", {"decision": "approve", "digest": ""}),
        ("in_doubt", {"decision": "reject"}),
        ("in_doubt", {"decision": "answer", "text": "perhaps"}),
    ],
)
async def test_what_is_no_answer_to_the_request_is_refused(
    desk: Desk, lee: Caller, about: ApprovalKind, sent: dict[str, str]
) -> None:
    asked = await desk.ask(about)

    refused = await lee.post(f"/approvals/{asked}/decision", sent)

    assert (refused.status_code, problem(refused)["code"]) == (422, "no_answer")
    assert await desk.outcome(asked) == ""


async def test_only_whom_the_policy_names_decides_and_never_a_service(desk: Desk, ada: Caller, crm: Caller) -> None:
    call, question = await desk.ask(), await desk.ask("question", approvers=Approvers(anyone_in_thread=True))

    for caller in (ada, crm):
        refused = await caller.post(f"/approvals/{call}/decision", {"decision": "approve", "digest": DIGEST})
        assert (refused.status_code, problem(refused)["code"]) == (403, "not_allowed")
    assert (await crm.post(f"/approvals/{question}/decision", {"decision": "answer", "text": "x"})).status_code == 403
    assert await desk.outcome(call) == await desk.outcome(question) == ""
    assert (await ada.post(f"/approvals/{question}/decision", {"decision": "answer", "text": "x"})).status_code == 200


async def test_a_second_decision_is_told_what_stands(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask()
    await lee.post(f"/approvals/{asked}/decision", {"decision": "reject"})

    second = await lee.post(f"/approvals/{asked}/decision", {"decision": "approve", "digest": DIGEST})

    assert (second.status_code, problem(second)["code"]) == (409, "already_settled")
    assert "Lee Chen was first" in problem(second)["message"]
    assert await desk.outcome(asked) == "rejected"


async def test_an_expired_approval_cannot_be_decided(desk: Desk, lee: Caller) -> None:
    asked = await desk.ask()
    desk.clock.move(86_400)

    assert (await lee.get(f"/approvals/{asked}")).json()["status"] == "expired"
    late = await lee.post(f"/approvals/{asked}/decision", {"decision": "approve", "digest": DIGEST})
    assert late.status_code == 409
    assert await desk.outcome(asked) == "expired"


async def test_an_approval_that_is_not_there_is_not_found(lee: Caller) -> None:
    for answer in (
        await lee.get("/approvals/apr_aaaaaaaaaaaaaaaaaaaa"),
        await lee.get("/approvals/%00"),
        await lee.post("/approvals/x/decision", {"decision": "reject"}),
    ):
        assert (answer.status_code, problem(answer)["code"]) == (404, "not_found")


# --- anything at all ------------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
bodies = (
    st.binary(max_size=80)
    | anything.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {"decision": st.sampled_from(["approve", "reject", "answer", "x"])},
        optional={"digest": st.just(DIGEST) | st.text(), "arguments": anything, "reason": anything, "text": anything},
    ).map(lambda value: json.dumps(value).encode())
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(bodies, st.text(max_size=30), st.binary(max_size=30))
async def test_no_body_and_no_header_makes_it_fail(desk: Desk, lee: Caller, body: bytes, path: str, key: bytes) -> None:
    asked = await desk.ask()
    thread_id = (await desk.facts(asked)).thread_id
    odd = "/" + quote(path.replace("/", ""))
    sent = {name.encode(): value.encode() for name, value in lee.headers.items()}
    headers = {**sent, b"Idempotency-Key": key.replace(b"\n", b"").replace(b"\r", b"")}
    for route in (
        f"/approvals/{asked}/decision",
        f"/approvals/{asked}/plan",
        f"/approvals/{asked}/remarks",
        f"/approvals{odd}/decision",
        "/threads",
        f"/threads/{thread_id}/messages",
    ):
        answer = await lee.client.post(f"/api{route}", content=body, headers=headers)
        assert answer.status_code < 500
        assert answer.is_success or answer.status_code in {307, 404, 405} or problem(answer)


async def test_nothing_of_what_is_answered_is_kept_by_browsers_and_proxies(lee: Caller) -> None:
    for route in ("/approvals", "/approvals/apr_none", "/grants"):
        assert (await lee.get(route)).headers["cache-control"] == "no-store"


def test_openapi_describes_every_route_with_its_body_and_its_errors(application: FastAPI) -> None:
    described = application.openapi()

    routes = {
        f"{method} {path}": route for path, methods in described["paths"].items() for method, route in methods.items()
    }
    assert sorted(routes) == [
        "get /api/approvals",
        "get /api/approvals/{approval_id}",
        "get /api/grants",
        "get /api/grants/{grant_id}",
        "get /api/threads/{thread_id}",
        "post /api/approvals/{approval_id}/decision",
        "post /api/approvals/{approval_id}/grant-words",
        "post /api/approvals/{approval_id}/plan",
        "post /api/approvals/{approval_id}/remarks",
        "post /api/grants/{grant_id}/revoke",
        "post /api/threads",
        "post /api/threads/{thread_id}/cancel",
        "post /api/threads/{thread_id}/messages",
    ]
    assert all(route["summary"] and route["description"] and route["security"] for route in routes.values())
    assert all({"401", "503"} <= route["responses"].keys() for route in routes.values())
    bodies = [route["requestBody"] for route in routes.values() if "requestBody" in route]
    assert len(bodies) == len([name for name in routes if name.startswith("post")]) - 1  # to cancel takes none
    for each in bodies:
        schema = each["content"]["application/json"]["schema"]
        assert "$ref" not in json.dumps(schema["oneOf"] if "oneOf" in schema else schema["properties"])
    answer = {"decision": "answer", "text": "x"}
    decision = routes["post /api/approvals/{approval_id}/decision"]["requestBody"]["content"]["application/json"]
    plan = routes["post /api/approvals/{approval_id}/plan"]["requestBody"]["content"]["application/json"]
    jsonschema.validate(answer, decision["schema"])
    jsonschema.validate({"decisions": {"apr_1": answer}}, plan["schema"])
    unfit: tuple[dict[str, object], ...] = ({"decisions": {}}, {"decisions": {"apr_1": {"decision": "answer"}}})
    for wrong in unfit:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, plan["schema"])
