"""How cards and modals look, word for word. A change here is a change that people see."""

from datetime import UTC, datetime

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from approvals.card import Argument
from bot.slack import modals
from bot.slack.blocks import blocks_of, text_of
from bot.slack.form import fields_of
from bot.slack.home import home_view
from bot.slack.payloads import Place
from tests.unit.slack.cards import a_card, approved

CARDS = {
    "a call": a_card(),
    "a call with long arguments": a_card(
        arguments=(
            Argument("to", "sam@customer.example"),
            Argument("body", "Dear Sam,\n\n" + "we are sorry. " * 150),
            Argument("note", ""),
        )
    ),
    "a question": a_card(about="question", title="Which service?", tool="", arguments=(), choices=("Post", "Courier")),
    "a call in doubt": a_card(
        about="in_doubt",
        title="Refund: did it happen?",
        why="The process stopped while this was running. It may or may not have happened.",
        choices=("It happened", "Run it again", "Stop"),
        preview="",
    ),
    "trouble": a_card(
        about="trouble",
        title="I ran into 3 errors in a row.",
        tool="",
        arguments=(),
        preview="",
        why="errors",
        rule="",
        choices=("Try again", "Stop"),
    ),
    "approved and done": approved(outcome="done"),
    "approved with changes and failed": approved(
        arguments=(Argument("order_id", "4711"), Argument("amount", "20", was="49.9")),
        preview="",
        outcome="failed",
        outcome_text="The bank refused.",
    ),
    "rejected by mail": approved(status="rejected", decided_via="mail", reason="Too much.\nAsk again for half."),
    "expired": approved(status="expired", decided_by="", decided_via=""),
    "cancelled": approved(status="cancelled", decided_by="", decided_via="", reason="stopped in Slack"),
    "answered in the thread": approved(about="question", status="answered", decided_via="thread", reason="Courier"),
}
PARAMETERS = {
    "properties": {
        "order_id": {"type": "string", "description": "Which order."},
        "amount": {"type": "number", "minimum": 0},
        "express": {"type": "boolean"},
        "service": {"enum": ["post", "courier"]},
        "items": {"type": "array"},
    },
    "required": ["order_id", "amount"],
}


@pytest.fixture
def as_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_as_it_did(name: str, as_json: SnapshotAssertion) -> None:
    assert {"text": text_of(CARDS[name]), "blocks": blocks_of(CARDS[name])} == as_json


def test_the_modals_look_as_they_did(as_json: SnapshotAssertion) -> None:
    arguments = {"order_id": "4711", "amount": 49.9, "express": False, "items": ["lamp"]}
    fields = fields_of(PARAMETERS, arguments)  # type: ignore[arg-type]  # JSON values
    carried = modals.metadata("apr_1", Place("C0", "1.2", "1.1"))
    assert {
        "edit": modals.edit_modal(a_card(), fields, carried),
        "reject": modals.reject_modal(a_card(), carried),
        "answer": modals.answer_modal(a_card(), carried),
        "details": modals.details_modal(a_card(expires_at=datetime(2026, 11, 26, tzinfo=UTC))),
        "home": home_view(),
    } == as_json
