"""How approvals read on a terminal. Pure.

People decide on these lines, so nothing in them may look like what it is not: what cannot be seen is spelt as its code
point, control characters of terminals among them, and the lines of a value stand further in than ours.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime

from approvals.card import Argument, Asked, Card, Vote
from approvals.visible import bracketed

SHORT = 100


def card_table(cards: Sequence[Card]) -> str:
    """A line an approval."""
    lines = [f"{'APPROVAL':26}{'STATUS':11}{'EXPIRES (UTC)':18}{'ASKED BY':16}WHAT"]
    for card in cards:
        asked_by = in_short(card.requester)
        lines.append(
            f"{card.approval_id:26}{card.status:11}{card.expires_at:%Y-%m-%d %H:%M}  {asked_by:16}{_what(card)}"
        )
    return "\n".join(lines)


def card_text(card: Card) -> str:
    """Everything on the card."""
    lines = [
        f"{_within(card.title)}  [{card.status}]",
        f"  {_within(card.why)}  (rule: {_within(card.rule)})",
        f"  asked by {_within(card.requester)}",
        *(_argument(each) for each in card.arguments),
        *([f"  changed by {_within(card.changed_by)}; this is what stands"] if card.changed_by else []),
        *([f"  preview: {_within(card.preview)}"] if card.preview else []),
        *([f"  choices: {' | '.join(map(_within, card.choices))}"] if card.choices else []),
        *([f"  takes {_within(card.needs)}"] if card.needs else []),
        *(_vote(each) for each in card.votes),
        *(line for each in card.remarks for line in _asked(each)),
        f"  expires {_moment(card.expires_at)}" + ("; more people were asked by now" if card.is_escalated else ""),
        *([f"  digest {card.digest[:12]}"] if card.digest and card.is_open else []),
        *_ended(card),
    ]
    if card.mates:
        lines += [
            "  in one plan with",
            *(f"    {each.approval_id}  [{each.status}]  {_what(each)}" for each in card.mates),
        ]
    return "\n".join(lines)


def cards_text(cards: Iterable[Card]) -> str:
    """Each in full."""
    return "\n\n".join(map(card_text, cards))


def cards_json(cards: Iterable[Card]) -> str:
    """The cards as a JSON list."""
    return json.dumps([asdict(card) for card in cards], indent=1, default=str)


def in_short(value: object, limit: int = SHORT) -> str:
    """On one line, cut where it is long."""
    text = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split())
    return bracketed(text if len(text) <= limit else f"{text[:limit]}…")


def spelt_out(text: str) -> str:
    """All of it, on one line."""
    return in_short(text, len(text))


def _what(card: Card) -> str:
    arguments = ", ".join(f"{in_short(each.name)}={in_short(each.value)}" for each in card.arguments)
    return f"{in_short(card.title)}: {arguments}" if arguments else in_short(card.title)


def _argument(argument: Argument) -> str:
    was = f"   (was {_within(argument.was)})" if argument.was else ""
    return f"  {_within(argument.name)}: {_within(argument.value)}{was}"


def _vote(vote: Vote) -> str:
    return f"  {vote.said} so far by {_within(vote.name)} via {vote.via}, {_moment(vote.at)}"


def _asked(asked: Asked) -> tuple[str, str]:
    answer = _within(asked.answer) if asked.answer else "(the agent has not answered yet)"
    return f"  {_within(asked.name)} asked: {_within(asked.question)}", f"    answer: {answer}"


def _ended(card: Card) -> Iterable[str]:
    if card.status == "expired":
        yield "  expired: nobody decided in time"
    elif card.reason and not card.decided_by:
        yield f"  {card.status}: {_within(card.reason)}"
    if card.decided_by:
        yield f"  {card.status} by {_within(card.decided_by)} via {card.decided_via}. {_within(card.reason)}".rstrip()
    for each in card.granted:
        yield f"  runs from now on without being asked about: {_within(each)}"
    if card.outcome:
        yield f"  then: {card.outcome}. {_within(card.outcome_text)}".rstrip()


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _within(text: str) -> str:
    return bracketed(text).replace("\n", "\n      ")
