"""Cards with anything in them, and how to read what was made of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from pydantic import JsonValue

from agent.conversation import JsonObject
from approvals.card import Argument, Asked, Card, Vote
from bot.slack.blocks import blocks_of

MOMENT = datetime(2026, 11, 25, tzinfo=UTC)
ANY_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="a\n\t\u202e\u200b😀<>&`*", max_size=400),
    st.integers(0, 20_000).map(lambda n: "x" * n),
    st.just("<!channel> *Approved by Dana Reyes* <https://evil.example|ok>"),
)
VOTES = st.builds(
    Vote, ANY_TEXT, st.sampled_from(["approve", "reject"]), st.sampled_from(["slack", "cli", "x"]), st.just(MOMENT)
)
_FIELDS: dict[str, Any] = {
    "thread_id": st.just("thr_a"),
    "about": st.sampled_from(["call", "question", "in_doubt", "trouble"]),
    "title": ANY_TEXT,
    "tool": ANY_TEXT,
    "arguments": st.lists(st.builds(Argument, ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=30).map(tuple),
    "preview": ANY_TEXT,
    "why": ANY_TEXT,
    "rule": ANY_TEXT,
    "requester": ANY_TEXT,
    "asked_at": st.just(MOMENT),
    "expires_at": st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1)),  # noqa: DTZ001 - Hypothesis wants it naive
    "digest": st.just("0" * 64),
    "choices": st.lists(ANY_TEXT, max_size=30).map(tuple),
    "status": st.sampled_from(["open", "open", "approved", "rejected", "expired", "cancelled", "answered"]),
    "decided_by": ANY_TEXT,
    "decided_via": st.sampled_from(["", "slack", "mail", "web", "api", "cli", "thread"]),
    "decided_at": st.sampled_from([None, datetime(2026, 11, 25, tzinfo=UTC)]),
    "reason": ANY_TEXT,
    "outcome": st.sampled_from(["", "done", "failed"]),
    "outcome_text": ANY_TEXT,
    "needs": ANY_TEXT,
    "votes": st.lists(VOTES, max_size=15).map(tuple),
    "remarks": st.lists(st.builds(Asked, ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=6).map(tuple),
    "changed_by": ANY_TEXT,
    "is_escalated": st.booleans(),
    "may_grant": st.booleans(),
    "granted": st.lists(ANY_TEXT, max_size=2).map(tuple),
}
ONE = st.builds(Card, approval_id=st.just("apr_aaaaaaaaaaaaaaaaaaaab"), **_FIELDS)
MATES = st.lists(
    st.builds(Card, approval_id=st.just(""), **{**_FIELDS, "about": st.just("call")}), min_size=1, max_size=5
)
PLANS = st.builds(lambda card, mates: replace(card, about="call", mates=_numbered(mates)), ONE, MATES)
CARDS = st.one_of(ONE, PLANS)


def _numbered(cards: list[Card]) -> tuple[Card, ...]:
    """Each with an id of its own."""
    return tuple(replace(card, approval_id=f"apr_{number}") for number, card in enumerate(cards))


def walk(value: JsonValue) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def mrkdwn(blocks: list[JsonObject]) -> list[str]:
    return [str(each["text"]) for each in walk(list(blocks)) if each.get("type") == "mrkdwn"]


def everything(blocks: JsonValue | list[JsonObject]) -> str:
    found = walk(list(blocks) if isinstance(blocks, list) else blocks)
    return "\n".join(str(each["text"]) for each in found if isinstance(each.get("text"), str))


def buttons(card: Card) -> dict[str, dict[str, Any]]:
    return {str(each["action_id"]): each for each in walk(list(blocks_of(card))) if each.get("type") == "button"}


def menu(card: Card) -> list[str]:
    found = [each for each in walk(list(blocks_of(card))) if each.get("type") == "overflow"]
    return [str(each["value"]) for menu in found for each in menu["options"]]  # type: ignore[union-attr, index, call-overload]  # options
