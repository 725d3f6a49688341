"""Which modal a click opens. Pure."""

from agent.conversation import JsonObject
from bot.slack import metadata, modals, plan_modals
from bot.slack.details import details_modal
from bot.slack.form import fields_of
from bot.slack.interactions import Click
from bot.slack.meaning import View
from bot.slack.metadata import Carried


def modal_for(click: Click, view: View) -> JsonObject:
    """The modal; details where the click asks for nothing else."""
    card = view.card
    carried = metadata.written(Carried(click.approval_id, click.place, click.shown))
    match click.deed:
        case "edit":
            return modals.edit_modal(card, fields_of(view.parameters, view.arguments), carried)
        case "reject":
            return modals.reject_modal(card, carried)
        case "answer" | "instead":
            return modals.answer_modal(card, carried)
        case "remark":
            return modals.remark_modal(card, carried)
        case "reject_all":
            return plan_modals.reject_all_modal(card, carried)
        case "choose_each":
            return plan_modals.choose_modal(card, carried)
        case _:
            return details_modal(card, with_buttons=click.deed == "open")
