"""The page of one approval: everything that it is about, and the forms that this visitor may send."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse

from agent.conversation import JsonObject
from approvals.card import Argument, Card
from approvals.gate import Gate
from approvals.visible import has_hidden
from bot.pages import words
from bot.pages.form import Field, fields_of
from bot.pages.submission import Offer
from bot.pages.view import View
from bot.pages.visit import Part, Visit

_KIND = {
    "call": "Approval",
    "question": "Question",
    "in_doubt": "Interrupted call",
    "trouble": "The agent is stuck",
}
GRANT_DAYS = 7
"""Until when a grant lasts, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the page answers to what the visitor did."""

    status: int
    trouble: str = ""
    """What is wrong, in a sentence."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """What stood in the form, to be shown again."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with each field, by its key."""
    code_for: str = ""
    """The sign-in whose code the visitor is to type in."""
    would_allow: str = ""
    """What the grant that they described would let run, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """An argument as the page shows it."""

    argument: Argument
    is_text: bool
    """Whether to say that it is text, because it looks like a number or the like."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One call as the page shows it."""

    part: Part
    offer: Offer
    rows: list[Row]
    stands: words.Stands
    outcome: str
    fields: list[tuple[Field, str, str]]
    """With what stands in each, and what is wrong with that."""
    takes_say: bool

    @property
    def card(self) -> Card:
        """What it is about."""
        return self.part.card


def offers(visit: Visit, gate: Gate) -> list[Offer]:
    """What this visitor may decide, or may have decided: whoever comes too late is told so by the gate."""
    return [_offer(each, visit, gate) for each in visit.parts if not each.objection]


def _offer(part: Part, visit: Visit, gate: Gate) -> Offer:
    arguments, tool = part.facts.request.arguments, gate.tools.get(part.card.tool)
    if tool is None or not part.card.can_edit or part.idle:
        return Offer(part.card, arguments)
    return Offer(part.card, arguments, fields_of(tool.parameters, arguments, fields_begin(visit, part)))


def fields_begin(visit: Visit, part: Part) -> str:
    """How the names of the fields begin in which a call is changed: one form has those of all calls of a plan."""
    return f"{part.card.approval_id}." if len(visit.parts) > 1 else ""


def shown(
    view: View, visit: Visit, gate: Gate, now: datetime, *, csrf: str, told: Told, **more: object
) -> HTMLResponse:
    """The whole page."""
    parts = [_shown(each, visit, gate, now, told) for each in visit.parts]
    first, open_parts = parts[0], [each for each in parts if each.takes_say]
    keys = {each.key for part in open_parts for each, _, _ in part.fields}
    return view.page(
        "approval.html",
        told.status,
        visit=visit,
        card=visit.card,
        parts=parts,
        open_parts=open_parts,
        ready=[each for each in open_parts if not each.part.idle],
        kind="Plan" if len(parts) > 1 else _KIND[visit.card.about],
        title=f"{len(parts)} calls of one plan" if len(parts) > 1 else visit.card.title,
        hides=any(map(_hides, visit.card.plan)),
        choices=[(number, each, words.effect_of(visit.card, each)) for number, each in enumerate(visit.card.choices)],
        csrf=csrf,
        told=told,
        first=first,
        is_open=visit.is_open(now),
        stray=[text for key, text in told.problems.items() if key not in keys and not key.startswith("grant.")],
        grant_until=_until(visit, now),
        **more,
    )


def _shown(part: Part, visit: Visit, gate: Gate, now: datetime, told: Told) -> Shown:
    card, offer = part.card, _offer(part, visit, gate)
    return Shown(
        part=part,
        offer=offer,
        rows=[Row(each, _looks_like_json(each, part.facts.request.arguments)) for each in card.arguments],
        stands=words.stands(card, now),
        outcome=words.outcome(card),
        fields=[(each, told.typed.get(each.key, each.shown), told.problems.get(each.key, "")) for each in offer.fields],
        takes_say=part.takes_say(now) and visit.is_confirmed,
    )


def _until(visit: Visit, now: datetime) -> str:
    return (now.astimezone(ZoneInfo(visit.zone)) + timedelta(days=GRANT_DAYS)).date().isoformat()


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
    texts += [text for each in card.remarks for text in (each.question, each.answer)]
    return any(map(has_hidden, texts))
