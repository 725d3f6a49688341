"""What a click or a form on a card means, as choices for the gate. Pure.

A click approves what stood on the screen: the digest that the card showed, not the one that stands by now.
"""

from collections.abc import Sequence
from typing import Protocol

from agent.conversation import JsonObject
from agent.errors import Refused
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from bot.parameters import BadFields
from bot.slack import grant_modals, modals, plan_modals
from bot.slack.buttons import stamp
from bot.slack.form import fields_of
from bot.slack.interactions import Click, Submission
from bot.slack.metadata import Carried
from bot.slack.typed import arguments_of

GONE = "There is no such approval any more."
OLD_BUTTON = "This button does nothing any more."
UNREADABLE = "This form cannot be read any more. Close it and open it again."
OTHER_PLAN = "What would run is no longer what was shown. Look at it again, and decide then."
NOTHING_CHOSEN = "Approve or reject at least one."


class View(Protocol):
    """An approval, for a surface that lets people decide."""

    @property
    def card(self) -> Card:
        """As people see it."""
        ...

    @property
    def arguments(self) -> JsonObject:
        """As proposed."""
        ...

    @property
    def parameters(self) -> JsonObject:
        """The JSON schema of the arguments."""
        ...


def clicked(click: Click, view: View | None) -> dict[str, Choice]:
    """What the button means, by approval. Raises Refused for what is not there."""
    if view is None:
        raise Refused(GONE)
    card = view.card
    if click.deed == "approve":
        return {click.approval_id: Approve(shown_digest(click.shown, card))}
    if click.deed == "approve_all":
        return {each.approval_id: Approve(each.digest) for each in _open_calls(card, click.shown)}
    if not 0 <= click.choice < len(card.choices):
        raise Refused(OLD_BUTTON)
    return {click.approval_id: Answer(card.choices[click.choice])}


def submitted(submission: Submission, carried: Carried, view: View) -> dict[str, Choice]:
    """What the modal means, by approval. Raises BadFields for a form that cannot be read, Refused for a modal that is
    not ours, or of a plan that is another by now."""
    match submission.callback_id:
        case modals.EDIT_VIEW:
            fields = fields_of(view.parameters, view.arguments)
            digest = shown_digest(carried.shown, view.card)
            return {carried.approval_id: Approve(digest, arguments_of(fields, view.arguments, submission.values))}
        case modals.REJECT_VIEW:
            return {carried.approval_id: Reject(modals.typed_words(submission.values))}
        case modals.ANSWER_VIEW:
            return {carried.approval_id: Answer(modals.typed_words(submission.values))}
        case grant_modals.CONFIRM_VIEW:
            terms = grant_modals.from_json(carried.terms)
            if terms is None or not carried.shown:
                raise Refused(UNREADABLE)
            return {carried.approval_id: Approve(carried.shown, grant=terms)}
        case plan_modals.REJECT_VIEW:
            reason = modals.typed_words(submission.values)
            return {each.approval_id: Reject(reason) for each in _open_calls(view.card, carried.shown)}
        case plan_modals.CHOOSE_VIEW:
            return _chosen(_open_calls(view.card, carried.shown), submission.values)
        case _:
            raise Refused(UNREADABLE)


def shown_digest(shown: str, card: Card) -> str:
    """The digest that a click is about. A card that does not say what it shows was posted before calls could be changed
    while they wait, so it shows what was asked at first."""
    return shown or ("" if card.changed_by else card.digest)


def _open_calls(card: Card, shown: str) -> Sequence[Card]:
    """Those of a plan that wait. When all are decided, all of them, for the gate to say by whom."""
    if shown != stamp(card.plan):
        raise Refused(OTHER_PLAN)
    return card.waiting or card.plan


def _chosen(calls: Sequence[Card], values: JsonObject) -> dict[str, Choice]:
    reason = modals.typed_words(values)
    found: dict[str, Choice] = {}
    for each in calls:
        say = plan_modals.chosen(values, each.approval_id)
        if say in {plan_modals.APPROVE, plan_modals.REJECT}:
            found[each.approval_id] = Approve(each.digest) if say == plan_modals.APPROVE else Reject(reason)
    if not found:
        raise BadFields({plan_modals.block_of(calls[0].approval_id): NOTHING_CHOSEN})
    return found
