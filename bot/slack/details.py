"""The modal with all of an approval: what its card had to cut, and whatever was said about it. Pure."""

from collections.abc import Iterable, Iterator

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.buttons import buttons_of
from bot.slack.modals import CHUNK, modal
from bot.slack.plans import plan_buttons, status_of
from bot.slack.rich import bold, context, expires, preformatted, rich, section, words
from bot.slack.said import CHANGED, GRANTED, VIA
from bot.slack.text import glimpse, one_line

DETAILS_VIEW = "approval_details"
DETAILS_MOST = 60_000
"""Characters of a details modal; Slack takes 250,000 with all the JSON around them."""
_BLOCKS_MOST = 60
_ELEMENTS_MOST = 40
"""Of one block."""


def details_modal(card: Card, *, with_buttons: bool = False) -> JsonObject:
    """All there is, as far as a modal goes; then it says how to see the rest."""
    blocks = (_actions(card) if with_buttons and card.is_pending else []) + _packed(card)
    blocks.append(_line(f"Approval {card.approval_id} · thread {card.thread_id} · digest {card.digest or 'none'}"))
    if card.is_open:
        blocks.append(context(expires(card.expires_at)))
    return modal("Details", blocks) | {"callback_id": DETAILS_VIEW}


def _actions(card: Card) -> list[JsonObject]:
    return plan_buttons(card) if card.mates else [buttons_of(card, with_details=False)]


def _packed(card: Card) -> list[JsonObject]:
    """Labels and texts, as few blocks as they fit into."""
    blocks: list[JsonObject] = []
    elements: list[JsonObject] = []
    left, size = DETAILS_MOST, 0
    for label, text in _of_plan(card):
        shown, missing = glimpse(text, left)
        left -= len(shown)
        if elements and (size + len(shown) > CHUNK or len(elements) >= _ELEMENTS_MOST):
            blocks.append(rich(*elements))
            elements, size = [], 0
        elements.append(section(bold(one_line(label, 100) or "(unnamed)")))
        chunks = [shown[at : at + CHUNK] for at in range(0, len(shown), CHUNK)]
        for chunk in chunks:
            elements.append(preformatted(chunk))
            size += len(chunk)
            if size > CHUNK:
                blocks.append(rich(*elements))
                elements, size = [], 0
        if missing or len(blocks) >= _BLOCKS_MOST:
            elements.append(section(words(f"There is more. See all of it: twokey approvals show {card.approval_id}")))
            break
    return [*blocks, *([rich(*elements)] if elements else [])]


def _of_plan(card: Card) -> Iterator[tuple[str, str]]:
    if not card.mates:
        if not card.is_open:
            yield "Status", status_of(card)
        yield from _parts(card)
        return
    for number, each in enumerate(card.plan, start=1):
        yield f"Call {number} of {len(card.plan)}", status_of(each)
        yield from _parts(each)


def _parts(card: Card) -> Iterator[tuple[str, str]]:
    """Labels and texts, neither made visible yet."""
    yield "What would happen", card.title
    if card.tool:
        yield "Tool", card.tool
    for argument in card.arguments:
        yield argument.name, argument.value or "(empty)"
        if argument.was:
            yield f"{argument.name} (was)", argument.was
    if card.preview:
        yield "What it would do", card.preview
    if card.choices:
        yield "Choices", "\n".join(f"{number}. {each}" for number, each in enumerate(card.choices, start=1))
    yield "Why people are asked", card.why + (f" (rule: {card.rule})" if card.rule else "")
    if card.requester:
        yield "Asked by", card.requester
    yield from _said(card)


def _said(card: Card) -> Iterable[tuple[str, str]]:
    if card.needs:
        yield "Takes", card.needs
    if card.changed_by:
        yield "Changed by", f"{card.changed_by}. {CHANGED}"
    for vote in card.votes:
        yield f"{vote.said.capitalize()} by", f"{vote.name} {VIA.get(vote.via, '')}, {vote.at:%Y-%m-%d %H:%M} UTC"
    if card.granted:
        yield GRANTED, "\n".join(card.granted)
    for remark in card.remarks:
        yield f"{remark.name} asked the agent", remark.question
        if remark.answer:
            yield "The agent answered", remark.answer


def _line(text: str) -> JsonObject:
    return rich(section(words(one_line(text, CHUNK))))
