"""Cards for tests, with defaults."""

from dataclasses import replace
from datetime import UTC, datetime

from approvals.card import Argument, Card, Vote

ASKED = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
CARD = Card(
    approval_id="apr_aaaaaaaaaaaaaaaaaaaab",
    thread_id="thr_aaaaaaaaaaaaaaaaaaaab",
    about="call",
    title="Refund order 4711",
    tool="refund",
    arguments=(Argument("order_id", "4711"), Argument("amount", "49.9")),
    preview="Refunds 49.90 EUR to Sam Poole.",
    why="Money leaves the company.",
    rule="refunds",
    requester="Ada Okafor",
    asked_at=ASKED,
    expires_at=datetime(2026, 11, 26, 9, 0, tzinfo=UTC),
    digest="0" * 64,
    choices=(),
)


def a_card(**changes: object) -> Card:
    """An open card about a refund, but for what is named."""
    return replace(CARD, **changes)  # type: ignore[arg-type]  # fields of Card


def approved(**changes: object) -> Card:
    """The same, approved."""
    settled: dict[str, object] = {
        "status": "approved",
        "decided_by": "Dana Reyes",
        "decided_via": "slack",
        "decided_at": datetime(2026, 11, 25, 9, 5, tzinfo=UTC),
    }
    return a_card(**{**settled, **changes})


DANAS = Vote("Dana Reyes", "approve", "slack", datetime(2026, 11, 25, 9, 1, tzinfo=UTC))
LEES = Vote("Lee Park", "approve", "mail", datetime(2026, 11, 25, 9, 2, tzinfo=UTC))
LEES_NO = Vote("Lee Park", "reject", "web", datetime(2026, 11, 25, 9, 2, tzinfo=UTC))


def another(number: int, **changes: object) -> Card:
    """The call of a plan that has this number."""
    values: dict[str, object] = {
        "approval_id": f"apr_{number:a>20}",
        "title": f"Refund order {4710 + number}",
        "arguments": (Argument("order_id", str(4710 + number)), Argument("amount", "49.9")),
        "digest": str(number % 10) * 64,
    }
    return a_card(**{**values, **changes})


def a_plan(count: int = 3, **changes: object) -> Card:
    """The card of a plan of so many calls, all open."""
    return a_card(**{"mates": tuple(another(number) for number in range(2, count + 1)), **changes})
