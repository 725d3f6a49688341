"""The card of a plan, several calls of one answer, as Slack blocks: a numbered list, decided at once or singly. Pure.

The rules are those of `blocks`. Each call has a menu of its own, so that one can be changed or asked about while the
others wait; the buttons below are for all that wait.
"""

from collections import Counter
from collections.abc import Iterable

from agent.conversation import JsonObject
from approvals.card import Card, CardStatus
from bot.slack.arguments import NAME_MOST, in_short, where_else
from bot.slack.buttons import (
    APPROVE_ALL,
    CHOOSE_EACH,
    CONFIRM_MOST,
    DETAILS,
    PLAN,
    REJECT_ALL,
    block_id,
    button,
    confirm,
    menu,
    stamp,
)
from bot.slack.rich import bold, context, expires, header, italic, plain, rich, section, size_of, words
from bot.slack.said import VIA, asked_by, remarks_of
from bot.slack.text import LABEL_MOST, more_calls, one_line, titled

CALLS_MOST = 20
TEXT_MOST = 12_500
"""Characters of a whole card; Slack takes about 13,000."""
SHARES = (1.0, 0.6, 0.35, 0.15)
"""How much of what is wished for each call is given to it; the most that makes a card of not too many characters."""
TITLES_MOST, VALUES_MOST, PREVIEWS_MOST = 2_400, 4_000, 2_400
"""Characters of all calls together."""
STATUS_MOST = 60
LINE_MOST = 300
"""Characters of one call's title, and of its preview, however few calls there are."""
REMARKED_MOST = 2
"""How many calls have their latest question shown."""
_ENDS: dict[CardStatus, str] = {
    "open": "⏳ waits",
    "approved": "✅ approved",
    "rejected": "⛔ rejected",
    "expired": "⌛ expired",
    "cancelled": "✋ cancelled",
    "answered": "💬 answered",
}
_CAME_OF_IT = {"done": ", done", "failed": ", but it failed", "": ""}


def plan_blocks(card: Card) -> list[JsonObject]:
    """The calls, each with where it stands, and what can be done."""
    for share in SHARES:
        found = _built(card, share)
        if size_of(found) <= TEXT_MOST:
            break
    return found


def _built(card: Card, share: float) -> list[JsonObject]:
    shown = card.plan[:CALLS_MOST]
    found: list[JsonObject] = [header(plan_heading(card))]
    for number, each in enumerate(shown, start=1):
        found += _call(number, each, share / len(shown), int(STATUS_MOST * share))
    rest = len(card.plan) - len(shown)
    found += [rich(section(italic(f"… and {more_calls(rest)}{where_else(card)}")))] if rest else []
    found += _remarks(card) if share == SHARES[0] or len(shown) <= CALLS_MOST // 2 else []
    found.append(_origin(card))
    return [*found, *(plan_buttons(card) if card.is_pending else [])]


def plan_heading(card: Card) -> str:
    """How many calls, or what became of them, in our own words."""
    count: Counter[str] = Counter(each.status for each in card.plan)
    if count["open"]:
        settled = len(card.plan) - count["open"]
        calls = "1 call" if count["open"] == 1 else f"{count['open']} calls"
        return f"🔑 Approval needed: {calls}" + (f", {settled} decided" if settled else "")
    if len(count) == 1:
        mark, word = mark_and_word(card.status)
        return f"{mark} All {len(card.plan)} {word}"
    return "☑️ Decided: " + ", ".join(f"{count[end]} {end}" for end in _ENDS if count[end])


def mark_and_word(status: CardStatus) -> tuple[str, str]:
    """How an approval stands, at a glance and in a word."""
    mark, _, word = _ENDS[status].partition(" ")
    return mark, word


def plan_lines(card: Card) -> list[str]:
    """Each call and where it stands, as lines of plain text."""
    return [
        f"{number}. {titled(each.title, 150)}: {status_of(each)}"
        for number, each in enumerate(card.plan[:CALLS_MOST], start=1)
    ]


