"""The modals of a plan: a reason for all, or a choice for each call. Pure.

One submission is one decision of the gate.
"""

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.arguments import in_short
from bot.slack.inputs import chosen_in, input_block
from bot.slack.modals import REASON_MOST, form_modal, words_input
from bot.slack.plans import LINE_MOST, call_block
from bot.slack.rich import bold, italic, option, rich, section
from bot.slack.text import more_calls, titled

REJECT_VIEW, CHOOSE_VIEW = "plan_reject", "plan_choose"
APPROVE, REJECT, LEAVE = "approve", "reject", "leave"
CALLS_MOST = 30
"""Two blocks each, of the hundred that a modal may have."""
VALUES_MOST = 300
_LABELS = {APPROVE: "Approve", REJECT: "Reject", LEAVE: "Leave open"}


def reject_all_modal(card: Card, carried: str) -> JsonObject:
    """Why not? The reason may be left empty, and is told for each call."""
    waiting = card.waiting
    lines = [call_block(number, each, LINE_MOST) for number, each in enumerate(waiting[:CALLS_MOST], start=1)]
    rest = len(waiting) - CALLS_MOST
    lines += [rich(section(italic(f"… and {more_calls(rest)}")))] if rest > 0 else []
    reason = words_input("Reason", REASON_MOST, "The agent reads this and may try something else.", optional=True)
    return form_modal(REJECT_VIEW, f"Reject all {len(waiting)}", [*lines, reason], "Reject all", carried)


def choose_modal(card: Card, carried: str) -> JsonObject:
    """Each call that waits, to be approved, rejected or left open. Nothing is chosen beforehand."""
    waiting = [(number, each) for number, each in enumerate(card.plan, start=1) if each.is_open]
    blocks: list[JsonObject] = []
    for number, each in waiting[:CALLS_MOST]:
        blocks += _call(number, each)
    rest = len(waiting) - CALLS_MOST
    blocks += [rich(section(italic(f"… and {more_calls(rest)}: not decided here")))] if rest > 0 else []
    hint = "For those that you reject. The agent reads this and may try something else."
    blocks.append(words_input("Reason", REASON_MOST, hint, optional=True, focus=False))
    return form_modal(CHOOSE_VIEW, "Choose", blocks, "Send", carried)


def chosen(values: JsonObject, approval_id: str) -> str:
    """What was chosen for a call; `LEAVE` when it was not on the form."""
    return chosen_in(values, block_of(approval_id)) or LEAVE


def block_of(approval_id: str) -> str:
    """The block with a call's choices."""
    return f"call.{approval_id}"


def _call(number: int, card: Card) -> list[JsonObject]:
    """First what it is, then what to say to it."""
    arguments, _ = in_short(card, VALUES_MOST)
    title = section(bold(f"{number}. {titled(card.title, LINE_MOST)}"))
    options = [option(label, value) for value, label in _LABELS.items()]
    element: JsonObject = {"type": "radio_buttons", "options": list(options), "initial_option": options[-1]}
    choice = input_block(block_of(card.approval_id), f"Call {number}", element)
    return [rich(title, *([arguments] if arguments else [])), choice]
