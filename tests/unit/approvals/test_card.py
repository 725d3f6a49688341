"""What a card says: the subject in its title, and nothing that is no longer true."""

import pytest
from pydantic import JsonValue

from agent.approval import recorded
from agent.events import ApprovalDecided, ApprovalRequested
from agent.verdict import Approved, Approvers
from approvals import card
from approvals.card import Card, title_of
from tests.builders import AT

ASKED = ApprovalRequested(
    at=AT,
    approval_id="apr_1",
    about="call",
    tool="refund_order",
    arguments={"order_id": "1042", "amount": 40.0},
    title="Refund order: 1042",
    why="Money.",
    rule="refunds",
    preview="Refunds 40.00 EUR for 1042.",
    approvers=Approvers(),
    expires_at=AT,
)


@pytest.mark.parametrize(
    "arguments, title",
    [
        ({}, "Refund order"),
        ({"order_id": "1042", "amount": 40.0}, "Refund order: 1042"),
        ({"amount": 40}, "Refund order: 40"),
        ({"note": "a\nb", "order_id": "1042"}, "Refund order: 1042"),
        ({"note": "x" * 61, "order_id": "1042"}, "Refund order: 1042"),
        ({"note": "  ", "order_id": "1042"}, "Refund order: 1042"),
        ({"express": True, "tags": ["a"], "note": None, "order_id": "1042"}, "Refund order: 1042"),
        ({"order_id": "10\u202e42"}, "Refund order"),
    ],
)
def test_the_title_names_the_first_argument_that_can_be_read_at_a_glance(
    arguments: dict[str, JsonValue], title: str
) -> None:
    assert title_of("refund_order", arguments) == title


def built(decided: ApprovalDecided) -> Card:
    record = recorded([ASKED, decided])
    assert record is not None
    return card.build("thr_1", record, lambda _: "")


def test_edited_arguments_change_the_title_and_take_the_preview_away() -> None:
    edited = Approved(digest="d", arguments={"amount": 20.0, "order_id": "1043"})
    decided = ApprovalDecided(at=AT, approval_id="apr_1", decision=edited)
    shown = built(decided)
    assert (shown.title, shown.preview) == ("Refund order: 1043", "")
    as_proposed = built(decided.model_copy(update={"decision": Approved(digest="d")}))
    assert (as_proposed.title, as_proposed.preview) == (ASKED.title, ASKED.preview)
