"""Plans: several calls of one answer on one page, decided together or each by itself, by one form."""

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.conversation import JsonObject
from agent.verdict import Answered, Approved, Approvers, Rejected
from tests.desk import ARGUMENTS, Desk, refund
from tests.integration.pages.conftest import Visitor

OTHER: JsonObject = {"order_id": "1043", "amount": 15.0}


async def decisions(desk: Desk, *asked: str) -> list[str]:
    return [await desk.outcome(each) for each in asked]


async def test_a_plan_shows_every_call_in_full(desk: Desk, lee: Visitor) -> None:
    first, _ = await desk.plan(OTHER)

    page = await lee.open(desk.link(first))

    assert "2 calls of one plan" in page.text
    assert all(text in page.text for text in ("1042", "1043", "40.0", "15.0", "Approve all 2", "Reject all 2"))


async def test_approving_a_plan_approves_all_of_it_at_once(desk: Desk, lee: Visitor) -> None:
    asked = await desk.plan(OTHER, {**OTHER, "amount": 16.0})

    assert (await lee.send(desk.link(asked[0]), decision="all")).status_code == 303

    assert await decisions(desk, *asked) == ["approved"] * 3


async def test_rejecting_a_plan_rejects_all_of_it_with_the_reason(desk: Desk, lee: Visitor) -> None:
    asked = await desk.plan(OTHER)

    await lee.send(desk.link(asked[0]), decision="none", reason="Not today")

    for each in asked:
        decided = (await desk.facts(each)).decided
        assert decided is not None
        assert decided.decision == Rejected(reason="Not today")


async def test_of_a_plan_one_is_approved_one_changed_one_rejected_and_one_left_open(desk: Desk, lee: Visitor) -> None:
    a, b, c, d = asked = await desk.plan(OTHER, {**OTHER, "amount": 16.0}, {**OTHER, "amount": 17.0})
    typed = {
        f"{a}.choice": "approve",
        f"{b}.choice": "approve",
        f"{b}.argument.amount": "12.5",
        f"{c}.choice": "reject",
        f"{c}.words": "Too much",
        f"{d}.choice": "leave",
    }

    assert (await lee.send(desk.link(a), decision="each", typed=typed)).status_code == 303

    assert await decisions(desk, *asked) == ["approved", "approved", "rejected", ""]
    changed, refused = (await desk.facts(b)).decided, (await desk.facts(c)).decided
    assert changed is not None
    assert refused is not None
    assert isinstance(changed.decision, Approved)
    assert changed.decision.arguments == {**OTHER, "amount": 12.5}
    assert refused.decision == Rejected(reason="Too much")
    page = await lee.open(desk.link(a))
    assert "Reject all 1" in page.text


async def test_of_a_plan_one_call_gets_its_result_by_hand(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)
    typed = {f"{a}.choice": "approve", f"{b}.choice": "answer"}
    empty = await lee.send(desk.link(a), decision="each", typed=typed)
    assert empty.status_code == 422
    assert "Write the result of Refund first." in empty.text
    assert await decisions(desk, a, b) == ["", ""]

    assert (await lee.send(desk.link(a), decision="each", typed={**typed, f"{b}.words": "Paid"})).status_code == 303

    decided = (await desk.facts(b)).decided
    assert decided is not None
    assert decided.decision == Answered(text="Paid")
    assert await desk.outcome(a) == "approved"


async def test_a_wrong_field_in_a_plan_is_named_and_nothing_of_the_plan_is_decided(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)
    typed = {f"{a}.choice": "approve", f"{b}.choice": "approve", f"{b}.argument.amount": "9000"}

    page = await lee.send(desk.link(a), decision="each", typed=typed)

    assert page.status_code == 422
    assert f'href="#field-{b}.argument.amount"' in page.text
    assert "less than or equal to 500" in page.text
    assert 'value="9000"' in page.text
    assert await decisions(desk, a, b) == ["", ""]


async def test_a_change_to_a_call_that_is_left_open_is_asked_about(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)
    typed = {f"{a}.choice": "leave", f"{b}.choice": "leave", f"{b}.argument.amount": "9"}

    page = await lee.send(desk.link(a), decision="each", typed=typed)

    assert page.status_code == 422
    assert "You changed this, and left the call open." in page.text


async def test_a_plan_of_which_everything_is_left_open_is_not_sent(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)

    for values in ({f"{a}.choice": "leave", f"{b}.choice": "leave"}, {f"{a}.choice": "perhaps"}):
        assert (await lee.send(desk.link(a), decision="each", typed=values)).status_code == 422

    assert await decisions(desk, a, b) == ["", ""]


