"""The modals behind a card's buttons: change the arguments, give a reason, answer, see everything. Pure.

`private_metadata` holds the approval's id and where the card stands, nothing else: whatever is decided on is read from
the log again when the modal comes back.
"""

import json
from collections.abc import Iterator

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.blocks import moment
from bot.slack.form import Field
from bot.slack.inputs import INPUT, inputs_of
from bot.slack.payloads import Place
from bot.slack.rich import bold, plain, preformatted, rich, section, words
from bot.slack.text import glimpse, one_line

EDIT_VIEW, REJECT_VIEW, ANSWER_VIEW, DETAILS_VIEW = (
    "approval_edit",
    "approval_reject",
    "approval_answer",
    "approval_details",
)
WORDS_BLOCK = "words"
REASON_MOST = 1_000
ANSWER_MOST = 3_000
CHUNK = 2_900
DETAILS_MOST = 60_000
"""Characters of a details modal; Slack takes 250,000 with all the JSON around them."""
_CHUNKS_MOST = 60


def metadata(approval_id: str, place: Place) -> str:
    """What a modal carries along."""
    return json.dumps({"approval": approval_id, "channel": place.channel, "ts": place.ts, "thread_ts": place.thread_ts})


def read_metadata(text: str) -> tuple[str, Place] | None:
    """What `metadata` wrote; None for anything else."""
    try:
        found = json.loads(text)
        parts = [found[key] for key in ("approval", "channel", "ts", "thread_ts")]
    except (ValueError, TypeError, KeyError):
        return None
    if not all(isinstance(each, str) for each in parts):
        return None
    return parts[0], Place(*parts[1:])


def edit_modal(card: Card, fields: tuple[Field, ...], carried: str) -> JsonObject:
    """The arguments as a form; approving with them."""
    if not any(field.is_editable for field in fields):
        return notice("Edit", "This call has no arguments that can be edited here.")
    blocks = [_about(card), *inputs_of(fields)]
    return _modal("Edit and approve", blocks) | {
        "callback_id": EDIT_VIEW,
        "private_metadata": carried,
        "submit": plain("Approve"),
    }


def reject_modal(card: Card, carried: str) -> JsonObject:
    """Why not? The reason may be left empty."""
    reason = _words_input("Reason", REASON_MOST, "The agent reads this and may try something else.", optional=True)
    return _modal("Reject", [_about(card), reason]) | {
        "callback_id": REJECT_VIEW,
        "private_metadata": carried,
        "submit": plain("Reject"),
    }


def answer_modal(card: Card, carried: str) -> JsonObject:
    """The question, and room for an answer in one's own words."""
    answer = _words_input("Answer", ANSWER_MOST, "", optional=False)
    return _modal("Answer", [_about(card), answer]) | {
        "callback_id": ANSWER_VIEW,
        "private_metadata": carried,
        "submit": plain("Send"),
    }


def details_modal(card: Card) -> JsonObject:
    """Everything that the card had to cut, as far as a modal goes; then it says how to see the rest."""
    blocks: list[JsonObject] = []
    left = DETAILS_MOST
    for label, text in _parts(card):
        shown, missing = glimpse(text, left)
        left -= len(shown)
        chunks = [shown[at : at + CHUNK] for at in range(0, len(shown), CHUNK)]
        room = _CHUNKS_MOST - len(blocks)
        blocks.append(rich(section(bold(one_line(label, 100) or "(unnamed)"))))
        blocks += [rich(preformatted(chunk)) for chunk in chunks[:room]]
        if missing or len(chunks) > room:
            blocks.append(_line(f"There is more. See all of it: twokey approvals show {card.approval_id}"))
            break
    blocks.append(_line(f"Approval {card.approval_id} · thread {card.thread_id} · digest {card.digest or 'none'}"))
    if card.is_open:
        text = f"Expires {moment(card.expires_at)}"
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})
    return _modal("Details", blocks) | {"callback_id": DETAILS_VIEW}


def notice(title: str, text: str) -> JsonObject:
    """A few words in a modal, and nothing to do but close it."""
    return _modal(title, [{"type": "section", "text": plain(one_line(text, CHUNK) or "…")}])


def loading() -> JsonObject:
    """Stands there until the real one is ready, for a trigger is good for three seconds only."""
    return notice("One moment", "Looking it up…")


def typed_words(values: JsonObject) -> str:
    """What was typed into a reason or an answer."""
    block = values.get(WORDS_BLOCK)
    state = block.get(INPUT) if isinstance(block, dict) else None
    text = state.get("value") if isinstance(state, dict) else None
    return text if isinstance(text, str) else ""


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


def _about(card: Card) -> JsonObject:
    return {"type": "section", "text": plain(one_line(card.title, CHUNK) or "(untitled)")}


def _line(text: str) -> JsonObject:
    return rich(section(words(one_line(text, CHUNK))))


def _words_input(label: str, most: int, hint: str, *, optional: bool) -> JsonObject:
    block: JsonObject = {
        "type": "input",
        "block_id": WORDS_BLOCK,
        "label": plain(label),
        "optional": optional,
        "element": {
            "type": "plain_text_input",
            "action_id": INPUT,
            "multiline": True,
            "max_length": most,
            "focus_on_load": True,
        },
    }
    return block | ({"hint": plain(hint)} if hint else {})


def _modal(title: str, blocks: list[JsonObject]) -> JsonObject:
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": list(blocks)}
