"""Clicks and forms that Slack brings, as our own values. Pure.

A click means something only if its element, its block and its value agree. Buttons of cards that older versions posted
are understood; those do not say which digest they show.
"""

from dataclasses import dataclass
from typing import Literal

from agent.conversation import Identity, JsonObject
from bot.slack.buttons import (
    ANSWER,
    APPROVE,
    APPROVE_ALL,
    BLOCK,
    CHOICE,
    CHOOSE_EACH,
    DETAILS,
    EDIT,
    GRANT,
    INBOX,
    INBOX_BLOCK,
    MORE,
    OPEN,
    PLAN,
    REJECT,
    REJECT_ALL,
    REVOKE,
)
from bot.slack.payloads import an_object, objects, team_of, text_at

Deed = Literal[
    "approve",
    "reject",
    "edit",
    "answer",
    "choose",
    "details",
    "remark",
    "instead",
    "grant",
    "approve_all",
    "reject_all",
    "choose_each",
    "open",
    "revoke",
    "inbox",
]
_OF_ONE: dict[str, Deed] = {
    APPROVE: "approve",
    REJECT: "reject",
    EDIT: "edit",
    ANSWER: "answer",
    DETAILS: "details",
    OPEN: "open",
}
_OF_A_PLAN: dict[str, Deed] = {
    APPROVE_ALL: "approve_all",
    REJECT_ALL: "reject_all",
    CHOOSE_EACH: "choose_each",
    DETAILS: "details",
}
_IN_MENU: dict[str, Deed] = {
    "edit": "edit",
    "reject": "reject",
    "remark": "remark",
    "instead": "instead",
    "grant": "grant",
    "details": "details",
}
_CHOICES = 1_000
"""Far more than a card has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where on Slack a card was clicked, so that an answer lands there."""

    channel: str
    ts: str
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """A button of a card, pressed."""

    approval_id: str
    """For `revoke`, the grant's id; for `inbox`, nobody's."""
    deed: Deed
    who: Identity
    place: Place
    trigger_id: str
    choice: int = -1
    """Which of the card's choices, for `choose`."""
    shown: str = ""
    """Digest of what the card showed, of a plan its stamp; empty when the card does not say."""
    view_id: str = ""
    """Of the modal or Home tab that was clicked in, when it was not a message."""
    is_modal: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """A modal, submitted. `values` is what stands in its fields."""

    callback_id: str
    metadata: str
    who: Identity
    values: JsonObject
    is_on_top: bool = False
    """Whether another modal lies below it."""


def click_of(body: JsonObject) -> Click | None:
    """A click on one of our cards; None for anything else."""
    action = next(iter(objects(body.get("actions"))), {})
    prefix, named, shown = _block(text_at(action, "block_id"))
    deed, value = _deed(action, prefix)
    if deed is None or not value or value != named:
        return None
    container, view = an_object(body.get("container")), an_object(body.get("view"))
    message = an_object(body.get("message"))
    is_in_view = bool(view) or text_at(container, "type") == "view"
    return Click(
        approval_id=value,
        deed=deed,
        who=clicker(body),
        place=Place(
            channel=text_at(container, "channel_id") or text_at(body.get("channel"), "id"),
            ts=text_at(container, "message_ts") or text_at(message, "ts"),
            thread_ts=text_at(container, "thread_ts") or text_at(message, "thread_ts"),
        ),
        trigger_id=text_at(body, "trigger_id"),
        choice=_choice(text_at(action, "action_id")) if deed == "choose" else -1,
        shown=shown,
        view_id=(text_at(view, "id") or text_at(container, "view_id")) if is_in_view else "",
        is_modal=is_in_view and text_at(view, "type") == "modal",
    )


def submission_of(body: JsonObject) -> Submission:
    """A `view_submission`."""
    view = an_object(body.get("view"))
    return Submission(
        callback_id=text_at(view, "callback_id"),
        metadata=text_at(view, "private_metadata"),
        who=clicker(body),
        values=an_object(an_object(view.get("state")).get("values")),
        is_on_top=bool(text_at(view, "previous_view_id")),
    )


def clicker(body: JsonObject) -> Identity:
    """Who clicked. Their team is their own, not the app's: a stranger's is therefore nobody in people.yaml."""
    user = body.get("user")
    return Identity(channel="slack", id=text_at(user, "id"), team=text_at(user, "team_id") or team_of(body))


def _block(block_id: str) -> tuple[str, str, str]:
    """What kind of block it is, whose, and which digest it shows."""
    prefix = next((each for each in (BLOCK, PLAN, GRANT, INBOX_BLOCK) if block_id.startswith(each)), "")
    named, _, shown = block_id.removeprefix(prefix).partition(":")
    return prefix, named, shown


def _deed(action: JsonObject, prefix: str) -> tuple[Deed | None, str]:
    """What is wished, and of what."""
    action_id, value = text_at(action, "action_id"), text_at(action, "value")
    if prefix == GRANT:
        return ("revoke" if action_id == REVOKE else None), value
    if prefix == INBOX_BLOCK:
        return ("inbox" if action_id == INBOX else None), value
    if prefix == PLAN:
        return _OF_A_PLAN.get(action_id), value
    if prefix != BLOCK:
        return None, ""
    if action_id == MORE:
        word, _, value = text_at(an_object(action.get("selected_option")), "value").partition(":")
        return _IN_MENU.get(word), value
    return ("choose" if _choice(action_id) >= 0 else _OF_ONE.get(action_id)), value


def _choice(action_id: str) -> int:
    """Which choice the button is for; -1 when it is for none."""
    number = action_id.removeprefix(CHOICE)
    is_choice = (
        action_id.startswith(CHOICE) and number.isdecimal() and number.isascii() and len(number) < len(str(_CHOICES))
    )
    return int(number) if is_choice else -1
