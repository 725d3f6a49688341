"""The buttons of a card: what they are called on the wire, and which a card has. Pure.

A button carries the approval's id and nothing else; who may click is asked when they do. Its block says which digest
was shown, so that a click approves what stood on the screen, or nothing. Cards of older versions do not say it.
"""

import hashlib
from collections.abc import Iterable

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.rich import option, plain
from bot.slack.text import one_line, visible

APPROVE, REJECT, EDIT, ANSWER, DETAILS = (
    "approval_approve",
    "approval_reject",
    "approval_edit",
    "approval_answer",
    "approval_details",
)
CHOICE = "approval_choice_"
"""Followed by the number of the choice: action ids must differ within a block."""
MORE = "approval_more"
"""The menu behind the buttons. Its options name a deed and the approval: `remark:<id>`."""
BLOCK = "approval:"
"""Followed by the approval's id, and by the digest that is shown, where there is one."""

APPROVE_ALL, REJECT_ALL, CHOOSE_EACH = "plan_approve", "plan_reject", "plan_choose"
PLAN = "plan:"
"""Followed by the id of the approval whose card it is, and by the stamp of what is shown."""

OPEN = "approval_open"
"""On the Home tab, where a block is named as a card's."""
REVOKE = "grant_revoke"
GRANT = "grant:"
"""Followed by the grant's id."""

INBOX = "inbox_open"
INBOX_BLOCK = "inbox:"
MINE = "mine"
"""Followed by this, which is also the button's value: it is about no approval."""

CHOICES_MOST = 10
BUTTON_MOST = 75
CONFIRM_MOST = 300

_IN_MENU = {
    "edit": "Edit…",
    "reject": "Reject…",
    "remark": "Ask the agent…",
    "instead": "Answer instead…",
    "grant": "Approve and allow like it…",
    "details": "Details",
}


def buttons_of(card: Card, *, with_details: bool) -> JsonObject:
    """The row of buttons of an open card. `with_details`: something of it was cut."""
    found = _call_buttons(card) if card.about == "call" else _choice_buttons(card)
    if card.about == "question":
        found.append(button(ANSWER, "Answer…", card.approval_id))
    has_details = with_details or len(card.choices) > CHOICES_MOST or not found
    if has_details:
        found.append(button(DETAILS, "Details", card.approval_id))
    if card.about == "call":
        rest = ["remark", "instead", *(["grant"] if card.may_grant else []), *([] if has_details else ["details"])]
        found.append(menu(rest, card.approval_id))
    return {"type": "actions", "block_id": block_id(card), "elements": list(found)}


def block_id(card: Card) -> str:
    """Of the block with a card's buttons."""
    return f"{BLOCK}{card.approval_id}" + (f":{card.digest}" if card.digest else "")


def stamp(cards: Iterable[Card]) -> str:
    """What several calls are decided on, all of it."""
    return hashlib.sha256(" ".join(f"{each.approval_id}:{each.digest}" for each in cards).encode()).hexdigest()


def menu(deeds: Iterable[str], approval_id: str) -> JsonObject:
    """What can be done beside the buttons; Slack takes up to five."""
    options = [option(_IN_MENU[each], f"{each}:{approval_id}") for each in deeds]
    return {"type": "overflow", "action_id": MORE, "options": list(options)}


def are_long(choices: tuple[str, ...]) -> bool:
    """Whether some choice is too long for a button."""
    return any(len(each) > BUTTON_MOST or len(visible(each)) > BUTTON_MOST for each in choices)


def _call_buttons(card: Card) -> list[JsonObject]:
    approve = button(APPROVE, "Approve", card.approval_id) | {
        "style": "primary",
        "confirm": confirm("Approve this?", one_line(card.title, CONFIRM_MOST), "Approve"),
    }
    edit = button(EDIT, "Edit…", card.approval_id)
    reject = button(REJECT, "Reject…", card.approval_id) | {"style": "danger"}
    return [approve, edit, reject]


def _choice_buttons(card: Card) -> list[JsonObject]:
    numbered = are_long(card.choices)
    found = []
    for number, choice in enumerate(card.choices[:CHOICES_MOST]):
        label = one_line(f"{number + 1}. {choice}" if numbered else choice, BUTTON_MOST) or "(empty)"
        made = button(f"{CHOICE}{number}", label, card.approval_id)
        if card.about == "in_doubt":
            made["confirm"] = confirm("Are you sure?", one_line(choice, 100), "Yes")
        found.append(made)
    return found


def button(action: str, label: str, value: str) -> JsonObject:
    """A button of no style."""
    return {"type": "button", "action_id": action, "text": plain(label), "value": value}


def confirm(title: str, text: str, yes: str) -> JsonObject:
    """Slack's "are you sure?"."""
    return {
        "title": plain(title),
        "text": plain(text or "(untitled)"),
        "confirm": plain(yes),
        "deny": plain("Go back"),
    }
