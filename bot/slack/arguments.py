"""What would happen, as Slack shows it: a call's arguments and preview, cut to budgets. Pure.

Values stand in rich text, which Slack never parses, set as code and with their hidden characters spelt out, so that no
value can look like the card's own words. What was cut is named.
"""

from agent.conversation import JsonObject
from approvals.card import Argument, Card
from bot.slack.rich import bold, code, italic, preformatted, rich, section, words
from bot.slack.text import glimpse, one_line, visible

SHORT_VALUE = 120
VALUE_MOST = 1_500
VALUES_MOST = 4_000
NAME_MOST = 60
ARGUMENTS_MOST = 20
PREVIEW_MOST = 1_500


def arguments_of(card: Card, most: int = VALUES_MOST) -> tuple[list[JsonObject], bool]:
    """One rich text block with as many arguments as there is room for, and whether anything was left out."""
    elements: list[JsonObject] = []
    left = most
    is_cut = False
    for number, argument in enumerate(card.arguments):
        if number == ARGUMENTS_MOST or left <= 0:
            elements.append(section(italic(f"… {len(card.arguments) - number} more arguments{where_else(card)}")))
            is_cut = True
            break
        shown, used, missing = _argument(argument, min(VALUE_MOST, left), card)
        elements += shown
        left -= used
        is_cut = is_cut or missing > 0
    return ([rich(*elements)] if elements else []), is_cut


def preview_of(card: Card, most: int = PREVIEW_MOST) -> tuple[list[JsonObject], bool]:
    """What the tool says that it would do, and whether that was cut; nothing when it says nothing."""
    preview, missing = glimpse(card.preview.strip(), most)
    if not preview:
        return [], False
    return [rich(section(bold("What it would do")), preformatted(preview), *more(missing, card))], missing > 0


def in_short(card: Card, most: int) -> tuple[JsonObject | None, bool]:
    """The arguments in one line of at most so many characters, and whether anything was left out; None for none."""
    parts: list[JsonObject] = []
    left, is_cut = most, False
    for number, argument in enumerate(card.arguments):
        name, value = one_line(argument.name, NAME_MOST // 2), one_line(argument.value, SHORT_VALUE)
        if len(name) + len(value) > left:
            parts.append(italic(f" · … {len(card.arguments) - number} more arguments{where_else(card)}"))
            is_cut = True
            break
        change = [italic(" (changed)")] if argument.was else []
        parts += [words(" · ")] if parts else []
        parts += [bold(name), words(": "), _value(value), *change]
        left -= len(name) + len(value)
        is_cut = is_cut or value != argument.value
    return (section(*parts) if parts else None), is_cut


def _argument(argument: Argument, most: int, card: Card) -> tuple[list[JsonObject], int, int]:
    """Its elements, how much of the budget they took, and how many characters are missing."""
    name = one_line(argument.name, NAME_MOST)
    if _is_short(argument.value) and _is_short(argument.was):
        now, was = visible(argument.value), visible(argument.was)
        change = [code(was, strike=True), words(" → ")] if was else []
        return [section(bold(name), words(": "), *change, _value(now))], len(now) + len(was), 0
    shown, missing = glimpse(argument.value, most)
    elements = [section(bold(name), words(" (changed), now:" if argument.was else ":")), preformatted(shown or " ")]
    elements += more(missing, card)
    if not argument.was:
        return elements, len(shown), missing
    before, missing_before = glimpse(argument.was, most // 2)
    elements += [section(bold(name), words(" was:")), preformatted(before), *more(missing_before, card)]
    return elements, len(shown) + len(before), missing + missing_before


def _is_short(text: str) -> bool:
    return len(text) <= SHORT_VALUE and "\n" not in text and "\t" not in text and len(visible(text)) <= SHORT_VALUE


def _value(text: str) -> JsonObject:
    return code(text) if text else italic("empty")


def more(missing: int, card: Card) -> list[JsonObject]:
    """That so many characters are missing; nothing when none are."""
    return [section(italic(f"… {missing} more characters{where_else(card)}"))] if missing else []


def where_else(card: Card) -> str:
    """Where the rest can be seen, while the card has a button for it."""
    return ", open Details" if card.is_pending else ""
