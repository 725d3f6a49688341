"""The sandbox's page in a real browser, with a toy agent behind it: a person's hands, and what must not happen."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from sandbox.app import Sandbox
from sandbox.serving import serving
from tests.toybot import REFUSAL, REPLY_TO, ToyBot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def bot(sandbox: Sandbox) -> AsyncIterator[ToyBot]:
    toy = ToyBot(sandbox)
    async with serving(toy.app, sandbox.bot_port):
        yield toy


@pytest_asyncio.fixture(loop_scope="session")
async def opened(page: Page, sandbox: Sandbox, bot: ToyBot) -> None:
    """The page, open, with the agent at work behind it."""
    del bot
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.goto(sandbox.page_url)
    await expect(page.locator("#link")).to_contain_text("live")


def _button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def _asked(page: Page) -> None:
    await _button(page, "Ask as Ada").click()
    await expect(_button(page, "Approve")).to_be_visible()


@pytest.mark.usefixtures("opened")
async def test_the_tour_leads_from_a_mention_over_an_approval_to_the_reply(page: Page, bot: ToyBot) -> None:
    await _asked(page)
    await _button(page, "Go to the card").click()
    await expect(page.get_by_role("radio", name="Dana Reyes")).to_be_checked()
    await _button(page, "Approve").click()
    await expect(page.locator("#messages")).to_contain_text("Done: I refunded 40.00 EUR to Sam Poole.")
    await expect(_button(page, "Approve")).to_have_count(0)
    await expect(page.locator(".step.done")).to_have_count(3)
    assert bot.refunds == [("1042", 40.0)]


@pytest.mark.usefixtures("opened")
async def test_who_may_not_approve_is_told_so_and_nobody_else_sees_it(page: Page, bot: ToyBot) -> None:
    await _asked(page)
    await _button(page, "Approve").click()
    await expect(page.locator(".msg.only")).to_contain_text(REFUSAL)
    await page.get_by_role("radio", name="Dana Reyes").click()
    await expect(page.locator(".msg.only")).to_have_count(0)
    assert not bot.refunds


@pytest.mark.usefixtures("opened")
async def test_an_edit_is_checked_by_the_window_then_by_the_agent_then_runs(page: Page, bot: ToyBot) -> None:
    await _asked(page)
    await _button(page, "Go to the card").click()
    await _button(page, "Edit…").click()
    window = page.locator("dialog#modal")
    amount = window.get_by_label("Amount")
    await amount.fill("a lot")
    await _button(window, "Edit and approve").click()
    await expect(window).to_contain_text("This is not a number.")
    await amount.fill("99")
    await _button(window, "Edit and approve").click()
    await expect(window).to_contain_text("At most 40.00 EUR")
    await window.get_by_label("Kind").select_option("late")
    await window.get_by_label("Tell the customer").check()
    await window.get_by_label("Voucher").check()
    await amount.fill("25")
    await _button(window, "Edit and approve").click()
    await expect(window).to_be_hidden()
    await expect(page.locator("#messages")).to_contain_text("I refunded 25.00 EUR")
    assert bot.refunds == [("1042", 25.0)]


@pytest.mark.usefixtures("opened")
async def test_a_rejection_needs_its_reason_and_passes_it_on(page: Page, bot: ToyBot) -> None:
    await _asked(page)
    await _button(page, "Go to the card").click()
    await _button(page, "Reject…").click()
    window = page.locator("dialog#modal")
    await _button(window, "Reject").click()
    await expect(window).to_contain_text("Please complete this required field.")
    await window.get_by_label("Why not?").fill("too late for it")
    await _button(window, "Reject").click()
    await expect(page.locator("#messages")).to_contain_text("It was not approved: too late for it.")
    assert not bot.refunds


@pytest.mark.usefixtures("opened")
async def test_a_typed_mention_a_thread_reply_and_a_closed_window(page: Page, sandbox: Sandbox) -> None:
    await page.get_by_label("Message #support as Ada").fill("@Twokey refund order 1042 <b>now</b> & here")
    await page.keyboard.press("Enter")
    await expect(_button(page, "Approve")).to_be_visible()
    await expect(page.locator(".root .msg")).to_contain_text("@Twokey refund order 1042 <b>now</b> & here")
    await page.get_by_label("Reply in thread").fill("any news?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".replies .msg").last).to_contain_text("any news?")
    await page.get_by_role("radio", name="Dana Reyes").click()
    await _button(page, "Edit…").click()
    await expect(page.locator("dialog#modal")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog#modal")).to_be_hidden()
    assert not sandbox.slack.open_views("U0DANA")


@pytest.mark.usefixtures("opened")
async def test_the_mail_story_and_a_mail_that_is_not_trusted(page: Page, bot: ToyBot) -> None:
    await _button(page, "By mail").click()
    await _button(page, "Write the mail").click()
    await _button(page.locator("#reader"), "Send").click()
    await expect(page.locator("#reader .delivery")).to_contain_text("taken by the agent")
    await _button(page, "Open her mail").click()
    await expect(page.locator("#reader")).to_contain_text(REPLY_TO)
    await expect(page.frame_locator("#reader iframe").locator("body")).to_contain_text("May I refund 189.50 EUR")
    await page.get_by_role("button", name="approve", exact=True).click()
    await _button(page, "Send reply").click()
    await _button(page, "Open Sam's mail").click()
    await expect(page.frame_locator("#reader iframe").locator("body")).to_contain_text("Done: I refunded 189.50 EUR.")
    assert bot.refunds == [("1043", 189.5)]
    assert await page.title() == "Twokey sandbox"
    assert not bot.spied


@pytest.mark.usefixtures("opened")
async def test_the_log_filters_colours_and_expands(page: Page, sandbox: Sandbox) -> None:
    sandbox.feed_log('{"level": "info", "event": "fine", "n": 1, "timestamp": "2026-11-25T10:00:00Z"}')
    sandbox.feed_log('{"level": "error", "event": "broken", "why": "<b>x</b>"}')
    sandbox.feed_log("no json at all")
    await expect(page.locator(".line")).to_have_count(3)
    await _button(page, "error").click()
    await expect(page.locator(".line:visible")).to_have_count(1)
    await page.locator(".line.error summary").click()
    await expect(page.locator(".line.error pre")).to_contain_text('"why": "<b>x</b>"')
    await _button(page, "all").click()
    await page.get_by_label("Filter the log").fill("fine")
    await expect(page.locator(".line:visible")).to_have_count(1)


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("width, height", [(1280, 800), (1024, 768), (390, 844)])
async def test_nothing_spills_over_the_edge(page: Page, width: int, height: int) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await _asked(page)
    wide, tall = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert wide <= width
    assert tall <= height


async def test_an_agent_that_is_not_there_is_said_to_be_away(page: Page, sandbox: Sandbox) -> None:
    await page.goto(sandbox.page_url)
    await _button(page, "Ask as Ada").click()
    await expect(page.locator(".toast.bad")).to_contain_text("The agent did not take this")
