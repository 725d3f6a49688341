"""Only the form of the page decides, once, as the person whom the link was made for."""

import httpx
import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agent.conversation import JsonObject
from agent.thread import IT_HAPPENED, RUN_AGAIN
from agent.verdict import Answered, Approved, Approvers, Decider, Rejected
from tests.desk import ARGUMENTS, MIA, Desk, refund
from tests.integration.pages.conftest import Letters, Visitor, application, hidden, refusals


async def test_approving_settles_it_as_that_person_and_leads_back_to_the_page(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked)

    sent = await lee.send(link, decision="approve")

    assert sent.status_code == 303
    page = await lee.client.get(sent.next_request.url if sent.next_request else "")
    assert page.url.path == f"/twokey/approvals/{link}"
    assert "Approved by Lee Chen on the web" in page.text
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(ARGUMENTS))
    assert decided.by is not None
    assert (decided.by.person, decided.by.via) == ("lee", "web")


async def test_rejecting_carries_the_reason(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()

    await lee.send(desk.link(asked), decision="reject", reason="Too much.\r\nAsk again.\x00 ")

    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Rejected(reason="Too much.\nAsk again.")


async def test_editing_approves_the_changed_call(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    typed = {"argument.amount": "12.50", "argument.currency": '"USD"', "argument.tags": '["vip"]'}

    assert (await lee.send(desk.link(asked), decision="edit", typed=typed)).status_code == 303

    after: JsonObject = {**ARGUMENTS, "amount": 12.5, "currency": "USD", "tags": ["vip"]}
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(after), arguments=after)


async def test_editing_nothing_approves_what_was_proposed(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()

    untouched = {"argument.order_id": "1042", "argument.amount": "40.0"}
    await lee.send(desk.link(asked), decision="edit", typed=untouched)

    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(ARGUMENTS))


@pytest.mark.parametrize(
    "typed, beside, says",
    [
        ({"argument.amount": "12,50"}, "amount", "This must be a number"),
        ({"argument.amount": "9000"}, "amount", "less than or equal to 500"),
        ({"argument.tags": "[1]"}, "tags", "valid string"),
        ({"argument.copies": "x", "argument.order_id": "1 & 2"}, "copies", "whole number"),
    ],
)
async def test_a_wrong_field_is_named_and_what_was_typed_is_kept(
    desk: Desk, lee: Visitor, typed: dict[str, str], beside: str, says: str
) -> None:
    asked = await desk.ask()

    page = await lee.send(desk.link(asked), decision="edit", typed=typed)

    assert page.status_code == 422
    assert await desk.outcome(asked) == ""
    assert '<section class="alert" role="alert">' in page.text
    field = page.text.split(f'name="argument.{beside}"')[1].split("</div>")[0]
    assert 'aria-invalid="true"' in field
    assert says in field
    assert all(value.replace("&", "&amp;") in page.text for value in typed.values())


async def test_a_question_is_answered_in_words_or_by_a_choice(desk: Desk, lee: Visitor) -> None:
    in_words, by_choice = await desk.ask("question"), await desk.ask("question", choices=("Berlin", "Lyon"))

    assert (await lee.send(desk.link(in_words), decision="answer", text=" ")).status_code == 422
    assert (await lee.send(desk.link(in_words), decision="answer", text="The one in Lyon")).status_code == 303
    for wrong in ("2", "-1", "x", "", "²"):
        assert (await lee.send(desk.link(by_choice), decision="choose", choice=wrong)).status_code == 422
    assert (await lee.send(desk.link(by_choice), decision="choose", choice="1")).status_code == 303

    for asked, text in ((in_words, "The one in Lyon"), (by_choice, "Lyon")):
        decided = (await desk.facts(asked)).decided
        assert decided is not None
        assert decided.decision == Answered(text=text)


@pytest.mark.parametrize("number, text", [("0", IT_HAPPENED), ("1", RUN_AGAIN)])
async def test_a_call_in_doubt_is_settled_by_one_of_its_answers(
    desk: Desk, lee: Visitor, number: str, text: str
) -> None:
    asked = await desk.ask("in_doubt")

    assert (await lee.send(desk.link(asked), decision="answer", text="perhaps")).status_code == 422
    assert (await lee.send(desk.link(asked), decision="approve")).status_code == 422
    assert (await lee.send(desk.link(asked), decision="choose", choice=number)).status_code == 303

    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Answered(text=text)


async def test_a_question_to_whoever_is_in_the_thread_is_answered_through_a_link_to_nobody(
    desk: Desk, lee: Visitor
) -> None:
    asked = await desk.ask("trouble", choices=("Try again", "Stop"), approvers=Approvers(anyone_in_thread=True))
    link = desk.link(asked, person="")

    assert "whoever was mailed the link" in (await lee.open(link)).text
    assert (await lee.send(link, decision="choose", choice="0")).status_code == 303
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.by is not None
    assert (decided.by.person, decided.by.identity.verified) == ("", False)


# --- who is too late, or not entitled -------------------------------------------------------------------------------


async def test_a_double_click_sees_what_the_first_did(desk: Desk, lee: Visitor) -> None:
    link = desk.link(await desk.ask())
    page = await lee.open(link)
    await lee.send(link, page, decision="approve")

    second = await lee.send(link, page, decision="reject")

    assert second.status_code == 200
    assert "Approved by Lee Chen" in second.text
    assert 'role="alert"' not in second.text


async def test_whoever_comes_second_is_told_who_was_first(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked)
    page = await lee.open(link)
    await desk.decide(asked, Rejected(), by=Decider(person="mia", identity=MIA, via="slack"))

    second = await lee.send(link, page, decision="approve")

    assert second.status_code == 409
    assert "Mia Novak was first" in second.text
    assert await desk.outcome(asked) == "rejected"


async def test_a_decision_after_the_time_is_up_does_not_count(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked, seconds=1e6)
    page = await lee.open(link)
    desk.clock.move(86_400)

    assert (await lee.send(link, page, decision="approve")).status_code == 410
    assert await desk.outcome(asked) == "expired"


async def test_an_attempt_without_the_right_is_refused_and_on_record(desk: Desk, visitor: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked, "ada")

    refused = await visitor.send(link, decision="approve")

    assert refused.status_code == 403
    assert "Only these may decide this: role finance." in refused.text
    assert await desk.outcome(asked) == ""
    (record,) = await refusals(desk, asked)
    assert (record.reason, record.by.identity.id) == ("Only these may decide this: role finance.", "ada")
    assert (record.by.person, record.by.address, record.by.user_agent) == ("", "203.0.113.7", "Browser/1.0")


async def test_a_decision_is_on_record_with_the_address_and_the_browser_it_came_from(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()

    await lee.send(desk.link(asked), decision="approve")

    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.by is not None
    assert (decided.by.address, decided.by.user_agent) == ("203.0.113.7", "Browser/1.0")


async def test_what_changed_since_it_was_shown_is_not_approved(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask(digest="of another schema")

    page = await lee.send(desk.link(asked), decision="approve")

    assert page.status_code == 409
    assert "no longer what was shown" in page.text
    assert await desk.outcome(asked) == ""
    assert (await lee.send(desk.link(asked), decision="reject")).status_code == 303


# --- forged forms ---------------------------------------------------------------------------------------------------


async def test_a_form_without_its_cookie_decides_nothing(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked)
    values = hidden(await lee.open(link))
    lee.client.cookies.clear()

    answered = await lee.client.post(f"/twokey/approvals/{link}", data={**values, "decision": "approve"})

    assert answered.status_code == 403
    assert await desk.outcome(asked) == ""


@pytest.mark.parametrize("csrf", ["", "a" * 16, "ä"])
async def test_a_form_without_its_token_decides_nothing(desk: Desk, lee: Visitor, csrf: str) -> None:
    asked = await desk.ask()

    assert (await lee.send(desk.link(asked), csrf=csrf, decision="approve")).status_code == 403
    assert await desk.outcome(asked) == ""


async def test_the_token_of_one_page_is_no_good_for_another(desk: Desk, lee: Visitor) -> None:
    one, other = desk.link(await desk.ask()), await desk.ask()

    sent = await lee.send(desk.link(other), await lee.open(one), decision="approve")

    assert sent.status_code == 403
    assert await desk.outcome(other) == ""


async def test_the_token_of_one_browser_is_no_good_in_another(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(desk)), base_url="https://agent.example"
    ) as theirs:
        stolen = await Visitor(theirs, lee.letters).open(link)

    await lee.open(link)
    assert (await lee.send(link, stolen, decision="approve")).status_code == 403
    assert await desk.outcome(asked) == ""


@pytest.mark.parametrize("decision", ["", "yes", "APPROVE", "approve "])
async def test_a_vague_decision_decides_nothing(desk: Desk, lee: Visitor, decision: str) -> None:
    asked = await desk.ask()

    assert (await lee.send(desk.link(asked), decision=decision)).status_code == 422
    assert await desk.outcome(asked) == ""


async def test_a_form_of_more_than_a_mebibyte_is_not_read(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()

    assert (await lee.send(desk.link(asked), decision="reject", reason="x" * 1_100_000)).status_code == 413
    assert await desk.outcome(asked) == ""


@pytest.mark.parametrize("trusted, address", [("203.0.113.7", "198.51.100.9"), ("127.0.0.1", "203.0.113.7")])
async def test_the_address_on_record_is_the_peers_or_what_a_trusted_proxy_says(
    desk: Desk, letters: Letters, trusted: str, address: str
) -> None:
    asked = await desk.ask()
    app = application(desk, letters=letters)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 4711))
    headers = {"x-forwarded-for": "198.51.100.9"}
    async with httpx.AsyncClient(transport=transport, base_url="https://agent.example", headers=headers) as client:
        await Visitor(client, letters).send(desk.link(asked), decision="approve")

    assert [record.by.address for record in await refusals(desk, asked)] == [address]
