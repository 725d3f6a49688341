"""Signing in: a link to a known address, used once by its button; a session that ends, and at once when it must."""

import asyncio
import re
from dataclasses import replace

import httpx
import pytest

from approvals import token
from approvals.people import Directory
from bot.sign_in import SignIn
from store.sign_ins import SignIns
from tests.desk import PEOPLE, SECRETS, Desk
from tests.integration.pages.conftest import PUBLIC_URL, Letters, Visitor, application, browser_at, hidden


def sign_in_of(desk: Desk) -> SignIn:
    """As the pages have it."""
    rows = SignIns(desk.database, desk.clock)
    return SignIn(rows, desk.gate.directory, SECRETS, desk.clock, desk.ids, PUBLIC_URL)


async def is_signed_in(visitor: Visitor) -> bool:
    return (await visitor.client.get("/twokey/inbox")).status_code == 200


async def a_link(desk: Desk, person: int = 1) -> str:
    """The path of a sign-in link for one of the people; Lee's."""
    link = await sign_in_of(desk).link(PEOPLE[person])
    assert link is not None
    return link.removeprefix("https://agent.example")


async def test_a_person_signs_in_by_the_link_that_is_mailed_to_them(visitor: Visitor, letters: Letters) -> None:
    away = await visitor.client.get("/twokey/inbox")
    assert (away.status_code, away.headers["location"]) == (303, "/twokey/inbox/sign-in")

    entered = await visitor.sign_in(" LEE@acme.example ")

    assert (entered.status_code, entered.headers["location"]) == (303, "/twokey/inbox")
    assert letters.sent[0][0] == "lee@acme.example", "as people.yaml has it"
    assert "203.0.113.7" in letters.sent[0][2]
    assert await is_signed_in(visitor)


async def test_an_address_that_is_a_known_one_only_to_unicode_gets_no_link(desk: Desk, letters: Letters) -> None:
    kim = PEOPLE[1].model_copy(update={"id": "kim", "email": ("kim@acme.example",), "api_tokens": (), "slack": {}})
    desk.gate = replace(desk.gate, directory=Directory([*PEOPLE, kim]))
    async with browser_at(desk, letters) as stranger:
        await stranger.ask_for_a_link("\N{KELVIN SIGN}im@acme.example")
        await asyncio.sleep(0.1)

    assert {address for address, _, _ in letters.sent} <= {"kim@acme.example"}, "another's mailbox, to a mail server"


@pytest.mark.parametrize("before", ["", "::1%"])
async def test_what_a_stranger_gives_for_their_address_is_not_mailed_to_anybody(
    desk: Desk, letters: Letters, before: str
) -> None:
    transport = httpx.ASGITransport(
        application(desk, letters=letters), client=(f"{before}[Sign in here](https://evil.example)", 0)
    )
    async with httpx.AsyncClient(transport=transport, base_url="https://agent.example") as client:
        await Visitor(client, letters).sign_in("lee@acme.example")

    assert "evil" not in letters.sent[0][2], "of a proxy that believes whatever X-Forwarded-For says"


