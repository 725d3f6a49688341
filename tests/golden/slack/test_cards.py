"""How cards and modals look, word for word. A change here is a change that people see."""

from datetime import UTC, datetime

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from approvals.card import Argument, Asked
from bot.slack import grant_modals, metadata, modals, plan_modals
from bot.slack.blocks import blocks_of, text_of
from bot.slack.details import details_modal
from bot.slack.form import fields_of
from bot.slack.home import Lists, Standing, home_view
from bot.slack.interactions import Place
from bot.slack.metadata import Carried
from tests.unit.slack.cards import DANAS, LEES, LEES_NO, a_card, a_plan, another, approved

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
    "two of finance, then the cfo": a_card(
        needs="2 of role finance, then 1 of role cfo",
        votes=(DANAS, LEES_NO),
        changed_by="Lee Park",
        arguments=(Argument("order_id", "4711"), Argument("amount", "20", was="49.9")),
        preview="",
        remarks=(Asked("Dana Reyes", "Is this the second refund?", "No, the first."), Asked("Lee Park", "Why today?")),
        is_escalated=True,
        may_grant=True,
    ),
    "approved by two": approved(needs="2 of role finance", votes=(DANAS, LEES), outcome="done"),
    "a plan": a_plan(),
    "a plan that is partly decided": a_plan(
        mates=(another(2, status="rejected", reason="Too much.", decided_by="Lee Park", decided_via="mail"), another(3))
    ),
    "a plan that nobody decided in time": a_plan(
        status="rejected", mates=(another(2, status="expired"), another(3, status="cancelled"))
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
    carried = metadata.written(Carried("apr_1", Place("C0", "1.2", "1.1"), "0" * 64))
    assert {
        "edit": modals.edit_modal(a_card(), fields, carried),
        "reject": modals.reject_modal(a_card(), carried),
        "answer": modals.answer_modal(a_card(about="question"), carried),
        "details": details_modal(a_card(expires_at=datetime(2026, 11, 26, tzinfo=UTC))),
        "answer instead": modals.answer_modal(a_card(), carried),
        "to the inbox": modals.sign_in_modal("https://agent.example/inbox/sign-in/abc"),
        "ask the agent": modals.remark_modal(a_card(), carried),
        "terms of a grant": grant_modals.terms_modal(a_card(), carried),
        "a grant in words": grant_modals.confirm_modal(a_card(), "refund with exactly order_id=4711", carried),
        "reject all": plan_modals.reject_all_modal(a_plan(), carried),
        "choose": plan_modals.choose_modal(a_plan(), carried),
        "details of a plan": details_modal(a_plan(), with_buttons=True),
        "home": home_view(),
        "home of an approver": home_view(
            Lists(
                pending=[a_card(), a_plan()],
                more=2,
                decided=[approved(outcome="done"), approved(status="rejected", title="Refund order 9")],
                grants=[Standing("grt_1", "refund with exactly order_id=4711; whoever asks", used=2)],
            ),
            has_inbox=True,
        ),
    } == as_json