async def test_approving_all_does_not_approve_what_joined_the_plan_after_it_was_shown(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)
    page = await lee.open(desk.link(a))
    late = desk.request("call", {**OTHER, "amount": 499.0}, plan=a, call_id="c9")
    await desk.threads.inform((await desk.facts(a)).thread_id, [late])

    assert (await lee.send(desk.link(a), page, decision="all")).status_code == 303

    assert await decisions(desk, a, b, late.approval_id) == ["approved", "approved", ""]


async def test_of_a_plan_a_person_decides_only_their_part(desk: Desk, lee: Visitor) -> None:
    a = await desk.ask()
    theirs = desk.request("call", OTHER, plan=a, call_id="c2", approvers=Approvers(people=("mia",)))
    await desk.threads.inform((await desk.facts(a)).thread_id, [theirs])

    page = await lee.open(desk.link(a))
    assert "Only these may decide this: mia." in page.text
    assert "Approve all 1" in page.text
    forged = {f"{theirs.approval_id}.digest": theirs.digest}
    assert (await lee.send(desk.link(a), page, decision="all", typed=forged)).status_code == 303

    assert await decisions(desk, a, theirs.approval_id) == ["approved", ""]


async def test_what_of_a_plan_was_decided_meanwhile_stays_as_it_is(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)
    page = await lee.open(desk.link(a))
    await desk.decide(b, Rejected())

    assert (await lee.send(desk.link(a), page, decision="all")).status_code == 303
    assert await decisions(desk, a, b) == ["approved", "rejected"]


async def test_a_question_about_one_call_of_a_plan_is_put_to_that_call(desk: Desk, lee: Visitor) -> None:
    a, b = await desk.plan(OTHER)

    await lee.send(desk.link(a), decision="remark", of=b, text="Why this one?")

    assert (await desk.facts(a)).record.remarks == ()
    assert len((await desk.facts(b)).record.remarks) == 1


async def test_a_form_cannot_reach_an_approval_that_the_page_is_not_about(desk: Desk, lee: Visitor) -> None:
    (a, _), other = await desk.plan(OTHER), await desk.ask()
    digest = refund.digest(ARGUMENTS)

    for values in ({"decision": "approve", "of": other, "digest": digest}, {"decision": "remark", "of": other}):
        assert (await lee.send(desk.link(a), typed={"text": "x", **values})).status_code == 422
    await lee.send(desk.link(a), decision="each", typed={f"{other}.choice": "approve", f"{other}.digest": digest})

    assert await desk.outcome(other) == ""
    assert (await desk.facts(other)).record.remarks == ()


@pytest.mark.parametrize("decision", ["all", "none", "each", "grant", "look"])
async def test_odd_forms_are_refused_and_do_no_harm(desk: Desk, lee: Visitor, decision: str) -> None:
    question = await desk.ask("question")

    page: httpx.Response = await lee.send(desk.link(question), decision=decision)

    assert page.status_code in {403, 422}
    assert await desk.outcome(question) == ""


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(
        ["all", "each", "all", "each", "none", "approve", "edit", "reject", "answer", "remark", "look", "grant", ""]
    ),
    st.lists(st.sampled_from(["approve", "reject", "leave", "answer", "", "all"]), min_size=3, max_size=3),
    st.lists(st.sampled_from(["right"] * 9 + ["of another call", "of before", "none"]), min_size=3, max_size=3),
    st.dictionaries(
        st.sampled_from(["amount", "order_id", "tags", "note", "x"]), st.text(max_size=12) | st.just("12"), max_size=3
    ),
)
async def test_whatever_a_form_says_a_call_is_approved_only_by_a_yes_with_its_own_digest(
    desk: Desk, lee: Visitor, decision: str, choices: list[str], digests: list[str], typed: dict[str, str]
) -> None:
    calls: list[JsonObject] = [ARGUMENTS, OTHER, {**OTHER, "amount": 16.0}]
    asked = await desk.plan(*calls[1:])
    values = {"decision": decision, "of": asked[0], "digest": "wrong", "text": "x", "reason": "y"}
    said_yes = dict.fromkeys(asked, False)
    for number, (each, choice, digest) in enumerate(zip(asked, choices, digests, strict=True)):
        right, other = refund.digest(calls[number]), refund.digest(calls[number - 1])
        given_digest = {"right": right, "of another call": other, "of before": "d" * 64, "none": ""}[digest]
        values |= {f"{each}.choice": choice, f"{each}.digest": given_digest}
        values |= {f"{each}.argument.{name}": text for name, text in typed.items()} if number == 1 else {}
        said_yes[each] = given_digest == right and (decision == "all" or (decision == "each" and choice == "approve"))

    page = await lee.send(desk.link(asked[0]), typed=values)

    assert page.status_code in {200, 303, 403, 409, 422}
    approved = {each for each in asked if await desk.outcome(each) == "approved"}
    assert all(said_yes[each] for each in approved)
    assert not approved or approved == {each for each in asked if said_yes[each]}, "all of it or nothing"