async def test_an_unknown_address_gets_the_same_answer_and_no_mail(visitor: Visitor, letters: Letters) -> None:
    pages = [await visitor.ask_for_a_link(each) for each in ("lee@acme.example", "nobody@acme.example")]
    await asyncio.sleep(0.1)

    known, unknown = (re.sub(r'value="[^"]*"', "", page.text) for page in pages)
    assert known == unknown
    assert "If that address is one that we know" in known
    assert [page.status_code for page in pages] == [200, 200]
    assert [address for address, _, _ in letters.sent] == ["lee@acme.example"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_scanner_that_follows_the_link_does_not_use_it_up(desk: Desk, visitor: Visitor, method: str) -> None:
    path = await a_link(desk)
    for _ in range(3):
        assert (await visitor.client.request(method, path)).status_code == 200
    assert not await is_signed_in(visitor)

    assert (await visitor.enter(path)).status_code == 303
    assert await is_signed_in(visitor)


async def test_a_link_signs_in_once(desk: Desk, visitor: Visitor, letters: Letters) -> None:
    path = await a_link(desk)
    page = await visitor.client.get(path)
    await visitor.enter(path)

    async with browser_at(desk, letters) as thief:
        assert (await thief.client.get(path)).status_code == 410
        form = hidden(await thief.client.get("/twokey/inbox/sign-in"))
        assert (await thief.client.post(path, data=form)).status_code == 403
        assert not await is_signed_in(thief)
    assert (await visitor.client.post(path, data=hidden(page))).status_code in {403, 410}


async def test_two_who_use_a_link_at_once_do_not_both_get_in(desk: Desk, letters: Letters) -> None:
    path = await a_link(desk)
    async with browser_at(desk, letters) as one, browser_at(desk, letters) as other:
        forms = [hidden(await each.client.get(path)) for each in (one, other)]
        found = await asyncio.gather(
            *(each.client.post(path, data=form) for each, form in zip((one, other), forms, strict=True))
        )

    assert sorted(each.status_code for each in found) == [303, 410]


async def test_a_link_is_good_for_a_quarter_of_an_hour(desk: Desk, visitor: Visitor) -> None:
    path = await a_link(desk)
    page = await visitor.client.get(path)
    desk.clock.move(15 * 60)

    assert (await visitor.client.post(path, data=hidden(page))).status_code == 410
    assert (await visitor.client.get(path)).status_code == 410


async def test_forged_tokens_and_tokens_for_something_else_sign_nobody_in(desk: Desk, visitor: Visitor) -> None:
    asked = await desk.ask()
    sign_in = token.unsealed("sign-in", (await a_link(desk)).rpartition("/")[2], SECRETS)
    foreign = token.sealed("sign-in", sign_in, ["another secret of forty characters, or so"])
    for text in (desk.link(asked), token.sealed("session", sign_in, SECRETS), foreign, sign_in, "x.y", "ä", "." * 3000):
        assert (await visitor.client.get(f"/twokey/inbox/sign-in/{text}")).status_code == 410
    for kept in (token.sealed("sign-in", sign_in, SECRETS), desk.link(asked), sign_in, "x"):
        visitor.client.cookies.set("twokey_session", kept)
        assert not await is_signed_in(visitor)


async def test_a_link_that_nobody_used_is_no_session(desk: Desk, visitor: Visitor) -> None:
    sign_in = token.unsealed("sign-in", (await a_link(desk)).rpartition("/")[2], SECRETS)
    visitor.client.cookies.set("twokey_session", token.sealed("session", sign_in, SECRETS))

    assert not await is_signed_in(visitor)


async def test_a_key_that_was_changed_leaves_people_signed_in_while_the_old_one_is_listed(desk: Desk) -> None:
    sign_in = sign_in_of(desk)
    session = await sign_in.accept_link((await a_link(desk)).rpartition("/")[2])
    assert session is not None
    kept, new = sign_in.kept(session), "the new secret of forty characters, or so"

    assert await replace(sign_in, secrets=(new, *SECRETS)).session(kept) is not None
    assert await replace(sign_in, secrets=(new,)).session(kept) is None


async def test_only_so_many_links_are_mailed_to_an_address_at_a_time(visitor: Visitor, letters: Letters) -> None:
    found = [await visitor.ask_for_a_link("lee@acme.example") for _ in range(8)]
    await asyncio.sleep(0.2)

    assert {page.status_code for page in found} == {200}
    assert len(letters.sent) == 4, "each of which still signs in whoever reads them"


async def test_links_that_strangers_ask_for_lock_nobody_out_of_the_ones_they_make_themselves(
    desk: Desk, visitor: Visitor, letters: Letters
) -> None:
    for _ in range(8):
        await visitor.ask_for_a_link("lee@acme.example")
    await asyncio.sleep(0.2)

    link = await sign_in_of(desk).link(PEOPLE[1], asked_by="themselves")

    assert len(letters.sent) == 4
    assert link is not None, "by Slack's Home tab or on the command line, where it is known who asks"
    assert (await visitor.enter(link.removeprefix("https://agent.example"))).status_code == 303
    assert await is_signed_in(visitor)


async def test_a_service_never_signs_in(desk: Desk) -> None:
    sign_in = sign_in_of(desk)

    assert await sign_in.link(PEOPLE[3]) is None
    assert await sign_in.code(PEOPLE[3], "form_a") is None


async def test_another_site_signs_nobody_in_or_out(desk: Desk, lee: Visitor, visitor: Visitor) -> None:
    path = await a_link(desk)
    assert (await visitor.client.post(path)).status_code == 403
    assert (await visitor.client.post("/twokey/inbox/sign-in", data={"address": "lee@acme.example"})).status_code == 403
    assert (await lee.client.post("/twokey/inbox/sign-out", data={"where": "everywhere"})).status_code == 403

    assert not await is_signed_in(visitor)
    assert await is_signed_in(lee)
    assert (await visitor.client.get(path)).status_code == 200


async def test_the_session_is_kept_out_of_reach_of_scripts_and_of_other_sites(desk: Desk, visitor: Visitor) -> None:
    entered = await visitor.enter(await a_link(desk))

    (cookie,) = (each for each in entered.headers.get_list("set-cookie") if each.startswith("twokey_session="))
    assert set(cookie.split("; ")[1:]) == {"HttpOnly", "Secure", "SameSite=lax", "Path=/twokey", "Max-Age=7776000"}


@pytest.mark.parametrize("approval", ["", "//evil.example", "../../x", "apr_x", "https://evil.example"])
async def test_signing_in_leads_to_the_inbox_and_never_to_an_address_that_a_link_names(
    desk: Desk, visitor: Visitor, approval: str
) -> None:
    path = await a_link(desk)
    form = hidden(await visitor.client.get(path, params={"approval": approval}))

    entered = await visitor.client.post(path, data={**form, "approval": approval})

    assert entered.headers["location"] == "/twokey/inbox"


async def test_whoever_came_for_an_approval_is_led_to_it_after_signing_in(
    desk: Desk, visitor: Visitor, letters: Letters
) -> None:
    asked = await desk.ask()
    first = await visitor.client.get(f"/twokey/inbox/approvals/{asked}")
    assert first.status_code == 401
    assert f'href="/twokey/inbox/sign-in?approval={asked}"' in first.text
    form = hidden(await visitor.client.get("/twokey/inbox/sign-in", params={"approval": asked}))
    await visitor.client.post("/twokey/inbox/sign-in", data={**form, "address": "lee@acme.example"})
    async with asyncio.timeout(5):
        while not letters.sent:
            await asyncio.sleep(0.005)

    entered = await visitor.enter(letters.path)

    assert entered.headers["location"] == f"/twokey/inbox/approvals/{asked}"


@pytest.mark.parametrize("address", ["", "lee", " "])
async def test_what_is_no_address_is_told_to_whoever_typed_it(visitor: Visitor, address: str) -> None:
    page = await visitor.ask_for_a_link(address)

    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text


async def test_mail_that_is_down_is_not_told_by_the_answer(visitor: Visitor, letters: Letters) -> None:
    letters.is_down = True

    page = await visitor.ask_for_a_link("lee@acme.example")
    await asyncio.sleep(0.05)

    assert page.status_code == 200
    assert "If that address is one that we know" in page.text
