"""An approval card as Slack blocks. Pure.

Rules:

- What a model, a tool or a person wrote stands only in plain text objects and in rich text, neither of which is ever
  parsed for mentions or formatting (`arguments`, `said`). The only token that Slack parses is our own date.
- Everything is cut to budgets that keep a card under Slack's limits (50 blocks, 3,000 characters a text, about 13,000
  in all: bolt-js#2509), and what was cut is named and can be seen in full in the modal behind Details.
- A settled card has no buttons (`buttons`); it keeps who said what.
"""

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.arguments import NAME_MOST, VALUES_MOST, arguments_of, more, preview_of
from bot.slack.buttons import BUTTON_MOST, CHOICES_MOST, are_long, buttons_of
from bot.slack.plans import mark_and_word, plan_blocks, plan_heading, plan_lines
from bot.slack.rich import bold, context, expires, header, plain, preformatted, rich, section, words
from bot.slack.said import NEEDS_MOST, VIA, VOTES_MOST, asked_by, granted_of, notes_of, remarks_of, vote_words, votes_of
from bot.slack.text import LABEL_MOST, escape, glimpse, moment, one_line

TITLE_MOST = 600
WORDS_MOST = 1_000
FALLBACK_MOST = 3_000
ROOM_FOR_SAID = 1_000
"""Characters of values less, where there are votes, where there are remarks, and where there is a grant."""

_OPEN = {
    "call": "🔑 Approval needed",
    "question": "💬 The agent has a question",
    "in_doubt": "⚠️ Did this happen?",
    "trouble": "⚠️ The agent is stuck",
}


def blocks_of(card: Card) -> list[JsonObject]:
    """The card as the blocks of one message, open or settled."""
    return plan_blocks(card) if card.mates else _of_one(card)


def _of_one(card: Card) -> list[JsonObject]:
    title, title_cut = glimpse(card.title.strip() or "(untitled)", TITLE_MOST)
    votes, votes_cut = votes_of(card)
    remarks, remarks_cut = remarks_of(card)
    granted, granted_cut = granted_of(card)
    arguments, arguments_cut = arguments_of(
        card, VALUES_MOST - ROOM_FOR_SAID * sum(map(bool, (votes, remarks, granted)))
    )
    preview, preview_cut = preview_of(card)
    some_cut = (title_cut, votes_cut, remarks_cut, arguments_cut, preview_cut, granted_cut, are_long(card.choices))
    is_cut = any(some_cut)
    found: list[JsonObject] = [
        header(heading(card)),
        {"type": "section", "text": plain(title + (f"… ({title_cut} more characters)" if title_cut else ""))},
        *notes_of(card),
        *arguments,
        *preview,
        *votes,
        *remarks,
        *granted,
    ]
    found += _choices(card) if card.is_open else _settlement(card)
    found.append(_origin(card))
    found += [buttons_of(card, with_details=is_cut)] if card.is_open else []
    if is_cut and not card.is_open:
        found.append(context(plain(one_line(f"In full: twokey approvals show {card.approval_id}", LABEL_MOST))))
    return found


def heading(card: Card) -> str:
    """What kind of card this is and how it stands, in our own words."""
    if card.mates:
        return plan_heading(card)
    if card.is_rejected_by_time:
        return "⛔ Rejected by time, nobody decided"
    if card.is_open:
        return _OPEN[card.about]
    mark, word = mark_and_word(card.status)
    return f"{mark} {word.capitalize()}" + (", nobody decided in time" if card.status == "expired" else "")


def text_of(card: Card) -> str:
    """The card as mrkdwn without blocks: for notifications, screen readers, and where blocks are refused."""
    lines = [f"*{heading(card)}*", *(map(escape, plan_lines(card)) if card.mates else _lines(card))]
    text = "\n".join(lines)
    return text if len(text) <= FALLBACK_MOST else "\n".join(lines[:2])


def _lines(card: Card) -> list[str]:
    lines = [escape(one_line(card.title, LABEL_MOST))]
    lines += [
        f"• {escape(one_line(each.name, NAME_MOST))}: {escape(one_line(each.value, 200))}"
        for each in card.arguments[:8]
    ]
    if card.is_open:
        lines += [f"Takes {escape(one_line(card.needs, NEEDS_MOST))}"] if card.needs.strip() else []
        lines += [escape(vote_words(vote)) for vote in card.votes[:VOTES_MOST]]
        lines.append(f"Expires {moment(card.expires_at)}")
    elif card.decided_by:
        lines.append(escape(_by_whom(card)))
    if card.reason:
        lines.append(escape(one_line(card.reason, LABEL_MOST)))
    if card.outcome:
        lines.append(escape(_outcome(card)))
    return lines


def text_without_buttons(card: Card) -> str:
    """`text_of`, with another way to decide: for when Slack refuses the blocks."""
    way = f"\nDecide with `twokey approvals show {escape(card.approval_id)}`, or on the web page."
    return text_of(card) + (way if card.is_pending else "")


def _origin(card: Card) -> JsonObject:
    """Who asked, why people are asked, and until when."""
    texts: list[JsonObject] = [plain(f"Tool: {one_line(card.tool, 100)}")] if card.tool else []
    texts += asked_by(card)
    because = " · ".join(each for each in (card.why, f"rule: {card.rule}" if card.rule else "") if each)
    texts += [plain(f"Why: {one_line(because, LABEL_MOST)}")] if because else []
    if card.is_open:
        texts.append(expires(card.expires_at))
    return context(*texts or [plain(f"Approval {one_line(card.approval_id, 100)}")])


def _choices(card: Card) -> list[JsonObject]:
    """Choices too long for a button, each in full where there is room."""
    if not are_long(card.choices):
        return []
    most = WORDS_MOST // min(len(card.choices), CHOICES_MOST)
    lines = [
        section(bold(f"{number}. "), words(one_line(each, max(most, BUTTON_MOST)) or "(empty)"))
        for number, each in enumerate(card.choices[:CHOICES_MOST], start=1)
    ]
    return [rich(*lines)]


def _settlement(card: Card) -> list[JsonObject]:
    found: list[JsonObject] = []
    if card.reason:
        label = "Answer" if card.status == "answered" else "Reason"
        reason, missing = glimpse(card.reason, WORDS_MOST)
        found.append(rich(section(bold(label)), preformatted(reason), *more(missing, card)))
    if card.outcome == "failed" and card.outcome_text:
        error, missing = glimpse(card.outcome_text, WORDS_MOST)
        found.append(rich(section(bold("It failed")), preformatted(error), *more(missing, card)))
    texts: list[JsonObject] = [plain(_by_whom(card))] if card.decided_by else []
    if card.decided_at is not None:
        texts.append({"type": "mrkdwn", "text": moment(card.decided_at)})
    if outcome := _outcome(card).partition(":")[0]:
        texts.append(plain(outcome))
    return [*found, context(*texts)] if texts else found


def _by_whom(card: Card) -> str:
    who = one_line(card.decided_by, 100)
    return f"{card.status.capitalize()} by {who} {VIA.get(card.decided_via, '')}".rstrip()


def _outcome(card: Card) -> str:
    match card.outcome:
        case "done":
            return "✅ Done"
        case "failed":
            return f"❌ Failed: {one_line(card.outcome_text, 200)}" if card.outcome_text else "❌ Failed"
        case "":
            return "⏳ Running…" if card.status == "approved" else ""
