"""A link that was passed on decides for nobody: an unknown browser is asked for a code that is mailed to the person."""

import re

import pytest

from agent.verdict import Approved, Approvers, Decider, Rejected
from tests.desk import MIA, Desk
from tests.integration.pages.conftest import Letters, Visitor, browser_at, hidden, refusals


async def test_a_link_in_an_unknown_browser_shows_the_request_and_no_way_to_decide_it(
    desk: Desk, visitor: Visitor
) -> None:
    page = await visitor.open(desk.link(await desk.ask(preview="40.00 EUR go to Sam.")))

    assert page.status_code == 200
    assert "40.00 EUR go to Sam." in page.text
    assert "Is it you, Lee Chen?" in page.text
    assert 'name="decision" value="code"' in page.text
    assert not any(f'value="{each}"' in page.text for each in ("approve", "edit", "reject", "remark"))
    assert "lee@acme.example" not in page.text, "whoever was passed the link does not learn the address"


@pytest.mark.parametrize("decision", ["approve", "reject", "edit", "remark", "answer", "all"])
async def test_a_forwarded_link_decides_nothing_and_the_attempt_is_on_record(
    desk: Desk, visitor: Visitor, decision: str
) -> None:
    asked = await desk.ask()

    sent = await visitor.send(desk.link(asked), decision=decision, text="Why?")

    assert sent.status_code == 403
    assert await desk.outcome(asked) == ""
    assert (await desk.facts(asked)).record.remarks == ()
    (record,) = await refusals(desk, asked)
    assert (record.reason, record.by.person) == ("This browser is not known to be yours yet.", "")
    assert (record.by.address, record.by.user_agent) == ("203.0.113.7", "Browser/1.0")


async def test_the_code_that_is_mailed_to_the_person_lets_this_browser_decide(
    desk: Desk, visitor: Visitor, letters: Letters
) -> None:
    asked = await desk.ask()
    link = desk.link(asked)
    page = await visitor.send(link, decision="code")
    assert [each[0] for each in letters.sent] == ["lee@acme.example"]
    assert "203.0.113.7" in letters.sent[0][2]

    sent = await visitor.send(link, page, decision="confirm", code=letters.code)

    assert sent.status_code == 303
    assert "You decide as <strong>Lee Chen</strong>" in (await visitor.open(link)).text
    assert (await visitor.send(link, decision="approve")).status_code == 303
    assert await desk.outcome(asked) == "approved"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_mails_no_code(desk: Desk, visitor: Visitor, letters: Letters, method: str) -> None:
    await visitor.client.request(method, f"/twokey/approvals/{desk.link(await desk.ask())}?decision=code")

    assert letters.sent == []


async def test_a_code_is_good_in_the_browser_that_asked_for_it_and_in_no_other(
    desk: Desk, visitor: Visitor, letters: Letters
) -> None:
    link = desk.link(await desk.ask())
    page = await visitor.send(link, decision="code")
    async with browser_at(desk, letters) as thief:
        stolen = {"sign_in": hidden(page)["sign_in"], "code": letters.code}

        assert (await thief.send(link, decision="confirm", typed=stolen)).status_code == 403

    assert (await visitor.send(link, page, decision="confirm", code=letters.code)).status_code == 303


async def test_a_code_is_good_once(desk: Desk, visitor: Visitor, letters: Letters) -> None:
    link = desk.link(await desk.ask())
    page = await visitor.send(link, decision="code")
    values = {"sign_in": hidden(page)["sign_in"], "code": letters.code}
    await visitor.send(link, page, decision="confirm", typed=values)
    del visitor.client.cookies["twokey_session"]

    assert (await visitor.send(link, decision="confirm", typed=values)).status_code == 403


async def test_a_code_is_good_for_a_quarter_of_an_hour(desk: Desk, visitor: Visitor, letters: Letters) -> None:
    link = desk.link(await desk.ask())
    page = await visitor.send(link, decision="code")
    desk.clock.move(15 * 60)

    assert (await visitor.send(link, page, decision="confirm", code=letters.code)).status_code == 403


async def test_after_five_wrong_codes_the_right_one_is_no_good_either(
    desk: Desk, visitor: Visitor, letters: Letters
) -> None:
    link = desk.link(await desk.ask())
    page = await visitor.send(link, decision="code")
    wrong = f"{(int(letters.code.replace(' ', '')) + 1) % 10**8:08}"
    for typed in (wrong, "", "x" * 3000, "\u0661" * 8, wrong):
        answered = await visitor.send(link, page, decision="confirm", code=typed)
        assert answered.status_code == 403
        assert "That code is not right" in answered.text

    assert (await visitor.send(link, page, decision="confirm", code=letters.code)).status_code == 403


async def test_a_code_for_one_person_is_no_good_for_another(desk: Desk, visitor: Visitor, letters: Letters) -> None:
    asked = await desk.ask()
    page = await visitor.send(desk.link(asked, "mia"), decision="code")
    values = {"sign_in": hidden(page)["sign_in"], "code": letters.code}

    assert (await visitor.send(desk.link(asked, "lee"), decision="confirm", typed=values)).status_code == 403


