"""The sentences that the sandbox's model says. Pure."""

from collections.abc import Mapping
from typing import Final

from sandbox.model.outcome import Outcome
from sandbox.model.reading import Wish
from sandbox.model.turn import Done

CANNOT_ASK: Final = "I have no way to ask the team from here."
CANNOT_LOOK: Final = "I cannot look up orders here: no such tool was given to me."
CLOSING: Final = "All done here. Write again whenever you need me."
_NUMBER: Final = "order number"
_CAN: Final = (
    "I can look up an order, ask for a refund, or put a question to the team. Refunds always wait for a person's "
    "approval. Try “Please refund order 1042, it arrived broken”."
)


def small_talk(wish: Wish) -> str:
    """An answer to talk that is about no order."""
    if wish == "thanks":
        return "You're welcome. Anything else?"
    if wish == "hello":
        return f"Hello! {_CAN}"
    return f"I'm a small rule-based model and did not understand that. {_CAN}"


def which_order(wish: Wish) -> str:
    """Ask for what is missing."""
    return f"Happy to. What is the {_NUMBER}?" if wish == "refund" else f"Which {_NUMBER} should I look up?"


def asks_for_number(text: str) -> bool:
    """Whether the model had asked for it."""
    return _NUMBER in text


def team_said(outcome: Outcome) -> str:
    """Pass on what a person answered."""
    if outcome.kind == "expired":
        return "I asked the team, but nobody answered in time."
    if outcome.kind in {"cancelled", "rejected", "failed"}:
        return f"I asked the team, but got no answer{_because(outcome.why)}."
    words = str(outcome.given.get("answer") or outcome.text).strip()
    who, told, answer = words.partition(" answered: ")
    return f"{who} says: {answer}" if told else f"The team says: {words}"


def left_to_refund(looked: Done) -> float:
    """What of the order's total was not paid back yet; 0 for an order that is not there."""
    order = looked.outcome.given
    total, back = order.get("total"), order.get("refunded", 0)
    if looked.outcome.kind != "done" or not isinstance(total, int | float):
        return 0
    if isinstance(back, bool):
        return 0 if back else float(total)
    return max(0.0, round(float(total) - (float(back) if isinstance(back, int | float) else 0), 2))


def report(
    orders: tuple[str, ...],
    looked: Mapping[str, Done],
    refunded: Mapping[str, Done],
    *,
    wants_refund: bool,
    may_refund: bool,
) -> str:
    """What to tell about each order when there is nothing more to do."""
    lines = []
    for order in orders:
        if looked[order].outcome.kind != "done":
            lines.append(_unknown(order, looked[order].outcome))
        elif order in refunded:
            lines.append(_refund(order, looked[order], refunded[order]))
        else:
            lines.append(_order(order, looked[order], wants_refund=wants_refund, may_refund=may_refund))
    return lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)


def _unknown(order: str, outcome: Outcome) -> str:
    if outcome.absent:
        return f"I could not find an order {order}. Could you check the {_NUMBER}?"
    return f"I could not look up order {order}{_because(outcome.why or outcome.text)}."


def _order(order: str, looked: Done, *, wants_refund: bool, may_refund: bool) -> str:
    given = looked.outcome.given
    currency, back = given.get("currency", "EUR"), given.get("refunded", 0)
    facts = f"Order {order}: {given.get('item', 'an item')} for {given.get('customer', 'a customer')}"
    facts += f", {money(given.get('total'), currency)}, {given.get('status', 'status unknown')}."
    if left_to_refund(looked) <= 0:
        paid = "" if isinstance(back, bool) else f" ({money(back, currency)})"
        return f"{facts} It has already been refunded{paid}, so there is nothing more to pay back."
    if wants_refund and not may_refund:
        return f"{facts} I have no way to refund it from here."
    return facts


def _refund(order: str, looked: Done, done: Done) -> str:
    given, outcome = looked.outcome.given, done.outcome
    asked, currency = done.arguments.get("amount"), given.get("currency", "EUR")
    what = f"{given.get('item', 'the order')} (order {order})"
    if outcome.kind == "done":
        paid = _paid(outcome, asked)
        note = "" if paid == asked else f" The approver changed the amount from {money(asked, currency)}."
        return f"Done: I refunded {money(paid, currency)} to {given.get('customer', 'the customer')} for {what}.{note}"
    if outcome.kind == "rejected":
        why = _because(outcome.why)
        return f"The refund of {money(asked, currency)} for {what} was not approved{why}. Nothing was paid."
    if outcome.kind == "expired":
        return (
            f"Nobody approved the refund for {what} in time, so nothing was paid. Ask again and I will try once more."
        )
    if outcome.kind == "cancelled":
        return f"The refund for {what} was cancelled{_because(outcome.why)}. Nothing was paid."
    return f"The refund for {what} did not go through{_because(outcome.why or outcome.text)}."


def _paid(outcome: Outcome, asked: object) -> object:
    for paid in (outcome.given.get("refunded_now"), outcome.given.get("amount"), outcome.changed.get("amount")):
        if isinstance(paid, int | float):
            return paid
    return asked


def _because(why: str) -> str:
    return f": {why.strip().rstrip('.')}" if why.strip() else ""


def money(amount: object, currency: object) -> str:
    """An amount as people write it."""
    number = f"{amount:.2f}" if isinstance(amount, int | float) else str(amount)
    return f"{number} {currency}"
