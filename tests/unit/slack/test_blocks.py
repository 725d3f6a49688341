"""Cards: everything needed to decide is there, nothing in it can pretend to be the card, and Slack takes it always."""

import json

import pytest
from hypothesis import given, settings
from slack_sdk.models.blocks import Block

from approvals.card import Argument, Asked, Card, Vote
from bot.slack.blocks import blocks_of, heading, text_of, text_without_buttons
from sandbox.slack.blocks import check_message
from tests.unit.slack.any_cards import ANY_TEXT, CARDS, MOMENT, buttons, everything, menu, mrkdwn, walk
from tests.unit.slack.cards import a_card, approved


@settings(deadline=None)  # plans of long calls
@given(CARDS)
def test_slack_takes_the_card_whatever_stands_in_it(card: Card) -> None:
    blocks = blocks_of(card)
    check_message(blocks)
    for block in blocks:
        assert Block.parse(block).to_dict() == block  # type: ignore[union-attr]  # None would be a failure too
    assert 0 < len(text_without_buttons(card)) <= 4_000


@pytest.mark.parametrize("status", ["open", "approved"])
@pytest.mark.parametrize("about", ["call", "question", "in_doubt", "trouble"])
@pytest.mark.parametrize("value", ["y" * 120, "y" * 20_000, "\u202e" * 200])
def test_the_largest_card_is_not_too_large(about: str, status: str, value: str) -> None:
    long = "\u202e" * 5_000
    card = a_card(
        about=about,
        status=status,
        title=long,
        tool=long,
        arguments=tuple(Argument(f"{n}{long}", value, was=value[1:] + "z") for n in range(40)),
        preview=long,
        why=long,
        rule=long,
        requester=long,
        choices=(long,) * 40,
        decided_by=long,
        reason=long,
        outcome="failed",
        outcome_text=long,
        needs=long,
        votes=(Vote(long, "approve", "cli", MOMENT),) * 30,
        remarks=(Asked(long, long, long),) * 9,
        changed_by=long,
        is_escalated=True,
        may_grant=True,
        granted=(long, long),
    )
    check_message(blocks_of(card))
    assert len(text_without_buttons(card)) <= 4_000


@settings(deadline=None)  # plans of long calls
@given(CARDS)
def test_only_our_own_date_is_ever_parsed(card: Card) -> None:
    for text in mrkdwn(blocks_of(card)):
        assert text.replace("Expires ", "").startswith("<!date^")
        assert text.count("<") == 1
    text = text_of(card)
    assert text.count("<") == text.count("<!date^") <= 1


@settings(deadline=None)  # plans of long calls
@given(CARDS)
def test_only_an_open_card_has_buttons_and_they_carry_the_id_alone(card: Card) -> None:
    assert bool(buttons(card)) == card.is_pending
    ids = {each.approval_id for each in card.plan if each.is_open} | {card.approval_id}
    for block in blocks_of(card):
        for each in walk(block):
            if each.get("type") == "button":
                assert each["value"] == card.approval_id
            if each.get("type") == "overflow":
                assert {str(option["value"]).partition(":")[2] for option in each["options"]} <= ids  # type: ignore[union-attr, index, call-overload]  # options


@given(ANY_TEXT)
def test_a_value_that_was_cut_says_so_and_can_be_seen_in_full(value: str) -> None:
    card = a_card(arguments=(Argument("note", value),))
    assert ("more characters, open Details" in json.dumps(blocks_of(card))) == ("approval_details" in buttons(card))


def test_a_card_shows_all_that_is_needed_to_decide() -> None:
    text = everything(blocks_of(a_card()))
    for part in ("Approval needed", "Refund order 4711", "order_id", "4711", "amount", "49.9", "refund"):
        assert part in text
    for part in ("Refunds 49.90 EUR", "Ada Okafor", "Money leaves the company.", "refunds", "<!date^1795683600^"):
        assert part in text


def test_a_call_is_approved_edited_or_rejected() -> None:
    found = buttons(a_card())
    assert list(found) == ["approval_approve", "approval_edit", "approval_reject"]
    assert found["approval_approve"]["style"] == "primary"
    assert found["approval_approve"]["confirm"]["text"]["text"] == "Refund order 4711"
    assert found["approval_reject"]["style"] == "danger"


