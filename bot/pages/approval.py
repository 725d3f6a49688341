"""The page of one approval: everything that it is about, and the forms that this visitor may send."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fastapi.responses import HTMLResponse

from agent.conversation import JsonObject
from approvals.card import Argument, Card
from approvals.gate import Gate
from approvals.visible import has_hidden
from bot.pages import words
from bot.pages.form import Field, fields_of
from bot.pages.view import page
from bot.pages.visit import Visit

_KIND = {
    "call": "Approval",
    "question": "Question",
    "in_doubt": "Interrupted call",
    "trouble": "The agent is stuck",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the page answers to what the visitor did."""

    status: int
    trouble: str = ""
    """What is wrong, in a sentence."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """What stood in the form, to be shown again."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with each argument, by its name."""


@dataclass(frozen=True, slots=True)
class Row:
    """An argument as the page shows it."""

    argument: Argument
    is_text: bool
    """Whether to say that it is text, because it looks like a number or the like."""


def fields(visit: Visit, gate: Gate) -> tuple[Field, ...]:
    """The fields in which the call can be changed; none when it cannot be."""
    tool = gate.tools.get(visit.card.tool)
    if tool is None or not visit.card.can_edit:
        return ()
    return fields_of(tool.parameters, visit.facts.request.arguments)


def shown(visit: Visit, gate: Gate, now: datetime, csrf: str, told: Told) -> HTMLResponse:
    """The whole page."""
    card = visit.card
    form = fields(visit, gate)
    return page(
        "approval.html",
        told.status,
        card=card,
        kind=_KIND[card.about],
        visitor=visit.who.name,
        rows=[Row(each, _looks_like_json(each, visit.facts.request.arguments)) for each in card.arguments],
        hides=_hides(card),
        stands=words.stands(card, now),
        outcome=words.outcome(card),
        is_open=visit.is_open(now),
        choices=[(number, each, words.effect_of(card, each)) for number, each in enumerate(card.choices)],
        csrf=csrf,
        fields=[(each, told.typed.get(each.key, each.shown), told.problems.get(each.name, "")) for each in form],
        told=told,
        stray=[text for name, text in told.problems.items() if name not in {each.name for each in form}],
    )


def _looks_like_json(argument: Argument, arguments: JsonObject) -> bool:
    """Whether the text reads as a number, a truth or a structure, so that the two could be mixed up."""
    value = arguments.get(argument.name)
    if not isinstance(value, str):
        return False
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def _hides(card: Card) -> bool:
    texts = [card.title, card.preview, card.why, card.requester, card.reason, *card.choices]
    texts += [text for each in card.arguments for text in (each.name, each.value, each.was)]
    return any(map(has_hidden, texts))
