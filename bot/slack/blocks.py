"""An approval card as Slack blocks. Pure.

Rules:

- What a model, a tool or a person wrote stands only in plain text objects and in rich text, neither of which is ever
  parsed for mentions or formatting. Values are set as code and shown with their hidden characters spelt out, so that no
  value can look like the card's own words. The only token that Slack parses is our own date.
- Everything is cut to budgets that keep a card under Slack's limits (50 blocks, 3,000 characters a text, about 13,000
  in all: bolt-js#2509), and what was cut is named and can be seen in full in the modal behind Details.
- Buttons carry the approval's id and nothing else; who may click is asked when they do.
- A settled card has no buttons.
"""

from datetime import datetime

from agent.conversation import JsonObject
from approvals.card import Argument, Card
from bot.slack.rich import bold, code, italic, plain, preformatted, rich, section, words
from bot.slack.text import escape, glimpse, one_line, visible

APPROVE, REJECT, EDIT, ANSWER, DETAILS = (
    "approval_approve",
    "approval_reject",
    "approval_edit",
    "approval_answer",
    "approval_details",
)
CHOICE = "approval_choice_"
"""Followed by the number of the choice: action ids must differ within a block."""
BLOCK = "approval:"
"""Followed by the approval's id."""

TITLE_MOST = 600
SHORT_VALUE = 120
VALUE_MOST = 1_500
VALUES_MOST = 4_000
NAME_MOST = 60
ARGUMENTS_MOST = 20
PREVIEW_MOST = 1_500
WORDS_MOST = 1_000
LABEL_MOST = 300
CHOICES_MOST = 10
BUTTON_MOST = 75
FALLBACK_MOST = 3_000

_OPEN = {
    "call": "🔑 Approval needed",
    "question": "💬 The agent has a question",
    "in_doubt": "⚠️ Did this happen?",
    "trouble": "⚠️ The agent is stuck",
}
_SETTLED = {
    "open": "",
    "approved": "✅ Approved",
    "rejected": "⛔ Rejected",
    "expired": "⌛ Expired, nobody decided in time",
    "cancelled": "✋ Cancelled",
    "answered": "💬 Answered",
}
_VIA = {
    "slack": "in Slack",
    "mail": "by mail",
    "web": "on the web page",
    "api": "over the API",
    "cli": "on the command line",
    "thread": "in the thread",
}


def blocks_of(card: Card) -> list[JsonObject]:
    """The card as the blocks of one message, open or settled."""
    arguments, arguments_cut = _arguments(card)
    title, title_cut = glimpse(card.title.strip() or "(untitled)", TITLE_MOST)
    preview, preview_cut = glimpse(card.preview.strip(), PREVIEW_MOST)
    is_cut = bool(arguments_cut or title_cut or preview_cut or _are_long(card.choices))
    found: list[JsonObject] = [
        {"type": "header", "text": plain(heading(card))},
        {"type": "section", "text": plain(title + (f"… ({title_cut} more characters)" if title_cut else ""))},
    ]
    found += arguments
    if preview:
        found.append(rich(section(bold("What it would do")), preformatted(preview), *_more(preview_cut, card)))
    found += _choices(card) if card.is_open else []
    found += [] if card.is_open else _settlement(card)
    found.append(_origin(card))
    found += [_buttons(card, with_details=is_cut)] if card.is_open else []
    if is_cut and not card.is_open:
        found.append(_context(f"In full: twokey approvals show {card.approval_id}"))
    return found


def heading(card: Card) -> str:
    """What kind of card this is and how it stands, in our own words."""
    return _OPEN[card.about] if card.is_open else _SETTLED[card.status]


