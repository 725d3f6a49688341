"""The demo as a newcomer meets it: the real agent in its own process, the sandbox around it, a browser in front."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from bot import demo
from sandbox.app import Ports, Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PATIENCE = 15_000


@pytest_asyncio.fixture(loop_scope="session")
async def stage(page: Page) -> AsyncIterator[tuple[Sandbox, Path]]:
    async with demo._stage(Ports(), {}, None) as (sandbox, folder):
        await page.set_viewport_size({"width": 1280, "height": 800})
        await page.goto(sandbox.page_url)
        await expect(page.locator("#link")).to_contain_text("live")
        yield sandbox, folder


def _button(place: Page | Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


async def _to_the_card(page: Page) -> None:
    await _button(page, "Ask as Ada").click()
    await expect(_button(page, "Approve")).to_be_visible(timeout=PATIENCE)
    await _button(page, "Go to the card").click()
    await expect(page.get_by_role("radio", name="Dana Reyes")).to_be_checked()


async def _says(page: Page, words: str) -> None:
    await expect(page.locator("#messages")).to_contain_text(words, timeout=PATIENCE)


async def test_a_mention_waits_for_a_click_and_goes_on(page: Page, stage: tuple[Sandbox, Path]) -> None:
    await _to_the_card(page)
    await _button(page, "Approve").click()
    await _button(page.locator("dialog#confirm"), "Approve").click()
    await _says(page, "Done: I refunded 40.00 EUR to Sam Poole")
    await expect(_button(page, "Approve")).to_have_count(0)
    assert demo._refunds(stage[1]) == [("1042", 40.0)]
    await expect(page.locator("#rows")).to_contain_text("approval.decided")


async def test_an_edit_is_what_runs(page: Page, stage: tuple[Sandbox, Path]) -> None:
    await _to_the_card(page)
    await _button(page, "Edit…").click()
    window = page.locator("dialog#modal")
    await window.get_by_label("amount").fill("25")
    await _button(window, "Approve").click()
    await _says(page, "I refunded 25.00 EUR")
    assert demo._refunds(stage[1]) == [("1042", 25.0)]


async def test_a_rejection_runs_nothing_and_its_reason_arrives(page: Page, stage: tuple[Sandbox, Path]) -> None:
    await _to_the_card(page)
    await _button(page, "Reject…").click()
    window = page.locator("dialog#modal")
    await window.locator("textarea, input").first.fill("the warranty is over")
    await window.locator("footer .primary").click()
    await _says(page, "was not approved: the warranty is over")
    assert demo._refunds(stage[1]) == []


async def test_mail_asks_and_mail_answers(page: Page, stage: tuple[Sandbox, Path]) -> None:
    await _button(page, "By mail").click()
    await _button(page, "Write the mail").click()
    await _button(page.locator("#reader"), "Send").click()
    await _button(page, "Open her mail").click(timeout=PATIENCE)
    await _button(page, "approve").click()
    await _button(page, "Send reply").click()
    await _button(page, "Open Sam's mail").click(timeout=PATIENCE)
    mail = page.frame_locator("#reader iframe").locator("body")
    await expect(mail).to_contain_text("Done: I refunded 189.50 EUR to Mira Novak")
    assert demo._refunds(stage[1]) == [("1043", 189.5)]


async def test_what_waits_is_approved_on_the_home_tab(page: Page, stage: tuple[Sandbox, Path]) -> None:
    await _to_the_card(page)
    await _button(page.locator("#places"), "Home").click()
    await _says(page, "Waiting for you: 1")
    await _button(page.locator("#messages"), "Open").click()
    window = page.locator("dialog#modal")
    await _button(window, "Approve").click()
    await _button(page.locator("dialog#confirm"), "Approve").click()
    await _says(page, "approved by Dana Reyes in Slack, done")
    await _says(page, "Nothing waits for you")
    assert demo._refunds(stage[1]) == [("1042", 40.0)]


async def test_of_a_plan_one_is_rejected_from_its_menu_and_the_rest_approved(
    page: Page, stage: tuple[Sandbox, Path]
) -> None:
    await _button(page, "Two refunds at once").click()
    await _says(page, "Approval needed: 2 calls")
    await page.get_by_role("radio", name="Dana Reyes").click()
    await page.get_by_label("More actions").first.click()
    await _button(page, "Reject…").first.click()
    window = page.locator("dialog#modal")
    await window.get_by_label("Reason").fill("Ask again tomorrow.")
    await _button(window, "Reject").click()
    await _says(page, "1 decided")
    await _button(page, "Approve all").click()
    await _button(page.locator("dialog#confirm"), "Approve all").click()
    await _says(page, "1 approved, 1 rejected")
    assert len(demo._refunds(stage[1])) == 1
