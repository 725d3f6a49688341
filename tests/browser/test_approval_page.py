"""The approval page in a real browser, behind a proxy that strips a path prefix, with JavaScript switched off."""

from collections.abc import Callable

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page

from agent.conversation import JsonObject
from agent.verdict import Answered, Approved, Rejected
from tests.browser.conftest import Site
from tests.desk import ARGUMENTS, refund

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EVIL = "10\u202e24\u200b<script>document.title='owned'</script>"


async def test_a_person_approves_and_sees_what_stands(site: Site, window: Page) -> None:
    asked = await site.desk.ask()
    await window.goto(site.url(asked))
    await window.get_by_role("button", name="Approve", exact=True).click()

    assert window.url == site.url(asked)
    assert "Approved by Lee Chen on the web" in await window.inner_text("article")
    assert await window.get_by_role("button").count() == 0
    assert await site.desk.outcome(asked) == "approved"


async def test_a_person_rejects_with_a_reason(site: Site, window: Page) -> None:
    asked = await site.desk.ask()
    await window.goto(site.url(asked))
    await window.get_by_label("Reason to reject it").fill("Not without\na receipt")
    await window.get_by_role("button", name="Reject").click()

    decided = (await site.desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Rejected(reason="Not without\na receipt")


async def test_a_person_mends_a_field_and_approves_the_changed_call(site: Site, window: Page) -> None:
    note = "\nfirst line empty\r\n\ttab, and a last one "
    asked = await site.desk.ask(arguments={**ARGUMENTS, "note": note, "tags": ["\u200b"]})
    await window.goto(site.url(asked))
    await window.get_by_text("Change the arguments first").click()
    await window.get_by_label("amount").fill("12,50")
    await window.get_by_role("button", name="Approve with these changes").click()

    assert "Nothing was decided" in await window.get_by_role("alert").inner_text()
    assert await window.get_by_label("amount").input_value() == "12,50"
    assert await window.get_by_label("amount").get_attribute("aria-invalid") == "true"
    await window.get_by_role("alert").get_by_role("link", name="amount").click()
    await window.get_by_label("amount").fill("12.50")
    await window.get_by_label("currency").select_option(label="USD")
    await window.get_by_role("button", name="Approve with these changes").click()

    after: JsonObject = {"order_id": "1042", "amount": 12.5, "currency": "USD", "note": note, "tags": ["\u200b"]}
    decided = (await site.desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(after), arguments=after)


async def test_a_form_sent_without_a_change_approves_what_was_proposed(site: Site, window: Page) -> None:
    odd: JsonObject = {"order_id": EVIL, "amount": 1e21, "note": "\n\nx\r\ry\x00", "zzz": None}
    asked = await site.desk.ask(arguments=odd)
    await window.goto(site.url(asked))
    await window.get_by_text("Change the arguments first").click()
    await window.get_by_role("button", name="Approve with these changes").click()

    decided = (await site.desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(odd))


async def test_a_question_is_answered_with_a_choice(site: Site, window: Page) -> None:
    asked = await site.desk.ask("question", choices=("Berlin", "Lyon"))
    await window.goto(site.url(asked))
    await window.get_by_role("button", name="Lyon").click()

    decided = (await site.desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Answered(text="Lyon")


def noting(complaints: list[str]) -> Callable[[ConsoleMessage], None]:
    """Puts what the console says into the list."""

    def note(message: ConsoleMessage) -> None:
        complaints.append(message.text)

    return note


async def test_nothing_runs_and_nothing_is_hidden_or_cut(site: Site, browser: Browser) -> None:
    """With JavaScript on: what a tool's arguments say is shown, and never run."""
    asked = await site.desk.ask(arguments={"order_id": EVIL, "amount": 1.0, "note": "x" * 3000}, title=EVIL)
    for width in (1280, 360):
        context = await browser.new_context(viewport={"width": width, "height": 800})
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", noting(complaints))
        await site.enter(page)
        await page.goto(site.url(asked))

        assert "owned" not in (await page.title()).replace("document.title='owned'", "")
        assert "U+202E" in await page.inner_text("h1")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.evaluate("getComputedStyle(document.querySelector('.approve')).fontWeight") == "650"
        assert complaints == [], "the policy of the page stands in its own way"
        await context.close()


async def test_each_field_has_a_label_and_each_heading_its_place(site: Site, window: Page) -> None:
    await window.goto(site.url(await site.desk.ask()))
    await window.get_by_text("Change the arguments first").click()

    for field in await window.locator("input:not([type=hidden]), textarea, select").all():
        assert await window.locator(f"label[for='{await field.get_attribute('id')}']").count() == 1
    assert await window.get_by_role("heading", level=1).count() == 1
    assert await window.get_by_role("heading", level=2).count() >= 3
    for name in ("Approve", "Reject"):
        box = await window.get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["height"] >= 44