def text_of(card: Card) -> str:
    """The card as mrkdwn without blocks: for notifications, screen readers, and where blocks are refused."""
    lines = [f"*{heading(card)}*", escape(one_line(card.title, LABEL_MOST))]
    lines += [
        f"• {escape(one_line(each.name, NAME_MOST))}: {escape(one_line(each.value, 200))}"
        for each in card.arguments[:8]
    ]
    if card.is_open:
        lines.append(f"Expires {moment(card.expires_at)}")
    elif card.decided_by:
        lines.append(escape(_by_whom(card)))
    if card.reason:
        lines.append(escape(one_line(card.reason, LABEL_MOST)))
    if card.outcome:
        lines.append(escape(_outcome(card)))
    text = "\n".join(lines)
    return text if len(text) <= FALLBACK_MOST else "\n".join(lines[:2])


def text_without_buttons(card: Card) -> str:
    """`text_of`, with another way to decide: for when Slack refuses the blocks."""
    way = f"\nDecide with `twokey approvals show {escape(card.approval_id)}`, or on the web page."
    return text_of(card) + (way if card.is_open else "")


def moment(at: datetime) -> str:
    """Slack's date token: everybody reads it in their own time zone. Only ever made of a datetime."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


# --- what would happen ----------------------------------------------------------------------------------------------


def _arguments(card: Card) -> tuple[list[JsonObject], bool]:
    """One rich text block with as many arguments as there is room for, and whether anything was left out."""
    elements: list[JsonObject] = []
    left = VALUES_MOST
    is_cut = False
    for number, argument in enumerate(card.arguments):
        if number == ARGUMENTS_MOST or left <= 0:
            elements.append(section(italic(f"… {len(card.arguments) - number} more arguments{_where(card)}")))
            is_cut = True
            break
        shown, used, missing = _argument(argument, min(VALUE_MOST, left), card)
        elements += shown
        left -= used
        is_cut = is_cut or missing > 0
    return ([rich(*elements)] if elements else []), is_cut


def _argument(argument: Argument, most: int, card: Card) -> tuple[list[JsonObject], int, int]:
    """Its elements, how much of the budget they took, and how many characters are missing."""
    name = one_line(argument.name, NAME_MOST)
    if _is_short(argument.value) and _is_short(argument.was):
        now, was = visible(argument.value), visible(argument.was)
        change = [code(was, strike=True), words(" → ")] if was else []
        return [section(bold(name), words(": "), *change, _value(now))], len(now) + len(was), 0
    shown, missing = glimpse(argument.value, most)
    elements = [section(bold(name), words(" (changed), now:" if argument.was else ":")), preformatted(shown or " ")]
    elements += _more(missing, card)
    if not argument.was:
        return elements, len(shown), missing
    before, missing_before = glimpse(argument.was, most // 2)
    elements += [section(bold(name), words(" was:")), preformatted(before), *_more(missing_before, card)]
    return elements, len(shown) + len(before), missing + missing_before


def _is_short(text: str) -> bool:
    return len(text) <= SHORT_VALUE and "\n" not in text and "\t" not in text and len(visible(text)) <= SHORT_VALUE


def _value(text: str) -> JsonObject:
    return code(text) if text else italic("empty")


def _more(missing: int, card: Card) -> list[JsonObject]:
    return [section(italic(f"… {missing} more characters{_where(card)}"))] if missing else []


def _where(card: Card) -> str:
    return ", open Details" if card.is_open else ""


def _origin(card: Card) -> JsonObject:
    """Who asked, why people are asked, and until when."""
    texts: list[JsonObject] = [plain(f"Tool: {one_line(card.tool, 100)}")] if card.tool else []
    texts += [plain(f"Asked by {one_line(card.requester, 100)}")] if card.requester.strip() else []
    because = " · ".join(each for each in (card.why, f"rule: {card.rule}" if card.rule else "") if each)
    texts += [plain(f"Why: {one_line(because, LABEL_MOST)}")] if because else []
    if card.is_open:
        texts.append({"type": "mrkdwn", "text": f"Expires {moment(card.expires_at)}"})
    return {"type": "context", "elements": list(texts) or [plain(f"Approval {one_line(card.approval_id, 100)}")]}


# --- what can be done -----------------------------------------------------------------------------------------------


def _are_long(choices: tuple[str, ...]) -> bool:
    """Whether some choice is too long for a button."""
    return any(len(each) > BUTTON_MOST or len(visible(each)) > BUTTON_MOST for each in choices)


def _choices(card: Card) -> list[JsonObject]:
    """Choices too long for a button, each in full where there is room."""
    if not _are_long(card.choices):
        return []
    most = WORDS_MOST // min(len(card.choices), CHOICES_MOST)
    lines = [
        section(bold(f"{number}. "), words(one_line(each, max(most, BUTTON_MOST)) or "(empty)"))
        for number, each in enumerate(card.choices[:CHOICES_MOST], start=1)
    ]
    return [rich(*lines)]


def _buttons(card: Card, *, with_details: bool) -> JsonObject:
    found = _call_buttons(card) if card.about == "call" else _choice_buttons(card)
    if card.about == "question":
        found.append(_button(ANSWER, "Answer…", card.approval_id))
    if with_details or len(card.choices) > CHOICES_MOST or not found:
        found.append(_button(DETAILS, "Details", card.approval_id))
    return {"type": "actions", "block_id": f"{BLOCK}{card.approval_id}", "elements": list(found)}


def _call_buttons(card: Card) -> list[JsonObject]:
    approve = _button(APPROVE, "Approve", card.approval_id) | {
        "style": "primary",
        "confirm": _confirm("Approve this?", one_line(card.title, 300), "Approve"),
    }
    edit = _button(EDIT, "Edit…", card.approval_id)
    reject = _button(REJECT, "Reject…", card.approval_id) | {"style": "danger"}
    return [approve, edit, reject]


def _choice_buttons(card: Card) -> list[JsonObject]:
    numbered = _are_long(card.choices)
    found = []
    for number, choice in enumerate(card.choices[:CHOICES_MOST]):
        label = one_line(f"{number + 1}. {choice}" if numbered else choice, BUTTON_MOST) or "(empty)"
        button = _button(f"{CHOICE}{number}", label, card.approval_id)
        if card.about == "in_doubt":
            button["confirm"] = _confirm("Are you sure?", one_line(choice, 100), "Yes")
        found.append(button)
    return found


def _button(action: str, label: str, approval_id: str) -> JsonObject:
    return {"type": "button", "action_id": action, "text": plain(label), "value": approval_id}


def _confirm(title: str, text: str, yes: str) -> JsonObject:
    return {
        "title": plain(title),
        "text": plain(text or "(untitled)"),
        "confirm": plain(yes),
        "deny": plain("Go back"),
    }


# --- what was decided -----------------------------------------------------------------------------------------------


def _settlement(card: Card) -> list[JsonObject]:
    found: list[JsonObject] = []
    if card.reason:
        label = "Answer" if card.status == "answered" else "Reason"
        reason, missing = glimpse(card.reason, WORDS_MOST)
        found.append(rich(section(bold(label)), preformatted(reason), *_more(missing, card)))
    if card.outcome == "failed" and card.outcome_text:
        error, missing = glimpse(card.outcome_text, WORDS_MOST)
        found.append(rich(section(bold("It failed")), preformatted(error), *_more(missing, card)))
    texts: list[JsonObject] = [plain(_by_whom(card))] if card.decided_by else []
    if card.decided_at is not None:
        texts.append({"type": "mrkdwn", "text": moment(card.decided_at)})
    if outcome := _outcome(card).partition(":")[0]:
        texts.append(plain(outcome))
    return [*found, {"type": "context", "elements": list(texts)}] if texts else found


def _by_whom(card: Card) -> str:
    who = one_line(card.decided_by, 100)
    return f"{card.status.capitalize()} by {who} {_VIA.get(card.decided_via, '')}".rstrip()


def _outcome(card: Card) -> str:
    match card.outcome:
        case "done":
            return "✅ Done"
        case "failed":
            return f"❌ Failed: {one_line(card.outcome_text, 200)}" if card.outcome_text else "❌ Failed"
        case "":
            return "⏳ Running…" if card.status == "approved" else ""


def _context(text: str) -> JsonObject:
    return {"type": "context", "elements": [plain(one_line(text, LABEL_MOST))]}
