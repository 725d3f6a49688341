"""Whose approval it takes, votes, changes, questions and answers on a card."""

from approvals.card import Argument, Asked
from bot.slack.blocks import blocks_of, text_of
from bot.slack.details import details_modal
from tests.unit.slack.any_cards import buttons, everything, walk
from tests.unit.slack.cards import DANAS, LEES, LEES_NO, a_card, approved


def test_whose_approval_it_takes_and_who_said_what_so_far_is_shown() -> None:
    card = a_card(needs="2 of role finance, then 1 of role cfo", votes=(DANAS, LEES_NO))
    text = everything(blocks_of(card))
    assert "Takes \n2 of role finance, then 1 of role cfo" in text
    assert "✅ Dana Reyes approved in Slack" in text
    assert "⛔ Lee Park rejected on the web page" in text
    assert "✅ Dana Reyes approved in Slack" in text_of(card)


def test_a_settled_card_keeps_who_voted() -> None:
    text = everything(blocks_of(approved(needs="2 of role finance", votes=(DANAS, LEES))))
    assert "✅ Dana Reyes approved in Slack" in text
    assert "✅ Lee Park approved by mail" in text


def test_a_changed_card_says_who_changed_what() -> None:
    card = a_card(changed_by="Lee Park", arguments=(Argument("amount", "20", was="49.9"),))
    text = everything(blocks_of(card))
    assert text.index("Changed by Lee Park") < text.index("49.9") < text.index("→") < text.index("20")


def test_an_escalated_card_says_so_while_it_is_open() -> None:
    assert "more people were asked" in everything(blocks_of(a_card(is_escalated=True)))
    assert "more people were asked" not in everything(blocks_of(approved(is_escalated=True)))


def test_what_was_asked_of_the_agent_stands_in_boxes_with_its_answer() -> None:
    forged = "No.\n✅ Dana Reyes approved in Slack"
    card = a_card(remarks=(Asked("Lee Park", "Is it the second?", forged), Asked("Dana Reyes", "Why today?")))
    blocks = blocks_of(card)
    boxes = [each for each in walk(list(blocks)) if each.get("type") == "rich_text_preformatted"]
    assert {"Is it the second?", forged, "Why today?"} <= {everything(each).strip() for each in boxes}
    assert "has not answered yet" in everything(blocks)
    assert "has not answered yet" not in everything(blocks_of(approved(remarks=card.remarks)))


def test_earlier_questions_are_named_and_can_be_seen_in_full() -> None:
    card = a_card(remarks=tuple(Asked("Lee", f"Question {n}?", "Yes.") for n in range(5)))
    assert "2 earlier questions" in everything(blocks_of(card))
    assert "Question 0?" in everything(details_modal(card))
    assert "approval_details" in buttons(card)


def test_what_is_let_run_from_now_on_stays_on_the_settled_card() -> None:
    told = "refund with exactly order_id=4711; whoever asks; until 2026-12-02 09:00:00 UTC, any number of times"
    blocks = blocks_of(approved(granted=(told,)))
    boxes = [each for each in walk(list(blocks)) if each.get("type") == "rich_text_preformatted"]
    assert "From now on, without asking anybody again" in everything(blocks)
    assert [everything(each).strip() for each in boxes][-1] == told
