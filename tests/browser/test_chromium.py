"""The browser fixture itself: pages render, and a broken script does not go unnoticed."""

import pytest
from playwright.async_api import Browser, Page

from tests.chromium import open_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_page_renders_and_its_scripts_run(page: Page) -> None:
    await page.set_content("<h1>two</h1><script>document.querySelector('h1').append(' keys')</script>")

    assert await page.inner_text("h1") == "two keys"


async def test_an_uncaught_error_of_a_script_fails_the_test(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="planted"):
        async with open_page(browser) as page, page.expect_event("pageerror"):
            await page.set_content("<script>throw new Error('planted')</script>")
