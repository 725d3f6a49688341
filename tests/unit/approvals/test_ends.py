"""Each end of an approval is told apart from the others, by the same word on every surface."""

from collections.abc import Callable

import pytest

from agent.timing import TIMED_OUT
from approvals.attempt import settled_text
from approvals.card import Card
from bot import approval_texts
from bot.mail import approval_mail
from bot.pages.words import stands
from bot.slack.blocks import heading, text_of
from bot.slack.details import details_modal
from bot.slack.plans import status_of
from tests.unit.slack.any_cards import everything
from tests.unit.slack.cards import ASKED, a_card


def _details(card: Card) -> str:
    return everything(list(details_modal(card)["blocks"]))  # type: ignore[arg-type]  # JSON values


BY_DANA: dict[str, object] = {"decided_by": "Dana Reyes", "decided_via": "slack"}
ENDS = {
    "approved": a_card(status="approved", decided_at=ASKED, **BY_DANA),
    "answered": a_card(status="answered", decided_at=ASKED, reason="By hand", **BY_DANA),
    "rejected": a_card(status="rejected", decided_at=ASKED, reason="Too much", **BY_DANA),
    "rejected by time": a_card(status="rejected", decided_at=ASKED, reason=TIMED_OUT),
    "expired": a_card(status="expired", decided_at=ASKED),
    "cancelled": a_card(status="cancelled", decided_at=ASKED, reason="stopped in Slack"),
}
SURFACES: dict[str, Callable[[Card], str]] = {
    "page": lambda card: f"{stands(card, ASKED).label}: {stands(card, ASKED)}",
    "mail": approval_mail.settled_text,
    "command line": approval_texts.card_text,
    "Slack card": lambda card: heading(card) + text_of(card),
    "Slack plan": status_of,
    "Slack details": _details,
    "too late": settled_text,
}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("end", ENDS)
def test_every_surface_calls_it_by_the_same_word(surface: str, end: str) -> None:
    told = SURFACES[surface](ENDS[end]).lower()

    assert ENDS[end].status in told
    for other in {card.status for card in ENDS.values()} - {ENDS[end].status}:
        assert f" {other} by" not in told, f"{end} is told as {other}"


@pytest.mark.parametrize("surface", SURFACES)
def test_what_nobody_decided_is_nobodys_and_says_so(surface: str) -> None:
    for end in ("rejected by time", "expired"):
        told = SURFACES[surface](ENDS[end])
        assert "nobody decided" in told.lower()
        assert "Dana" not in told


@pytest.mark.parametrize("surface", ["mail", "command line", "Slack card"])
def test_why_the_work_was_stopped_is_told(surface: str) -> None:
    assert "stopped in Slack" in SURFACES[surface](ENDS["cancelled"])
