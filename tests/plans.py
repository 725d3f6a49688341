"""Plans of payments, and what people choose on their cards."""

from dataclasses import replace

from agent.effects import Ask
from approvals.card import Card
from approvals.decision import Approve, Choice, Reject
from tests.council import Council, a_pay, person, who, whom

PEOPLE = [
    person("fay", "finance"),
    person("gus", "finance"),
    person("cy", "cfo"),
    person("max", "manager"),
    person("ada", "support"),
]
FINANCE = whom(roles=["finance"])


def council(verdict: object = FINANCE) -> Council:
    return Council(list(PEOPLE), verdict)  # type: ignore[arg-type]  # an Ask, or a function


async def planned(it: Council, count: int = 3) -> Card:
    """The card of a plan of so many payments."""
    ids = await it.asks(*(a_pay(str(number)) for number in range(1, count + 1)))
    view = await it.gate.view(ids[0])
    assert view
    assert [each.approval_id for each in view.card.plan] == ids
    return view.card


async def plan_of(it: Council, card: Card) -> Card:
    view = await it.gate.view(card.approval_id)
    assert view
    return view.card


async def chosen(it: Council, name: str, *choices: tuple[Card, Choice]) -> Card:
    card = await it.gate.decide_plan({each.approval_id: choice for each, choice in choices}, who(name), "api")
    await it.works()
    return card


def yes(card: Card) -> tuple[Card, Choice]:
    return card, Approve(card.digest)


def no(card: Card, reason: str = "no") -> tuple[Card, Choice]:
    return card, Reject(reason)


def differently(**changes: object) -> Ask:
    """Finance is asked, otherwise."""
    return replace(FINANCE, **changes)  # type: ignore[arg-type]  # fields of it
