"""Looking at an approval changes nothing, shows all of it, and leaks nothing."""

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.events import ToolFailed
from agent.verdict import Answered, Approved, Approvers, Cancelled, Decider, Expired, Rejected
from approvals.people import Directory
from approvals.token import link_token
from tests.desk import ARGUMENTS, LEE, PEOPLE, SECRETS, Desk, desk_at
from tests.integration.pages.conftest import Letters, Visitor, application

BY_LEE = {"by": Decider(person="lee", identity=LEE, via="slack")}


async def test_an_open_approval_is_shown_with_all_that_it_is_about(desk: Desk, lee: Visitor) -> None:
    page = await lee.open(desk.link(await desk.ask(preview="40.00 EUR go to Sam.")))

    assert page.status_code == 200
    for text in ("Refund", "Lee Chen", "Ada Okafor", "1042", "40.0", "40.00 EUR go to Sam.", "sends money out"):
        assert text in page.text
    for button in ("approve", "edit", "reject"):
        assert f'name="decision" value="{button}"' in page.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_decides_nothing(desk: Desk, visitor: Visitor, method: str) -> None:
    asked = await desk.ask()
    before = await desk.threads.entries((await desk.facts(asked)).thread_id)

    page = await visitor.client.request(method, f"/twokey/approvals/{desk.link(asked)}?decision=approve")

    assert page.status_code == 200
    assert await desk.threads.entries((await desk.facts(asked)).thread_id) == before


async def test_the_page_is_not_cached_indexed_framed_run_or_sent_on(desk: Desk, visitor: Visitor) -> None:
    for page in (await visitor.open(desk.link(await desk.ask())), await visitor.open("forged")):
        policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))

        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-robots-tag"] == "noindex, nofollow"
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "script" not in page.headers["content-security-policy"]
        assert "<script" not in page.text
        assert not re.search(r"\s(style|on\w+)=", page.text)


async def test_the_style_is_the_one_that_the_policy_names(desk: Desk, visitor: Visitor) -> None:
    page = await visitor.open(desk.link(await desk.ask()))

    styles = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)

    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in page.headers["content-security-policy"]


async def test_the_page_leads_to_nothing_but_the_inbox_under_the_path_that_people_know(
    desk: Desk, visitor: Visitor, lee: Visitor
) -> None:
    asked = desk.link(await desk.ask())
    pages = [await visitor.open(asked), await lee.open(asked), await lee.client.get("/twokey/inbox")]

    found = {link for page in pages for link in re.findall(r'(?:href|src|action)="([^"#][^"]*)"', page.text)}
    assert len(found) >= 3
    assert all(link == "data:," or link.startswith("/twokey/inbox") for link in found), found


@pytest.mark.parametrize(
    "public_url, attributes",
    [
        ("https://agent.example/twokey", {"Path=/twokey", "Secure", "HttpOnly", "SameSite=lax"}),
        ("http://localhost:8080", {"Path=/", "HttpOnly", "SameSite=lax"}),
    ],
)
async def test_the_cookie_belongs_to_these_pages_alone(desk: Desk, public_url: str, attributes: set[str]) -> None:
    transport = httpx.ASGITransport(application(desk, public_url))
    async with httpx.AsyncClient(transport=transport, base_url="https://agent.example") as client:
        page = await client.get(f"/twokey/approvals/{desk.link(await desk.ask())}")

    name_and_value, *found = page.headers["set-cookie"].split("; ")
    assert name_and_value.startswith("twokey_form=")
    assert set(found) == attributes


async def test_a_second_page_in_the_same_browser_keeps_the_cookie_of_the_first(desk: Desk, lee: Visitor) -> None:
    first, second = desk.link(await desk.ask()), desk.link(await desk.ask())
    opened = await lee.open(first)
    await lee.open(second)

    assert (await lee.send(first, opened, decision="approve")).status_code == 303


async def test_everything_is_escaped_and_what_cannot_be_seen_is_shown(desk: Desk, lee: Visitor) -> None:
    evil = "<img src=x onerror=alert(1)>\u202egnp\u200b"
    asked = await desk.ask(
        arguments={"order_id": evil, "amount": 1.0, evil: {evil: [evil]}}, title=evil, why=evil, preview=evil, rule=evil
    )

    page = await lee.open(desk.link(asked))

    assert page.status_code == 200
    assert "<img" not in page.text
    assert not re.search("[\u202e\u200b]", re.sub(r"<[^>]*>", "", page.text.split("<textarea")[0]))
    assert "Look closely" in page.text
    assert page.text.count("U+202E") >= 8


async def test_arguments_are_shown_in_full(desk: Desk, visitor: Visitor) -> None:
    text = " ".join(str(number) for number in range(20_000))

    page = await visitor.open(desk.link(await desk.ask(arguments={**ARGUMENTS, "note": text})))

    assert text in page.text


async def test_text_that_looks_like_a_number_is_told_from_one(desk: Desk, visitor: Visitor) -> None:
    page = await visitor.open(desk.link(await desk.ask(arguments={"order_id": "1042", "amount": 40.0})))

    assert page.text.count("(text)") == 1


