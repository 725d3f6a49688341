"""An approval mail shows everything that it is about, decides nothing, and nothing in it is markup."""

from dataclasses import replace

import pytest

from approvals.card import Argument, Asked, Card
from bot.mail.approval_mail import approval_mail, settled_mail
from bot.mail.email import Mailbox
from tests.unit.mail.outgoing import MAIL, parsed, part_of
from tests.unit.slack.cards import DANAS, LEES_NO, a_card, a_plan

CARD = a_card(
    title="Refund order 4711",
    arguments=(Argument("order", "4711"), Argument("note", "<script>alert(1)</script>\nline two")),
    requester="Bob <bob@corp.example>",
)
LINK, INBOX = "https://bot.example/approvals/abc?x=1&y=2", "https://bot.example/inbox"


def test_an_approval_mail_shows_everything_and_decides_nothing() -> None:
    mail = approval_mail(CARD, LINK, replace(MAIL, reply_to=Mailbox("agent+a.tok@bot.example")), inbox=INBOX)
    text, rich = part_of(mail, "plain"), part_of(mail, "html")

    for words in (
        CARD.title,
        CARD.why,
        "bob@corp.example",
        "refund",
        "4711",
        CARD.preview,
        "26 November 2026, 09:00 UTC",
    ):
        assert words in text
    assert LINK in text
    assert INBOX in text
    assert rich.count("<a ") == 1
    assert 'href="https://bot.example/approvals/abc?x=1&amp;y=2"' in rich
    assert "<script>" not in rich
    assert "<img" not in rich
    assert "Review and decide" in rich
    assert parsed(mail)["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("card", [CARD, a_plan(), a_card(needs="2 of role finance", votes=(DANAS,))])
def test_no_line_of_an_approval_mail_is_a_decision(card: Card) -> None:
    lines = [line.strip(" >.:").casefold() for line in part_of(approval_mail(card, LINK, MAIL), "plain").split("\n")]

    assert not {"approve", "approved", "yes", "reject"} & set(lines)


def test_an_approval_mail_says_whom_it_takes_who_said_what_what_was_changed_and_what_was_asked() -> None:
    card = a_card(
        arguments=(Argument("amount", "400", "40"),),
        needs="2 of role finance",
        votes=(DANAS, LEES_NO),
        changed_by="Mia Novak",
        is_escalated=True,
        remarks=(Asked("Lee Park", "Is it new?", "It is."), Asked("Lee Park", "Sure?")),
    )
    mail = approval_mail(card, LINK, MAIL)

    for part in ("plain", "html"):
        shown = part_of(mail, part)
        assert "2 of role finance" in shown
        assert "Dana Reyes approved (slack), 25 November, 09:01 UTC" in shown
        assert "Lee Park rejected (web)" in shown
        assert "400 (was 40)" in shown
        assert "Mia Novak changed the arguments" in shown
        assert "more people were asked" in shown
        assert "Is it new?" in shown
        assert "The agent: It is." in shown
        assert "The agent: (no answer yet)" in shown


def test_the_mail_of_a_plan_shows_all_of_its_calls_and_that_an_answer_is_about_all_of_them() -> None:
    mail = approval_mail(a_plan(3), LINK, MAIL)

    for part in ("plain", "html"):
        shown = part_of(mail, part)
        assert [f"Call {number} of 3" in shown for number in (1, 2, 3)] == [True] * 3
        assert all(order in shown for order in ("4711", "4712", "4713"))
        assert "decides for all 3 calls" in shown
    assert "5 more calls on the page" in part_of(approval_mail(a_plan(25), LINK, MAIL), "plain")


def test_what_cannot_be_seen_is_spelt_in_a_mail_and_nothing_in_it_is_markup() -> None:
    evil = "<b>10</b>\u202e24\u200b\x1b[2J [click](https://evil.example)"
    card = a_card(
        title=evil, why=evil, preview=evil, requester=evil, arguments=(Argument(evil, evil, evil),), tool=evil
    )
    settled = replace(card, status="rejected", decided_by=evil, decided_via="web", reason=evil)

    for mail in (approval_mail(card, LINK, MAIL), settled_mail(settled, MAIL)):
        for part in ("plain", "html"):
            shown = part_of(mail, part)
            assert "[U+202E]" in shown
            assert "[U+001B]" in shown
            assert not {"\u202e", "\u200b", "\x1b"} & set(shown)
        assert "<b>" not in part_of(mail, "html")
        assert 'evil.example"' not in part_of(mail, "html")


def test_long_arguments_are_cut_and_the_mail_says_so() -> None:
    many = a_card(arguments=(*(Argument(f"a{at}", "x") for at in range(60)), Argument("b", "y" * 5000)))

    assert "11 more arguments on the page" in part_of(approval_mail(many, LINK, MAIL), "plain")
    long = a_card(arguments=(Argument("b", "y" * 5000),))
    assert "3000 more characters on the page" in part_of(approval_mail(long, LINK, MAIL), "plain")


def test_a_link_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        approval_mail(CARD, "javascript:alert(1)", MAIL)
