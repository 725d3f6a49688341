"""The pages for people, served on a free port behind a path prefix, and windows of a browser without JavaScript."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, Page

from agent.effects import Ask, Verdict
from agent.events import ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.policy import Policy
from bot import pages
from bot.personal import Personal
from bot.sign_in import SignIn
from sandbox.serving import LOOPBACK, free_port, serving
from store.sign_ins import SignIns
from tests.desk import POLICY, SECRETS, Desk, desk_at


class Lenient(Policy):
    """Lets people allow like calls, where a card offers it."""

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """Finance, each time or by a grant."""
        return Ask("refunds", "A refund sends money out.", Approvers(roles=("finance",)), may_grant=True)


@dataclass
class Site:
    """A running server."""

    desk: Desk
    address: str
    sign_in: SignIn

    async def enter(self, page: Page, person: str = "lee") -> None:
        """Sign that person in, by the button behind a link."""
        found = self.desk.gate.directory.person(person)
        assert found is not None
        await page.goto(await self.sign_in.link(found) or "")
        await page.get_by_role("button", name="Sign in").click()

    def url(self, approval_id: str, person: str = "lee") -> str:
        """Where the mail leads."""
        return f"{self.address}/approvals/{self.desk.link(approval_id, person)}"


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The pages, served on a free port under /twokey."""
    port = free_port()
    address = f"http://{LOOPBACK}:{port}/twokey"
    async with desk_at(tmp_path) as desk:
        desk.gate = replace(desk.gate, policy=Lenient(POLICY))
        inner, outer = FastAPI(), FastAPI()
        rows = SignIns(desk.database, desk.clock)
        sign_in = SignIn(rows, desk.gate.directory, SECRETS, desk.clock, desk.ids, address)
        inner.include_router(pages.router(desk.gate, Personal(desk.gate, desk.index), sign_in, None))
        outer.mount("/twokey", inner)
        async with serving(outer, port):
            yield Site(desk, address, sign_in)


@pytest_asyncio.fixture(loop_scope="session", params=[(1280, 900), (360, 740)], ids=["desk", "phone"])
async def window(request: pytest.FixtureRequest, browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A page without JavaScript, wide and narrow, in which Lee is signed in."""
    width, height = request.param
    context = await browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=False)
    page = await context.new_page()
    await site.enter(page)
    yield page
    await context.close()
