"""Modals: Slack takes each of them, and they carry no more than the id of the approval and its place."""

import json

import pytest
from hypothesis import given, settings

from approvals.card import Argument, Card
from bot.slack import grant_modals, metadata, modals, plan_modals
from bot.slack.details import details_modal
from bot.slack.form import fields_of
from bot.slack.home import home_view
from bot.slack.interactions import Place
from bot.slack.metadata import Carried
from sandbox.slack.blocks import check_view
from tests.unit.slack.any_cards import CARDS, everything
from tests.unit.slack.cards import a_card, approved

PLACE = Place("C0", "1.2", "1.1")
CARRIED = metadata.written(Carried("apr_1", PLACE, "0" * 64))


@settings(deadline=None)  # eight modals of up to 60,000 characters
@given(CARDS)
def test_slack_takes_every_modal_whatever_stands_in_the_card(card: Card) -> None:
    fields = fields_of({"properties": {"order_id": {"type": "string"}}}, {"order_id": "4711"})
    for view in (
        modals.edit_modal(card, fields, CARRIED),
        modals.reject_modal(card, CARRIED),
        modals.answer_modal(card, CARRIED),
        modals.remark_modal(card, CARRIED),
        grant_modals.terms_modal(card, CARRIED),
        grant_modals.confirm_modal(card, card.preview, CARRIED),
        plan_modals.reject_all_modal(card, CARRIED),
        plan_modals.choose_modal(card, CARRIED),
        details_modal(card),
        details_modal(card, with_buttons=True),
        modals.notice("Sorry", card.title),
    ):
        check_view(view)
        assert len(json.dumps(view)) < 250_000


def test_the_other_views_are_taken_too() -> None:
    check_view(modals.loading())
    check_view(home_view())


def test_a_modal_carries_the_id_the_place_and_what_was_shown_and_nothing_else() -> None:
    view = modals.reject_modal(a_card(), CARRIED)
    assert json.loads(str(view["private_metadata"])) == {
        "approval": "apr_1",
        "channel": "C0",
        "ts": "1.2",
        "thread_ts": "1.1",
        "shown": "0" * 64,
    }
    assert metadata.read(CARRIED) == Carried("apr_1", PLACE, "0" * 64)


def test_metadata_of_an_older_version_is_read() -> None:
    older = '{"approval": "apr_1", "channel": "C0", "ts": "1.2", "thread_ts": "1.1"}'
    assert metadata.read(older) == Carried("apr_1", PLACE)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"approval": "a"}', '{"approval":1,"channel":"","ts":"","thread_ts":""}']
)
def test_metadata_of_others_is_not_read(text: str) -> None:
    assert metadata.read(text) is None


def test_details_show_in_full_what_the_card_cut() -> None:
    value = "".join(chr(ord("a") + number % 26) for number in range(20_000))
    shown = everything(list(details_modal(a_card(arguments=(Argument("note", value),)))["blocks"]))  # type: ignore[arg-type]  # JSON values
    assert value in shown.replace("\n", "")


@pytest.mark.parametrize(
    "changes, told",
    [
        ({}, "✅ approved by Dana Reyes in Slack"),
        ({"status": "rejected", "decided_by": ""}, "rejected since nobody decided in time"),
        ({"status": "expired", "decided_by": ""}, "expired"),
        ({"status": "cancelled", "decided_by": ""}, "cancelled"),
    ],
)
def test_details_of_what_is_over_say_so_before_anything_else(changes: dict[str, object], told: str) -> None:
    text = everything(list(details_modal(approved(**changes))["blocks"]))  # type: ignore[arg-type]  # JSON values
    assert told in text
    assert text.index(told) < text.index("What would happen")


def test_details_that_do_not_fit_say_how_to_see_the_rest() -> None:
    card = approved(arguments=(Argument("note", "x" * 200_000), Argument("last", "y")))
    view = details_modal(card)
    check_view(view)
    assert f"twokey approvals show {card.approval_id}" in json.dumps(view)


def test_a_call_with_nothing_to_edit_says_so() -> None:
    assert "no arguments" in json.dumps(modals.edit_modal(a_card(), (), CARRIED))


def test_what_was_typed_is_read_and_anything_else_is_empty() -> None:
    assert modals.typed_words({"words": {"value": {"value": "too much"}}}) == "too much"
    assert modals.typed_words({"words": {"value": {"value": None}}}) == ""
    assert modals.typed_words({}) == ""