@pytest.mark.parametrize(
    "decision, status, says",
    [
        (Approved(digest="d", arguments={**ARGUMENTS, "amount": 25.0}), 200, "Approved by Lee Chen in Slack"),
        (Rejected(reason="Not <again>"), 200, "Not &lt;again&gt;"),
        (Expired(), 410, "Nobody decided before"),
        (Cancelled(reason="No longer wanted"), 200, "No longer wanted"),
    ],
)
async def test_a_settled_approval_shows_what_stands_and_no_form(
    desk: Desk, lee: Visitor, decision: Approved | Rejected | Expired | Cancelled, status: int, says: str
) -> None:
    asked = await desk.ask()
    await desk.decide(asked, decision, **BY_LEE)

    page = await lee.open(desk.link(asked))

    assert page.status_code == status
    assert says in page.text
    assert "<form" not in page.text


async def test_an_answer_is_shown_with_its_words(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask("question")
    await desk.decide(asked, Answered(text="Berlin"), **BY_LEE)

    assert "Berlin" in (await lee.open(desk.link(asked))).text


async def test_what_became_of_an_approved_call_is_shown(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    await desk.decide(asked, Approved(digest="d"), **BY_LEE)
    failed = ToolFailed(at=desk.clock.now(), call_id="c1", approval_id=asked, why="raised", error="no such order")
    await desk.threads.inform((await desk.facts(asked)).thread_id, [failed])

    assert "It was tried, and failed: <span" in (await lee.open(desk.link(asked))).text


async def test_an_approval_whose_time_is_up_cannot_be_decided_though_nobody_noted_it_yet(
    desk: Desk, lee: Visitor
) -> None:
    asked = await desk.ask()
    link = desk.link(asked, seconds=1e6)
    desk.clock.move(86_400)

    page = await lee.open(link)

    assert page.status_code == 410
    assert "<form" not in page.text


async def test_an_expired_link_still_says_what_stands_and_no_more(desk: Desk, visitor: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked)
    await desk.decide(asked, Rejected(reason="a private reason"), **BY_LEE)
    desk.clock.move(86_401)

    page = await visitor.open(link)

    assert page.status_code == 410
    assert "Rejected by Lee Chen" in page.text
    assert "1042" not in page.text
    assert "a private reason" not in page.text


@pytest.mark.parametrize("link", ["x", "x.y", "WyJh.bbbb", "%00", "%ff%fe", "ä.ö", "." * 3000])
async def test_a_link_that_we_did_not_sign_is_not_found(visitor: Visitor, link: str) -> None:
    assert (await visitor.open(link)).status_code == 404


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.replace("/", "")))
async def test_no_link_and_no_form_makes_the_page_fail(desk: Desk, visitor: Visitor, body: bytes, link: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    signed = link_token(await desk.ask(), "lee", SECRETS, desk.clock.now().replace(year=2027))
    for path in (signed, quote(link, safe="") or "x", signed + "x"):
        page = await visitor.client.post(f"/twokey/approvals/{path}", content=body, headers=form)
        assert page.status_code in {400, 403, 404, 405, 422}


async def test_a_link_to_an_approval_that_is_gone_is_not_found(desk: Desk, visitor: Visitor) -> None:
    assert (await visitor.open(desk.link("apr_aaaaaaaaaaaaaaaaaaaa"))).status_code == 404


@pytest.mark.parametrize("person", ["ada", "crm", "nobody", ""])
async def test_who_may_not_decide_learns_why_and_sees_no_details(desk: Desk, visitor: Visitor, person: str) -> None:
    page = await visitor.open(desk.link(await desk.ask(), person))

    assert page.status_code == 403
    assert "Waiting for a decision" in page.text
    assert "1042" not in page.text
    assert "<form" not in page.text


async def test_whoever_asked_may_not_decide_where_a_second_person_is_wanted(desk: Desk, visitor: Visitor) -> None:
    asked = await desk.ask(requester=LEE, approvers=Approvers(roles=("finance",), requester=False))

    assert (await visitor.open(desk.link(asked, "lee"))).status_code == 403
    assert (await visitor.open(desk.link(asked, "mia"))).status_code == 200


async def test_a_person_who_lost_the_role_may_no_longer_decide(desk: Desk) -> None:
    asked = await desk.ask()
    demoted = Directory(each if each.id != "lee" else each.model_copy(update={"roles": ()}) for each in PEOPLE)
    desk.gate = replace(desk.gate, directory=demoted)
    transport = httpx.ASGITransport(application(desk))
    async with httpx.AsyncClient(transport=transport, base_url="https://agent.example") as client:
        assert (await Visitor(client, Letters()).open(desk.link(asked))).status_code == 403


async def test_when_the_store_is_down_the_visitor_is_told_so(tmp_path: Path) -> None:
    async with desk_at(tmp_path, is_down=True) as desk:
        transport = httpx.ASGITransport(application(desk))
        async with httpx.AsyncClient(transport=transport, base_url="https://agent.example") as client:
            page = await Visitor(client, Letters()).open(desk.link("apr_aaaaaaaaaaaaaaaaaaaa"))

    assert page.status_code == 503
    assert "Not available just now" in page.text
