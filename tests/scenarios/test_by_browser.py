"""Deciding in a browser, for real: the link and the code from the mails that a process has sent, and the inbox."""

import html
import re
from pathlib import Path

import httpx

from sandbox import cast
from sandbox.mail import Letter
from tests.running import RunningAgent, an_agent, until


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the page, the first of each name."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in reversed(found)}


async def mailed(agent: RunningAgent, subject: str) -> str:
    """What the mail to Dana with that subject says, once it is there."""

    def look() -> list[Letter]:
        return [each for each in agent.sandbox.mail.mailbox(cast.DANA.email) if each.subject.startswith(subject)]

    letters = await until(f"the mail {subject}", look)
    assert isinstance(letters, list)
    return str(letters[-1].text)


async def test_a_mailed_link_decides_in_a_browser_that_its_person_has_confirmed(tmp_path: Path) -> None:
    async with an_agent(tmp_path) as agent, httpx.AsyncClient() as browser:
        await agent.start()
        agent.sandbox.mail.send(
            cast.SAM.email, cast.AGENT_ADDRESS, "Refund for order 1043", "Please refund order 1043."
        )
        asked = await mailed(agent, "Approval wanted")
        link = re.findall(r"http\S+/approvals/\S+", asked)[0]
        page = await browser.get(link)
        assert "Is it you, Dana Reyes?" in page.text
        assert (await browser.post(link, data={**hidden(page), "decision": "approve"})).status_code == 403

        sent = await browser.post(link, data={**hidden(await browser.get(link)), "decision": "code"})
        code = re.findall(r"\d{4} \d{4}", await mailed(agent, "Your code"))[0]
        assert agent.refunds() == []
        await browser.post(link, data={**hidden(sent), "decision": "confirm", "code": code})
        page = await browser.get(link)
        assert "You decide as <strong>Dana Reyes</strong>" in page.text
        await browser.post(link, data={**hidden(page), "decision": "approve"})

        await until("the refund", agent.refunds)
        assert [order for order, _ in agent.refunds()] == ["1043"]
        assert code.replace(" ", "") not in str(agent.log)
        assert link.rpartition("/")[2] not in str(agent.log)


async def test_a_person_signs_in_by_mail_and_decides_from_the_inbox(tmp_path: Path) -> None:
    async with an_agent(tmp_path) as agent, httpx.AsyncClient(base_url=agent.sandbox.bot_url) as browser:
        await agent.start()
        agent.sandbox.mail.send(
            cast.SAM.email, cast.AGENT_ADDRESS, "Refund for order 1043", "Please refund order 1043."
        )
        inbox = re.findall(r"http\S+/inbox\b", await mailed(agent, "Approval wanted"))[0]
        form = await browser.get(inbox, follow_redirects=True)
        await browser.post("/inbox/sign-in", data={**hidden(form), "address": cast.DANA.email})
        link = re.findall(r"http\S+/inbox/sign-in/[^\s>]+", await mailed(agent, "Sign in"))[0]
        await browser.post(link, data=hidden(await browser.get(link)))

        listed = await browser.get("/inbox")
        (path,) = re.findall(r'href="(/inbox/approvals/\w+)"', listed.text)
        await browser.post(path, data={**hidden(await browser.get(path)), "decision": "approve"})

        await until("the refund", agent.refunds)
        assert "Approved by Dana Reyes on the web" in (await browser.get(path)).text
        assert link.rpartition("/")[2] not in str(agent.log)
