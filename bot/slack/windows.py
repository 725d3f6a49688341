"""Which modal a click opens. Pure."""

from collections.abc import Callable

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack import grant_modals, metadata, modals, plan_modals
from bot.slack.details import details_modal
from bot.slack.form import fields_of
from bot.slack.interactions import Click, Deed
from bot.slack.meaning import View
from bot.slack.metadata import Carried

NO_GRANTS = "The policy lets nobody allow calls like this one."


def modal_for(click: Click, view: View) -> JsonObject:
    """The modal; details where the click asks for nothing else."""
    carried = metadata.written(Carried(click.approval_id, click.place, click.shown))
    if click.deed == "edit":
        return modals.edit_modal(view.card, fields_of(view.parameters, view.arguments), carried)
    if click.deed == "grant" and not view.card.may_grant:
        return modals.notice("Not here", NO_GRANTS)
    make = _FORMS.get(click.deed)
    return make(view.card, carried) if make else details_modal(view.card, with_buttons=click.deed == "open")


_FORMS: dict[Deed, Callable[[Card, str], JsonObject]] = {
    "reject": modals.reject_modal,
    "answer": modals.answer_modal,
    "instead": modals.answer_modal,
    "remark": modals.remark_modal,
    "grant": grant_modals.terms_modal,
    "reject_all": plan_modals.reject_all_modal,
    "choose_each": plan_modals.choose_modal,
}