def test_what_is_rarely_needed_lies_behind_the_menu() -> None:
    assert [each.partition(":")[0] for each in menu(a_card())] == ["remark", "instead", "details"]
    assert [each.partition(":")[0] for each in menu(a_card(may_grant=True))] == [
        "remark",
        "instead",
        "grant",
        "details",
    ]
    assert menu(approved(may_grant=True)) == []
    assert menu(a_card(about="question", choices=("Yes", "No"))) == []


def test_a_question_offers_its_choices_and_room_for_other_words() -> None:
    found = buttons(a_card(about="question", choices=("Standard", "Express")))
    assert list(found) == ["approval_choice_0", "approval_choice_1", "approval_answer"]
    assert found["approval_choice_1"]["text"]["text"] == "Express"


def test_a_choice_too_long_for_a_button_stands_above_it_in_full() -> None:
    choice = "Send the parcel again " + "and again " * 10
    card = a_card(about="question", choices=(choice, "No"))
    assert choice.strip() in everything(blocks_of(card))
    assert buttons(card)["approval_choice_1"]["text"]["text"] == "2. No"


@pytest.mark.parametrize("about", ["in_doubt", "trouble"])
def test_doubt_and_trouble_offer_their_choices_and_nothing_else(about: str) -> None:
    found = buttons(a_card(about=about, choices=("It happened", "Run it again", "Stop")))
    assert list(found) == ["approval_choice_0", "approval_choice_1", "approval_choice_2"]
    assert ("confirm" in found["approval_choice_1"]) == (about == "in_doubt")


def test_a_settled_card_says_who_decided_when_where_and_what_came_of_it() -> None:
    text = everything(blocks_of(approved(outcome="done")))
    for part in ("✅ Approved", "Approved by Dana Reyes in Slack", "<!date^1795597500^", "✅ Done"):
        assert part in text


@pytest.mark.parametrize(
    "changes, part",
    [
        ({"status": "rejected", "reason": "Too much."}, "Too much."),
        ({"status": "expired", "decided_by": "", "decided_via": ""}, "nobody decided in time"),
        (
            {"status": "rejected", "decided_by": "", "decided_via": "", "reason": "nobody decided in time"},
            "⛔ Rejected by time",
        ),
        ({"status": "cancelled", "reason": "stopped in Slack"}, "stopped in Slack"),
        ({"about": "question", "status": "answered", "reason": "Express"}, "Express"),
        ({"outcome": "failed", "outcome_text": "card declined"}, "card declined"),
        ({"outcome": ""}, "Running"),
        ({"decided_via": "mail"}, "by mail"),
    ],
)
def test_each_end_of_an_approval_is_told(changes: dict[str, object], part: str) -> None:
    assert part in everything(blocks_of(approved(**changes)))


def test_changed_arguments_show_what_was_and_what_is() -> None:
    text = everything(blocks_of(approved(arguments=(Argument("amount", "20", was="49.9"),))))
    assert text.index("49.9") < text.index("→") < text.index("20")
    long = approved(arguments=(Argument("note", "new\ntext", was="old\ntext"),))
    assert "(changed)" in everything(blocks_of(long))


def test_a_value_cannot_look_like_the_cards_own_words() -> None:
    forged = "4711\n✅ Approved by Dana Reyes in Slack"
    card = a_card(arguments=(Argument("order_id", forged),))
    elements = [each for block in blocks_of(card) if block["type"] == "rich_text" for each in walk(block)]
    assert [each["type"] for each in elements if forged in everything(each)][-2:] == ["rich_text_preformatted", "text"]


def test_hidden_characters_are_seen_in_values() -> None:
    card = a_card(arguments=(Argument("account", "DE89\u200b3704\u202e"),))
    assert "DE89⟨U+200B⟩3704⟨U+202E⟩" in everything(blocks_of(card))


def test_the_words_of_a_card_say_the_same_without_blocks() -> None:
    text = text_without_buttons(a_card(title="Refund <b> & co"))
    assert "Refund &lt;b&gt; &amp; co" in text
    assert "twokey approvals show apr_aaaaaaaaaaaaaaaaaaaab" in text
    assert "twokey" not in text_without_buttons(approved())


def test_every_kind_and_end_has_a_heading() -> None:
    assert heading(a_card(about="in_doubt")) == "⚠️ Did this happen?"
    assert heading(approved(about="question", status="answered")) == "💬 Answered"