def status_of(card: Card) -> str:
    """Where one call stands, in a few words."""
    if card.is_open:
        return _ENDS["open"]
    who = f" by {one_line(card.decided_by, NAME_MOST)} {VIA.get(card.decided_via, '')}".rstrip()
    if card.is_rejected_by_time or card.status == "expired":
        return f"{_ENDS[card.status]} since nobody decided in time"
    return _ENDS[card.status] + (who if card.decided_by else "") + _CAME_OF_IT[card.outcome]


def plan_buttons(card: Card) -> list[JsonObject]:
    """For all that wait."""
    titles = "; ".join(f"{n}. {one_line(each.title, 100)}" for n, each in enumerate(card.waiting, start=1))
    title = f"Approve all {len(card.waiting)} calls?" if len(card.waiting) > 1 else "Approve this call?"
    approve = button(APPROVE_ALL, "Approve all", card.approval_id) | {
        "style": "primary",
        "confirm": confirm(title, one_line(titles, CONFIRM_MOST), "Approve all"),
    }
    is_whole = len(card.plan) <= CALLS_MOST  # nobody approves here what the card has no room for
    elements: list[JsonObject] = [
        *([approve] if is_whole else []),
        button(CHOOSE_EACH, "Choose…", card.approval_id),
        button(REJECT_ALL, "Reject all…", card.approval_id) | {"style": "danger"},
        button(DETAILS, "Details", card.approval_id),
    ]
    return [
        {
            "type": "actions",
            "block_id": f"{PLAN}{card.approval_id}:{stamp(card.plan)}",
            "elements": list(elements),
        }
    ]


def call_block(number: int, card: Card, most: int) -> JsonObject:
    """One call of a plan in a line."""
    return {"type": "section", "text": plain(f"{number}. {titled(card.title, most)}")}


def _call(number: int, card: Card, share: float, status_most: int) -> list[JsonObject]:
    head = call_block(number, card, min(LINE_MOST, int(TITLES_MOST * share)))
    if card.is_open:
        deeds = ("edit", "reject", "remark", "instead", "grant" if card.may_grant else "details")
        head |= {"block_id": block_id(card), "accessory": menu(deeds, card.approval_id)}
    arguments, _ = in_short(card, int(VALUES_MOST * share))
    preview = one_line(card.preview, min(LINE_MOST, int(PREVIEWS_MOST * share)))
    lines = [arguments] if arguments else []
    lines += [section(bold("Would: "), words(preview))] if preview else []
    return [head, rich(*lines, section(*_standing(card, status_most)))]


def _standing(card: Card, most: int) -> list[JsonObject]:
    """Where it stands, and what was said on it so far."""
    yes = ", ".join(vote.name for vote in card.votes if vote.vote == "approve")
    no = ", ".join(vote.name for vote in card.votes if vote.vote == "reject")
    told = (
        ("takes ", card.needs.strip() if card.is_open else ""),
        ("✅ ", yes),
        ("⛔ ", no),
        ("✏️ changed by ", card.changed_by),
        ("", card.reason),
    )
    return [italic(status_of(card)), *(words(f" · {label}{one_line(text, most)}") for label, text in told if text)]


def _remarks(card: Card) -> list[JsonObject]:
    numbered = [(number, each) for number, each in enumerate(card.plan, start=1) if each.remarks]
    found: list[JsonObject] = []
    for number, each in numbered[-REMARKED_MOST:]:
        asked, _ = remarks_of(each, most=1)
        found += [rich(section(bold(f"About {number}.")), *_elements(asked))]
    return found


def _elements(blocks: Iterable[JsonObject]) -> list[JsonObject]:
    found = (block["elements"] for block in blocks)
    return [each for elements in found if isinstance(elements, list) for each in elements if isinstance(each, dict)]


def _origin(card: Card) -> JsonObject:
    """Who asked, why people are asked, and until when."""
    texts = asked_by(card)
    because = dict.fromkeys(f"{each.why} (rule: {each.rule})" if each.rule else each.why for each in card.plan)
    texts += [plain(f"Why: {why}")] if (why := one_line(" · ".join(filter(None, because)), LABEL_MOST)) else []
    texts += [expires(min(each.expires_at for each in card.waiting))] if card.is_pending else []
    return context(*texts or [plain(f"Approval {one_line(card.approval_id, 100)}")])
