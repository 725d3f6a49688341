"""Plans: each call is seen with where it stands, all can be decided at once, and Slack takes the largest."""

import json

import pytest

from approvals.card import Argument, Asked, Vote
from bot.slack.blocks import blocks_of, heading, text_of, text_without_buttons
from bot.slack.details import details_modal
from bot.slack.plan_modals import choose_modal, reject_all_modal
from bot.slack.plans import plan_buttons
from sandbox.slack.blocks import check_message, check_view
from tests.unit.slack.any_cards import MOMENT, buttons, everything, menu
from tests.unit.slack.cards import DANAS, LEES_NO, a_card, a_plan, another


@pytest.mark.parametrize("status", ["open", "rejected"])
@pytest.mark.parametrize("count", [2, 3, 7, 20, 60])
@pytest.mark.parametrize("value", ["y" * 100, "y" * 10_000, "\u202e" * 200])
def test_the_largest_plan_is_not_too_large(count: int, status: str, value: str) -> None:
    long = "\u202e" * 5_000
    changes: dict[str, object] = {
        "status": status,
        "title": long,
        "arguments": tuple(Argument(f"{n}{long}", value, was=value[1:] + "z") for n in range(40)),
        "preview": long,
        "why": long,
        "rule": long,
        "requester": long,
        "decided_by": long,
        "decided_via": "cli",
        "reason": long,
        "outcome": "failed",
        "outcome_text": long,
        "needs": long,
        "votes": (Vote(long, "approve", "cli", MOMENT), DANAS, LEES_NO) * 10,
        "remarks": (Asked(long, long, long),) * 9,
        "changed_by": long,
        "is_escalated": True,
        "may_grant": True,
    }
    card = a_card(**changes, mates=tuple(another(n, **changes) for n in range(2, count + 1)))
    check_message(blocks_of(card))
    assert len(text_without_buttons(card)) <= 4_000
    for view in (details_modal(card, with_buttons=True), choose_modal(card, "{}"), reject_all_modal(card, "{}")):
        check_view(view)
        assert len(json.dumps(view)) < 250_000


def test_a_plan_is_a_numbered_list_with_where_each_call_stands() -> None:
    card = a_plan(mates=(another(2, status="rejected", decided_by="Lee Park", decided_via="mail"), another(3)))
    text = everything(blocks_of(card))
    for part in ("Approval needed: 2 calls, 1 decided", "1. Refund order 4711", "2. Refund order 4712", "⏳ waits"):
        assert part in text
    assert "⛔ rejected by Lee Park by mail" in text
    assert "2. Refund order 4712: ⛔ rejected by Lee Park by mail" in text_of(card)


def test_a_plan_is_decided_at_once_or_call_by_call() -> None:
    card = a_plan(mates=(another(2, status="approved"), another(3)))
    assert list(buttons(card)) == ["plan_approve", "plan_choose", "plan_reject", "approval_details"]
    confirm = buttons(card)["plan_approve"]["confirm"]
    assert confirm["title"]["text"] == "Approve all 2 calls?"
    assert "Refund order 4711; 2. Refund order 4713" in confirm["text"]["text"]
    assert {each.partition(":")[2] for each in menu(card)} == {card.approval_id, card.mates[1].approval_id}


def test_a_plan_that_is_decided_looks_so() -> None:
    settled = a_plan(mates=(another(2, status="rejected"),), status="approved")
    assert heading(settled) == "☑️ Decided: 1 approved, 1 rejected"
    assert heading(a_plan(status="expired", mates=(another(2, status="expired"),))) == "⌛ All 2 expired"
    assert buttons(settled) == {}
    assert menu(settled) == []


def test_a_plan_of_twenty_calls_with_long_arguments_is_shown_whole() -> None:
    long = tuple(Argument(f"note_{n}", "x" * 10_000) for n in range(5))
    card = a_plan(mates=tuple(another(n, arguments=long) for n in range(2, 21)), arguments=long)
    text = everything(blocks_of(card))
    check_message(blocks_of(card))
    assert all(f"{number}. Refund order {4710 + number}" in text for number in range(1, 21))
    assert len(menu(card)) == 20 * 5


def test_calls_for_which_there_is_no_room_are_counted() -> None:
    assert "… and 5 more calls, open Details" in everything(blocks_of(a_plan(25)))


@pytest.mark.parametrize("count, has_it", [(20, True), (21, False)])
def test_nobody_approves_at_once_what_the_card_has_no_room_for(count: int, *, has_it: bool) -> None:
    row = everything(plan_buttons(a_plan(count)))
    assert ("Approve all" in row) is has_it
    assert "Choose…" in row
