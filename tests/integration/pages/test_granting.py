"""Grants on the pages: what would be allowed is shown in words before it is given; what was given can be taken back."""

import html
import re
from dataclasses import replace

import pytest

from agent.effects import Ask, Verdict
from agent.events import GrantRevoked, ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.policy import Policy
from bot.personal import Personal
from tests.desk import PEOPLE, POLICY, Desk
from tests.integration.pages.conftest import Letters, Visitor, browser_at, hidden

TERMS = {
    "grant.match": "exact",
    "grant.condition": "",
    "grant.scope": "thread",
    "grant.until": "2026-12-01",
    "grant.uses": "3",
}


class Lenient(Policy):
    """Lets people allow like calls."""

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """Finance, each time or by a grant."""
        return Ask("refunds", "A refund sends money out.", Approvers(roles=("finance",)), may_grant=True)


@pytest.fixture
def lenient(desk: Desk) -> Desk:
    """A deployment with that policy. Named before whoever visits it."""
    desk.gate = replace(desk.gate, policy=Lenient(POLICY))
    return desk


async def grants(desk: Desk) -> list[str]:
    """What Lee lets run, in words."""
    found = await Personal(desk.gate, desk.index).grants(PEOPLE[1])
    return [desk.gate.granting.words(each.grant) for each in found]


async def test_what_a_grant_would_allow_is_shown_before_it_is_given_in_the_words_of_what_is_given(
    lenient: Desk, lee: Visitor
) -> None:
    asked = await lenient.ask(may_grant=True)
    link = lenient.link(asked)

    looked = await lee.send(link, decision="look", typed=TERMS)

    assert looked.status_code == 200
    assert await lenient.outcome(asked) == ""
    assert await grants(lenient) == []
    (words,) = re.findall(r'<p class="preview">(refund[^<]*)</p>', looked.text)
    assert "at most 3 times" in words
    given = await lee.client.post(f"/twokey/approvals/{link}", data={**hidden(looked), "decision": "grant"})
    assert given.status_code == 303
    assert await lenient.outcome(asked) == "approved"
    assert await grants(lenient) == [html.unescape(words)]
    after = await lee.client.get(f"/twokey/approvals/{link}")
    assert f"Runs from now on without being asked about:</strong> {words}</p>" in after.text


async def test_a_grant_is_offered_only_where_the_policy_lets_people_give_one(lenient: Desk, lee: Visitor) -> None:
    link = lenient.link(await lenient.ask())

    assert 'value="look"' not in (await lee.open(link)).text
    assert (await lee.send(link, decision="grant", typed=TERMS)).status_code == 403
    assert await grants(lenient) == []


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("grant.scope", "everyone", "Choose one."),
        ("grant.until", "soon", "This must be a date"),
        ("grant.until", "9999-12-31", "This must be a date"),
        ("grant.uses", "x", "whole number"),
        ("grant.match", "condition", "Write the condition"),
    ],
)
async def test_terms_that_make_no_sense_are_told_beside_their_field(
    lenient: Desk, lee: Visitor, name: str, value: str, says: str
) -> None:
    asked = await lenient.ask(may_grant=True)

    page = await lee.send(lenient.link(asked), decision="look", typed={**TERMS, name: value})

    assert page.status_code == 422
    assert says in page.text
    assert await lenient.outcome(asked) == ""


async def test_a_condition_that_is_no_condition_is_refused_in_words(lenient: Desk, lee: Visitor) -> None:
    asked = await lenient.ask(may_grant=True)
    typed = {**TERMS, "grant.match": "condition", "grant.condition": "args.amount <="}

    page = await lee.send(lenient.link(asked), decision="look", typed=typed)

    assert page.status_code == 403
    assert 'value="args.amount &lt;="' in page.text
    assert await grants(lenient) == []


async def test_the_inbox_lists_the_grants_and_takes_one_back(lenient: Desk, lee: Visitor) -> None:
    asked = await lenient.ask(may_grant=True)
    await lee.send(lenient.link(asked), decision="grant", typed=TERMS)
    page = await lee.client.get("/twokey/inbox")
    assert "at most 3 times" in page.text
    (path,) = re.findall(r'action="(/twokey/inbox/grants/[^"]*)"', page.text)
    (csrf,) = re.findall(r'revoke">\s*<input type="hidden" name="csrf" value="([^"]*)"', page.text)

    assert (await lee.client.post(path)).status_code == 403
    assert len(await grants(lenient)) == 1
    for _ in range(2):
        assert (await lee.client.post(path, data={"csrf": csrf})).status_code == 303

    assert await grants(lenient) == []
    assert "at most 3 times" not in (await lee.client.get("/twokey/inbox")).text
    entries = await lenient.threads.entries((await lenient.facts(asked)).thread_id)
    (revoked,) = (entry.event for entry in entries if isinstance(entry.event, GrantRevoked))
    assert (revoked.by.person, revoked.by.via, revoked.by.address) == ("lee", "web", "203.0.113.7")


async def test_a_grant_of_somebody_else_is_not_taken_back_by_who_could_not_give_it(
    lenient: Desk, lee: Visitor, letters: Letters
) -> None:
    await lee.send(lenient.link(await lenient.ask(may_grant=True)), decision="grant", typed=TERMS)
    (path,) = re.findall(r'action="/twokey(/inbox/grants/[^"]*)"', (await lee.client.get("/twokey/inbox")).text)
    async with browser_at(lenient, letters) as ada:
        await ada.sign_in("ada@acme.example")
        mine = re.findall(r'name="csrf" value="([^"]*)"', (await ada.client.get("/twokey/inbox")).text)
        for csrf in mine:
            assert (await ada.client.post(f"/twokey{path}", data={"csrf": csrf})).status_code == 403

    assert len(await grants(lenient)) == 1


async def test_an_unknown_grant_is_not_taken_back(lenient: Desk, lee: Visitor) -> None:
    await lee.send(lenient.link(await lenient.ask(may_grant=True)), decision="grant", typed=TERMS)
    page = await lee.client.get("/twokey/inbox")
    (csrf,) = re.findall(r'revoke">\s*<input type="hidden" name="csrf" value="([^"]*)"', page.text)

    answered = await lee.client.post("/twokey/inbox/grants/grt_aaaaaaaaaaaaaaaaaaaa/revoke", data={"csrf": csrf})

    assert answered.status_code == 403
    assert "There is no such grant." in answered.text
