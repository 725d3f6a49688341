"""The inbox, plans and signing in, in a real browser: by keyboard alone, on a phone, in light and in dark."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from agent.conversation import JsonObject
from agent.events import RemarkAnswered
from agent.verdict import Approvers, Rejected
from approvals.decision import Approve, GrantTerms
from tests.browser.conftest import Site
from tests.desk import ARGUMENTS, LEE, MIA, refund

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DIGEST = refund.digest(ARGUMENTS)
OTHER: JsonObject = {"order_id": "1043", "amount": 15.0, "note": "x" * 3000}
CONTRAST = """() => {
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const parts = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const ground = at => { for (; at; at = at.parentElement) { const c = parts(getComputedStyle(at).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  const found = [];
  for (const at of document.querySelectorAll("body *")) {
    const own = [...at.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !at.checkVisibility() || at.closest(".skip")) continue;
    const [a, b] = [light(parts(getComputedStyle(at).color).slice(0, 3)), light(ground(at))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push(`${at.tagName}.${at.className} ${ratio.toFixed(2)} ${at.textContent.trim()}`);
  }
  return found;
}"""


async def furnished(site: Site) -> list[str]:
    """Something of everything; the addresses of all kinds of pages that Lee can see."""
    desk = site.desk
    single = await desk.ask(preview="Refunds 40.00 EUR to Sam Poole.", may_grant=True)
    await desk.gate.remark(single, "Was it refunded before?", LEE, "web")
    answer = RemarkAnswered(at=desk.clock.now(), approval_id=single, number=1, text="No.")
    await desk.threads.inform((await desk.facts(single)).thread_id, [answer])
    quorum = await desk.ask(approvers=Approvers(roles=("finance",), count=2))
    await desk.gate.decide(quorum, Approve(DIGEST), MIA, "slack")
    (plan, _), question = await desk.plan(OTHER), await desk.ask("question", choices=("Berlin", "Lyon"))
    rejected, granted = await desk.ask(), await desk.ask(may_grant=True)
    await desk.decide(rejected, Rejected(reason="Not again"))
    grant = GrantTerms("requester", desk.clock.now() + timedelta(days=3), 5)
    await desk.gate.decide(granted, Approve(DIGEST, grant=grant), LEE, "web")
    link = await site.sign_in.link(desk.gate.directory.people[1])
    approvals = [f"{site.address}/inbox/approvals/{each}" for each in (single, quorum, plan, granted, question)]
    links = [site.url(single, "mia"), site.url(rejected), link or ""]
    return [f"{site.address}/inbox", *approvals, f"{site.address}/inbox/sign-in", *links]


async def open_all(page: Page) -> None:
    """Unfold whatever is folded."""
    for each in await page.locator("summary").all():
        if await each.is_visible():
            await each.click()
    for each in await page.locator("details details:not([open]) > summary").all():
        await each.click()


async def go_to(page: Page, words: str) -> None:
    """Press the tabulator until what has these words has the focus, and can be seen to have it."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if await focused.count() and words in (
            await focused.inner_text() or await focused.get_attribute("value") or ""
        ):
            style = await focused.evaluate(
                "at => getComputedStyle(at).outlineStyle + getComputedStyle(at).outlineWidth"
            )
            assert style == "solid3px"
            return
    raise AssertionError(f"the keyboard does not reach {words}")


@pytest_asyncio.fixture(loop_scope="session", params=["light", "dark"])
async def looks(request: pytest.FixtureRequest, browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A window in which Lee is signed in and scripts of tests run, light and dark."""
    context = await browser.new_context(color_scheme=request.param, viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await site.enter(page)
    yield page
    await context.close()


async def test_every_page_can_be_read_on_a_phone_in_light_and_in_dark(site: Site, looks: Page) -> None:
    """No scrolling sideways, contrast of at least 4.5 to 1 (WCAG 2.2 AA) for all text, and fingers hit each button."""
    for address in await furnished(site):
        await looks.goto(address)
        await open_all(looks)

        assert await looks.evaluate("document.documentElement.scrollWidth") == 360, address
        assert await looks.evaluate(CONTRAST) == [], address
        for button in await looks.locator("button:visible, label.choice:visible").all():
            box = await button.bounding_box()
            assert box is not None
            assert box["height"] >= 44, (address, await button.inner_text())


async def test_every_field_of_every_page_has_a_name_and_every_page_one_title(site: Site, looks: Page) -> None:
    for address in await furnished(site):
        await looks.goto(address)
        await open_all(looks)

        for each in await looks.locator("input:not([type=hidden]), textarea, select").all():
            labels = await each.evaluate("at => [...at.labels].map(each => each.textContent.trim())")
            assert all(labels), (address, await each.get_attribute("name"))
            assert labels, (address, await each.get_attribute("name"))
        assert await looks.get_by_role("heading", level=1).count() == 1, address
        assert await looks.title() != " · Twokey"
        ids = await looks.evaluate("[...document.querySelectorAll('[id]')].map(at => at.id)")
        assert len(ids) == len(set(ids)), address


async def test_by_keyboard_alone_from_the_link_in_the_mail_through_the_inbox_to_a_decision(
    site: Site, browser: Browser
) -> None:
    asked = await site.desk.ask()
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(await site.sign_in.link(site.desk.gate.directory.people[1]) or "")
    await go_to(page, "Sign in")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.address}/inbox")
    await go_to(page, "Refund")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{site.address}/inbox/approvals/{asked}")
    await go_to(page, "Approve")
    await page.keyboard.press("Enter")
    await page.get_by_text("Approved by Lee Chen on the web").wait_for()
    await context.close()

    assert await site.desk.outcome(asked) == "approved"


async def test_a_plan_is_decided_call_by_call_with_the_keyboard(site: Site, window: Page) -> None:
    a, b = await site.desk.plan({**OTHER, "note": "short"})
    await window.goto(f"{site.address}/inbox/approvals/{a}")
    await go_to(window, "Decide call by call")
    await window.keyboard.press("Enter")
    for keys in (["ArrowRight"], ["ArrowLeft", "ArrowLeft"]):  # from "Leave open", which each group has at first
        await go_to(window, "leave")
        for key in keys:
            await window.keyboard.press(key)
    await go_to(window, "Send these decisions")
    await window.keyboard.press("Enter")
    await window.get_by_text("Approved by Lee Chen on the web").wait_for()

    assert [await site.desk.outcome(each) for each in (a, b)] == ["approved", "rejected"]


async def test_a_plan_is_approved_at_once(site: Site, window: Page) -> None:
    a, b = await site.desk.plan(OTHER)
    await window.goto(site.url(a))
    await window.get_by_role("button", name="Approve all 2").click()

    assert [await site.desk.outcome(each) for each in (a, b)] == ["approved", "approved"]
    assert await window.get_by_role("button").count() == 0


async def test_a_grant_is_read_before_it_is_given_and_taken_back_in_the_inbox(site: Site, window: Page) -> None:
    asked = await site.desk.ask(may_grant=True)
    await window.goto(f"{site.address}/inbox/approvals/{asked}")
    await window.get_by_text("Approve, and allow like calls").click()
    await window.get_by_label("Where this holds:").check()
    await window.get_by_label("Condition").fill("args.amount <= 50.0")
    await window.get_by_label("At most so often").fill("3")
    await window.get_by_role("button", name="See what that allows").click()
    words = await window.get_by_text("refund where args.amount <= 50.0").inner_text()
    assert "at most 3 times" in words
    assert await site.desk.outcome(asked) == ""
    await window.get_by_role("button", name="Approve, and allow this").click()
    await window.goto(f"{site.address}/inbox")

    await window.get_by_text(words).wait_for()
    await window.get_by_role("button", name="Take back").click()
    await window.get_by_text("A grant is given on the page of an approval").wait_for()
    assert await site.desk.outcome(asked) == "approved"


async def test_whoever_signs_out_is_out(site: Site, window: Page) -> None:
    await window.goto(f"{site.address}/inbox")
    await window.get_by_role("button", name="Sign out", exact=True).click()
    assert window.url == f"{site.address}/inbox/sign-in"

    await window.goto(f"{site.address}/inbox")
    assert window.url == f"{site.address}/inbox/sign-in"
