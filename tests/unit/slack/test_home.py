"""The Home tab: what waits, what was decided and what is allowed, and that Slack takes it whatever stands in it."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.card import Card
from bot.slack.home import GRANTS_MOST, PENDING_MOST, Lists, Standing, home_view
from sandbox.slack.blocks import check_view
from tests.unit.slack.any_cards import ANY_TEXT, CARDS, everything, mrkdwn, walk
from tests.unit.slack.cards import a_card, a_plan, approved

GRANTS = st.lists(ANY_TEXT, max_size=30).map(
    lambda told: [Standing(f"grt_{n}", each, n) for n, each in enumerate(told)]
)


def buttons(view: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in walk(view) if each.get("type") == "button"]


def numbered(cards: list[Card]) -> list[Card]:
    return [replace(card, approval_id=f"apr_{number}") for number, card in enumerate(cards)]


@settings(deadline=None)
@given(st.lists(CARDS, max_size=6).map(numbered), st.lists(CARDS, max_size=6), GRANTS, st.integers(0, 1000))
def test_slack_takes_the_tab_whatever_stands_in_it(
    pending: list[Card], decided: list[Card], grants: list[Standing], more: int
) -> None:
    view = home_view(Lists(pending, more, decided, grants), has_inbox=True)
    check_view(view)
    assert all(text.startswith("Expires <!date^") and text.count("<") == 1 for text in mrkdwn(view["blocks"]))  # type: ignore[arg-type]  # blocks
    assert [each for each in walk(view) if each.get("type") == "link"] == []
    assert [each["value"] for each in buttons(view) if each["action_id"] == "inbox_open"] == ["mine"]


def test_the_largest_tab_is_not_too_large() -> None:
    long = "\u202e" * 5_000
    card = a_card(title=long, tool=long, requester=long, why=long, decided_by=long)
    many = numbered([card] * 300)
    grants = [Standing(f"grt_{number}", long, 5) for number in range(300)]
    view = home_view(Lists(many, 300, [replace(card, status="rejected")] * 300, grants), has_inbox=True)
    check_view(view)
    assert len(json.dumps(view)) < 250_000
    assert len(buttons(view)) == PENDING_MOST + GRANTS_MOST + 1
    assert f"up to {300 - PENDING_MOST + 300} more" in everything(view)
    assert f"and {300 - GRANTS_MOST} more" in everything(view)


def test_of_one_more_call_a_tab_speaks_in_the_singular() -> None:
    assert "(and 1 more call)" in everything(home_view(Lists(pending=[a_plan(2)])))


def test_what_waits_says_who_asked_and_until_when_and_opens() -> None:
    view = home_view(Lists(pending=[a_card(), a_plan(approval_id="apr_2")]))
    text = everything(view)
    for part in (
        "Waiting for you: 2",
        "Refund order 4711",
        "Asked by Ada Okafor",
        "Tool: refund",
        "<!date^1795683600^",
    ):
        assert part in text
    assert "Refund order 4711 (and 2 more calls)" in text
    assert [(each["action_id"], each["value"]) for each in buttons(view)] == [
        ("approval_open", a_card().approval_id),
        ("approval_open", "apr_2"),
    ]


def test_nothing_waits() -> None:
    assert "Nothing waits for you" in everything(home_view(Lists()))


def test_what_was_decided_stands_without_a_button() -> None:
    view = home_view(Lists(decided=[approved(outcome="done")]))
    assert "✅ approved by Dana Reyes in Slack, done" in everything(view)
    assert buttons(view) == []


def test_a_grant_says_what_it_lets_run_and_how_often_it_did_and_is_taken_back() -> None:
    view = home_view(Lists(grants=[Standing("grt_1", "refund with exactly order_id=4711", used=2)]))
    [revoke] = buttons(view)
    assert "refund with exactly order_id=4711 Used 2 times." in everything(view)
    assert (revoke["action_id"], revoke["value"]) == ("grant_revoke", "grt_1")
    assert revoke["confirm"]["text"]["text"] == "refund with exactly order_id=4711"


def test_whoever_is_nobodys_approver_sees_how_twokey_is_used_and_no_list() -> None:
    view = home_view()
    check_view(view)
    assert "Waiting" not in everything(view)
    assert "Nothing waits" not in everything(view)
    assert "Mention me in a channel" in everything(view)
    assert buttons(view) == []
