"""The inbox: what waits for whoever is signed in, and each approval as that person, without a link of its own."""

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from agent.verdict import Approvers, Rejected
from approvals.decision import Approve
from approvals.people import Directory
from tests.desk import ARGUMENTS, LEE, MIA, PEOPLE, Desk, refund
from tests.integration.pages.conftest import Letters, Visitor, browser_at, hidden, refusals

EVIL = "<img src=x onerror=alert(1)>\u202egnp\u200b"


async def inbox(visitor: Visitor) -> str:
    """What stands there."""
    page = await visitor.client.get("/twokey/inbox")
    assert page.status_code == 200
    return page.text


def listed(text: str, section: str) -> list[str]:
    """Ids of the approvals in that list."""
    part = text.partition(f'aria-labelledby="{section}"')[2].partition("</section>")[0]
    return re.findall(r'href="/twokey/inbox/approvals/(\w+)"', part)


async def post(visitor: Visitor, asked: str, page: httpx.Response | None = None, **values: str) -> httpx.Response:
    """A form of the approval's page in the inbox."""
    path = f"/twokey/inbox/approvals/{asked}"
    page = page or await visitor.client.get(path)
    return await visitor.client.post(path, data={**hidden(page), **values})


async def test_the_inbox_lists_what_waits_for_the_person_and_what_they_had_a_say_in(desk: Desk, lee: Visitor) -> None:
    soon = await desk.ask(title="Refund soon", expires_at=desk.clock.now() + timedelta(hours=1))
    late, theirs = await desk.ask(title="Refund late"), await desk.ask(approvers=Approvers(people=("mia",)))
    done = await desk.ask(title="Refund done")
    await desk.gate.decide(done, Approve(refund.digest(ARGUMENTS)), LEE, "api")

    text = await inbox(lee)

    assert listed(text, "pending") == [soon, late]
    assert listed(text, "decided") == [done]
    assert theirs not in text
    assert "You are <strong>Lee Chen</strong>" in text


async def test_an_empty_inbox_says_so(lee: Visitor) -> None:
    assert "Nothing waits for your decision." in await inbox(lee)


