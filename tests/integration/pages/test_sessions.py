"""Sessions: they end after silence, after a week, by signing out, and with their person's entry in people.yaml."""

import re
from dataclasses import replace

from approvals.people import Directory
from tests.desk import PEOPLE, Desk
from tests.integration.pages.conftest import Letters, Visitor, browser_at
from tests.integration.pages.test_signing_in import a_link, is_signed_in


async def test_somebody_who_is_removed_from_the_list_is_signed_out_by_that(desk: Desk, lee: Visitor) -> None:
    assert await is_signed_in(lee)
    desk.gate = replace(desk.gate, directory=Directory(each for each in PEOPLE if each.id != "lee"))
    async with browser_at(desk, lee.letters) as same:
        same.client.cookies = lee.client.cookies

        assert not await is_signed_in(same)
        page = await same.client.get(f"/twokey/inbox/approvals/{await desk.ask()}")
        assert page.status_code == 401
        assert "1042" not in page.text


async def test_a_session_ends_after_twelve_hours_of_silence_and_after_a_week_in_any_case(
    desk: Desk, lee: Visitor
) -> None:
    for _ in range(15):
        desk.clock.move(11 * 3600)
        assert await is_signed_in(lee)

    desk.clock.move(3 * 3600)
    assert not await is_signed_in(lee), "a week has passed"


async def test_silence_ends_a_session(desk: Desk, lee: Visitor) -> None:
    desk.clock.move(12 * 3600)

    assert not await is_signed_in(lee)


async def test_signing_out_ends_the_session_also_for_whoever_copied_its_cookie(
    desk: Desk, lee: Visitor, letters: Letters
) -> None:
    async with browser_at(desk, letters) as copied:
        copied.client.cookies.update(lee.client.cookies)
        page = await lee.client.get("/twokey/inbox")
        csrf = re.findall(r'sign-out">\s*<input type="hidden" name="csrf" value="([^"]*)"', page.text)[0]
        assert (await lee.client.post("/twokey/inbox/sign-out", data={"csrf": csrf})).status_code == 303

        assert not await is_signed_in(lee)
        assert not await is_signed_in(copied)


async def test_signing_out_everywhere_ends_every_session_and_link_of_the_person(
    desk: Desk, lee: Visitor, letters: Letters
) -> None:
    waiting = await a_link(desk)
    async with browser_at(desk, letters) as other, browser_at(desk, letters) as mia:
        await other.sign_in("lee@acme.example")
        await mia.sign_in("mia@acme.example")
        page = await lee.client.get("/twokey/inbox")
        csrf = re.findall(r'sign-out">\s*<input type="hidden" name="csrf" value="([^"]*)"', page.text)[0]
        await lee.client.post("/twokey/inbox/sign-out", data={"csrf": csrf, "where": "everywhere"})

        assert [await is_signed_in(each) for each in (lee, other, mia)] == [False, False, True]
        assert (await other.client.get(waiting)).status_code == 410
