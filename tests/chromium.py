"""A real browser for tests: the system's Chromium, headless, driven by Playwright: one a session, a new profile a test.

Playwright's own browser builds are not needed and never downloaded. Where there is no Chromium the tests skip. A page
on which a script fails, fails its test, whatever else the test looked at.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb")
WIDTH, HEIGHT = 1440, 900


def chromium_executable() -> str | None:
    """Where the system's Chromium is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser. It lives on the session's event loop, and so must every test and fixture that touches it."""
    executable = chromium_executable()
    if executable is None:
        pytest.skip("Chromium is not installed")
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses to sandbox itself as root
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=executable, args=[*ARGUMENTS, *as_root])
        yield started
        await started.close()


@asynccontextmanager
async def open_page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page in a fresh profile; raises when a script on it failed, once it is closed."""
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    opened = await context.new_page()
    opened.on("pageerror", note)
    yield opened
    await context.close()
    assert not errors, f"scripts failed on the page: {errors}"


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """One such page."""
    async with open_page(browser) as opened:
        yield opened