async def test_an_approval_is_decided_from_the_inbox_as_whoever_is_signed_in(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    page = await lee.client.get(f"/twokey/inbox/approvals/{asked}")
    assert "You decide as <strong>Lee Chen</strong>" in page.text

    sent = await post(lee, asked, page, decision="approve")

    assert sent.status_code == 303
    assert sent.next_request is not None
    assert sent.next_request.url.path == f"/twokey/inbox/approvals/{asked}"
    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.by is not None
    assert (decided.by.person, decided.by.via, decided.by.address) == ("lee", "web", "203.0.113.7")
    assert listed(await inbox(lee), "decided") == [asked]


async def test_whoever_is_not_entitled_sees_no_details_and_a_try_is_on_record(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask(approvers=Approvers(people=("mia",)))
    theirs = await desk.ask()

    page = await lee.client.get(f"/twokey/inbox/approvals/{asked}")
    tried = await post(lee, asked, await lee.client.get(f"/twokey/inbox/approvals/{theirs}"), decision="approve")

    for answer in (page, tried):
        assert answer.status_code == 403
        assert "1042" not in answer.text
    assert await desk.outcome(asked) == ""
    assert [record.by.person for record in await refusals(desk, asked)] == ["lee"]


async def test_whoever_had_a_say_may_look_though_they_may_not_decide_any_more(
    desk: Desk, lee: Visitor, letters: Letters
) -> None:
    asked = await desk.ask()
    await desk.gate.decide(asked, Approve(refund.digest(ARGUMENTS)), LEE, "api")
    without = [each if each.id != "lee" else each.model_copy(update={"roles": ()}) for each in PEOPLE]
    desk.gate = replace(desk.gate, directory=Directory(without))
    async with browser_at(desk, letters) as same:
        same.client.cookies = lee.client.cookies
        page = await same.client.get(f"/twokey/inbox/approvals/{asked}")

    assert page.status_code == 200
    assert "1042" in page.text


async def test_whoever_comes_second_from_the_inbox_is_told_who_was_first(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    page = await lee.client.get(f"/twokey/inbox/approvals/{asked}")
    await desk.gate.decide(asked, Approve(refund.digest(ARGUMENTS)), MIA, "slack")

    second = await post(lee, asked, page, decision="reject")

    assert second.status_code == 409
    assert "Mia Novak was first" in second.text


async def test_two_who_approve_in_two_browsers_settle_what_takes_two(
    desk: Desk, lee: Visitor, letters: Letters
) -> None:
    asked = await desk.ask(approvers=Approvers(roles=("finance",), count=2))
    await post(lee, asked, decision="approve")
    assert await desk.outcome(asked) == ""
    assert listed(await inbox(lee), "pending") == []
    assert listed(await inbox(lee), "decided") == [asked]

    async with browser_at(desk, letters) as mia:
        await mia.sign_in("mia@acme.example")
        assert "Lee Chen approved on the web" in (await mia.client.get(f"/twokey/inbox/approvals/{asked}")).text
        await post(mia, asked, decision="approve")

    assert await desk.outcome(asked) == "approved"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_at_the_inbox_decides_nothing(desk: Desk, lee: Visitor, method: str) -> None:
    asked = await desk.ask()
    before = await desk.threads.entries((await desk.facts(asked)).thread_id)

    for path in ("", f"/approvals/{asked}?decision=approve"):
        assert (await lee.client.request(method, f"/twokey/inbox{path}")).status_code == 200

    assert await desk.threads.entries((await desk.facts(asked)).thread_id) == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_from_another_site_does_nothing(desk: Desk, lee: Visitor, site: str) -> None:
    asked = await desk.ask()
    page = await lee.client.get(f"/twokey/inbox/approvals/{asked}")
    lee.client.headers["sec-fetch-site"] = site

    assert (await post(lee, asked, page, decision="approve")).status_code == 403
    assert await desk.outcome(asked) == ""


async def test_a_form_without_its_token_does_nothing_in_the_inbox(desk: Desk, lee: Visitor) -> None:
    asked, other = await desk.ask(), await desk.ask()
    theirs = hidden(await lee.client.get(f"/twokey/inbox/approvals/{other}"))["csrf"]

    for csrf in ("", "a" * 16, theirs):
        assert (await post(lee, asked, csrf=csrf, decision="approve")).status_code == 403

    assert await desk.outcome(asked) == ""


async def test_a_form_of_one_who_was_signed_in_before_is_not_taken_from_the_next(desk: Desk, visitor: Visitor) -> None:
    asked = await desk.ask()
    await visitor.sign_in("mia@acme.example")
    page = await visitor.client.get(f"/twokey/inbox/approvals/{asked}")
    await visitor.sign_in("lee@acme.example")

    assert (await post(visitor, asked, page, decision="approve")).status_code == 403
    assert await desk.outcome(asked) == ""


async def test_the_inbox_escapes_everything_and_spells_what_cannot_be_seen(desk: Desk, lee: Visitor) -> None:
    waiting = await desk.ask(title=EVIL, why=EVIL)
    done = await desk.ask(title=EVIL)
    await desk.gate.decide(done, Approve(refund.digest(ARGUMENTS)), LEE, "api")

    text = await inbox(lee)

    assert waiting in text
    assert "<img" not in text
    assert not re.search("[\u202e\u200b]", re.sub(r"<[^>]*>", "", text))
    assert text.count("U+202E") >= 3


async def test_the_inbox_has_the_same_strict_headers(desk: Desk, lee: Visitor, visitor: Visitor) -> None:
    for page in (await lee.client.get("/twokey/inbox"), await visitor.client.get("/twokey/inbox/sign-in")):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-frame-options"] == "DENY"
        assert "script" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_a_plan_is_one_line_that_says_how_many_calls_it_is(desk: Desk, lee: Visitor) -> None:
    first, second = await desk.plan({**ARGUMENTS, "amount": 15.0})
    await desk.decide(first, Rejected())

    text = await inbox(lee)

    assert listed(text, "pending") == [first]
    assert "Refund, and 1 more" in text
    assert second not in text


async def test_what_does_not_exist_is_not_found(lee: Visitor) -> None:
    for asked in ("apr_aaaaaaaaaaaaaaaaaaaa", "x", "%00"):
        assert (await lee.client.get(f"/twokey/inbox/approvals/{asked}")).status_code == 404
