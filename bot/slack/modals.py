"""The modals behind a card's buttons: change the arguments, give a reason, answer, ask. Pure."""

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.form import Field
from bot.slack.inputs import input_block, inputs_of, typed_in
from bot.slack.rich import link, plain, rich, section, words
from bot.slack.text import one_line, titled

EDIT_VIEW, REJECT_VIEW, ANSWER_VIEW, REMARK_VIEW = (
    "approval_edit",
    "approval_reject",
    "approval_answer",
    "approval_remark",
)
WORDS_BLOCK = "words"
REASON_MOST = 1_000
ANSWER_MOST = 3_000
REMARK_MOST = 1_000
CHUNK = 2_900


def edit_modal(card: Card, fields: tuple[Field, ...], carried: str) -> JsonObject:
    """The arguments as a form; approving with them."""
    if not any(field.is_editable for field in fields):
        return notice("Edit", "This call has no arguments that can be edited here.")
    return form_modal(EDIT_VIEW, "Edit and approve", [about(card), *inputs_of(fields)], "Approve", carried)


def reject_modal(card: Card, carried: str) -> JsonObject:
    """Why not? The reason may be left empty."""
    reason = words_input("Reason", REASON_MOST, "The agent reads this and may try something else.", optional=True)
    return form_modal(REJECT_VIEW, "Reject", [about(card), reason], "Reject", carried)


def answer_modal(card: Card, carried: str) -> JsonObject:
    """The question, and room for an answer in one's own words. To a call: the result that the agent is given."""
    is_call = card.about == "call"
    label, hint = ("Result", "The agent is given this in place of running the tool.") if is_call else ("Answer", "")
    answer = words_input(label, ANSWER_MOST, hint, optional=False)
    title = "Answer instead" if is_call else "Answer"
    return form_modal(ANSWER_VIEW, title, [about(card), answer], "Send", carried)


def remark_modal(card: Card, carried: str) -> JsonObject:
    """A question to the agent about a call that waits."""
    hint = "The answer comes on the card. Nothing is decided by asking."
    question = words_input("Question", REMARK_MOST, hint, optional=False)
    return form_modal(REMARK_VIEW, "Ask the agent", [about(card), question], "Ask", carried)


def notice(title: str, text: str) -> JsonObject:
    """A few words in a modal, and nothing to do but close it."""
    return modal(title, [{"type": "section", "text": plain(one_line(text, CHUNK) or "…")}])


def sign_in_modal(link_to: str) -> JsonObject:
    """The way into the inbox."""
    told = words(" It signs in whoever opens it as you, once, within 15 minutes: keep it to yourself.")
    return modal("Your inbox", [rich(section(link(link_to, "Sign in to your inbox."), told))])


def loading() -> JsonObject:
    """Stands there until the real one is ready, for a trigger is good for three seconds only."""
    return notice("One moment", "Looking it up…")


def typed_words(values: JsonObject) -> str:
    """What was typed into a reason or an answer."""
    return typed_in(values, WORDS_BLOCK)


def about(card: Card) -> JsonObject:
    """What a form is about."""
    return {"type": "section", "text": plain(titled(card.title, CHUNK))}


def words_input(label: str, most: int, hint: str, *, optional: bool, focus: bool = True) -> JsonObject:
    """A field for words of at most so many characters; `typed_words` reads it."""
    element: JsonObject = {
        "type": "plain_text_input",
        "multiline": True,
        "max_length": most,
        "focus_on_load": focus,
    }
    return input_block(WORDS_BLOCK, label, element, hint, optional=optional)


def form_modal(callback_id: str, title: str, blocks: list[JsonObject], submit: str, carried: str) -> JsonObject:
    """A modal to submit; `submit` is what its button says."""
    return modal(title, blocks) | {
        "callback_id": callback_id,
        "private_metadata": carried,
        "submit": plain(submit),
    }


def modal(title: str, blocks: list[JsonObject]) -> JsonObject:
    """A modal with nothing to submit."""
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": list(blocks)}