async def test_only_so_many_codes_are_mailed_at_a_time(desk: Desk, visitor: Visitor, letters: Letters) -> None:
    link = desk.link(await desk.ask())
    found = [(await visitor.send(link, decision="code")).status_code for _ in range(5)]

    assert found == [200, 200, 200, 200, 429]
    assert len(letters.sent) == 4


async def test_codes_that_somebody_else_asked_for_leave_their_person_a_way_in(
    desk: Desk, visitor: Visitor, letters: Letters
) -> None:
    asked = await desk.ask()
    link = desk.link(asked)
    async with browser_at(desk, letters) as thief:
        for _ in range(4):
            await thief.send(link, decision="code")

    page = await visitor.send(link, decision="code")

    assert page.status_code == 429
    assert f'href="/twokey/inbox/sign-in?approval={asked}"' in page.text
    assert (await visitor.sign_in("lee@acme.example")).status_code == 303
    assert (await visitor.send(link, decision="approve")).status_code == 303
    assert await desk.outcome(asked) == "approved"


async def test_when_the_code_cannot_be_mailed_that_is_said(desk: Desk, visitor: Visitor, letters: Letters) -> None:
    letters.is_down = True

    page = await visitor.send(desk.link(await desk.ask()), decision="code")

    assert page.status_code == 503
    assert "could not be mailed" in page.text


async def test_a_forwarded_link_is_refused_where_somebody_else_is_signed_in_and_that_is_on_record(
    desk: Desk, lee: Visitor
) -> None:
    asked = await desk.ask()
    link = desk.link(asked, "mia")

    for page in (await lee.open(link), await lee.send(link, decision="approve")):
        assert page.status_code == 403
        assert "It was mailed to Mia Novak, and this is the browser of Lee Chen." in page.text
        assert "<form" not in page.text

    assert await desk.outcome(asked) == ""
    assert [record.by.person for record in await refusals(desk, asked)] == ["lee"]


async def test_a_browser_stays_known_to_links_for_longer_than_one_stays_signed_in(desk: Desk, lee: Visitor) -> None:
    desk.clock.move(80 * 86_400)
    link = desk.link(await desk.ask())

    assert (await lee.client.get("/twokey/inbox")).status_code == 303
    assert (await lee.send(link, decision="approve")).status_code == 303

    desk.clock.move(10 * 86_400)
    assert "Is it you, Lee Chen?" in (await lee.open(desk.link(await desk.ask()))).text


async def test_a_stolen_link_tells_after_settlement_what_stands_and_no_more(desk: Desk, visitor: Visitor) -> None:
    for decision in (Approved(digest="d"), Rejected(reason="a private reason")):
        asked = await desk.ask(preview="a private preview")
        await desk.decide(asked, decision, by=Decider(person="mia", identity=MIA, via="slack"))

        for page in (await visitor.open(desk.link(asked)), await visitor.send(desk.link(asked), decision="approve")):
            assert page.status_code in {200, 403}
            assert "ed by Mia Novak in Slack" in page.text
            assert "private" not in page.text
            assert "1042" not in page.text
            assert "<form" not in page.text


async def test_a_known_browser_is_known_to_every_process(desk: Desk, lee: Visitor, letters: Letters) -> None:
    link = desk.link(await desk.ask())
    async with browser_at(desk, letters) as again:
        again.client.cookies = lee.client.cookies

        assert (await again.send(link, decision="approve")).status_code == 303


async def test_a_browser_that_changes_hands_can_be_told_to_forget_whose_it_was(
    desk: Desk, lee: Visitor, letters: Letters
) -> None:
    desk.clock.move(13 * 3600)
    mias = desk.link(await desk.ask(), "mia")
    refused = await lee.open(mias)
    assert "This browser is not Lee Chen&#39;s any more" in refused.text

    page = await lee.client.get("/twokey/inbox/sign-in")
    assert "This browser is known to be <strong>Lee Chen</strong>" in page.text
    csrf = re.findall(r'sign-out">\s*<input type="hidden" name="csrf" value="([^"]*)"', page.text)[0]
    await lee.client.post("/twokey/inbox/sign-out", data={"csrf": csrf})

    assert "Is it you, Mia Novak?" in (await lee.open(mias)).text
    await lee.confirm(mias)
    assert letters.sent[-1][0] == "mia@acme.example"


async def test_whoever_may_decide_it_themselves_is_led_there_from_a_link_of_somebody_else(
    desk: Desk, lee: Visitor
) -> None:
    asked, other = await desk.ask(), await desk.ask(approvers=Approvers(people=("mia",)))

    assert (
        f'href="/twokey/inbox/approvals/{asked}">Look at it as Lee Chen'
        in (await lee.open(desk.link(asked, "mia"))).text
    )
    assert "Look at it as Lee Chen" not in (await lee.open(desk.link(other, "mia"))).text
