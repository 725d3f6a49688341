"""The modals by which a call is approved and like calls are allowed from then on. Pure.

Two steps, so that nobody gives what they have not read: the terms are chosen in the first; the second says in the
gate's own words what they let run, and carries exactly these terms.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.conversation import JsonObject
from approvals.card import Card
from approvals.decision import GrantTerms, scope_of
from approvals.grants import LONGEST, MOST_USES
from bot.parameters import BadFields, end_of_day
from bot.slack.arguments import arguments_of
from bot.slack.inputs import chosen_in, input_block, state_of, typed_in
from bot.slack.modals import CHUNK, about, form_modal
from bot.slack.payloads import text_at
from bot.slack.rich import bold, italic, option, preformatted, rich, section, words
from bot.slack.text import glimpse, one_line, titled

TERMS_VIEW, CONFIRM_VIEW = "grant_terms", "grant_confirm"
SCOPE, WHICH, CONDITION, SPAN, DAY, USES = (
    f"grant.{each}" for each in ("scope", "which", "condition", "span", "day", "uses")
)
EXACT, WHERE = "exact", "where"
SPANS = {
    "1h": ("1 hour", timedelta(hours=1)),
    "1d": ("1 day", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
CONDITION_MOST = 600
"""Characters, so that the terms fit into what a modal carries."""
WORDS_MOST = 4 * CHUNK
VALUES_MOST = 1_500


def terms_modal(card: Card, carried: str) -> JsonObject:
    """How far like calls may run without anybody being asked."""
    arguments, _ = arguments_of(card, VALUES_MOST)
    who = one_line(card.requester, 50) or "whoever asked here"
    scopes = {"thread": "In this thread", "requester": f"When {who} asks", "anyone": "Whoever asks, in any thread"}
    which = {EXACT: "Exactly these arguments", WHERE: "Those for which the condition holds"}
    hint = "About the arguments, in CEL: args.amount <= 50 && args.currency == 'EUR'"
    blocks: list[JsonObject] = [
        about(card),
        *arguments,
        _radio(SCOPE, "Allow calls like it", scopes, "thread"),
        _radio(WHICH, "With which arguments", which, EXACT),
        input_block(CONDITION, "Condition", _line(), hint, optional=True),
        _radio(SPAN, "For how long", {key: label for key, (label, _) in SPANS.items()}, "1d"),
        input_block(DAY, "Or until the end of this day", {"type": "datepicker"}, "In UTC.", optional=True),
        input_block(USES, "At most so many times", _number(), "Empty for any number of times.", optional=True),
    ]
    return form_modal(TERMS_VIEW, "Approve and allow", blocks, "Next", carried)


def confirm_modal(card: Card, told: str, carried: str) -> JsonObject:
    """What would be allowed, in words, before it is."""
    shown, missing = glimpse(told, WORDS_MOST)
    chunks = [preformatted(shown[at : at + CHUNK]) for at in range(0, len(shown), CHUNK)]
    rest = [section(italic(f"… {missing} more characters, of the arguments that the card shows"))] if missing else []
    blocks: list[JsonObject] = [
        rich(section(words("This approves "), bold(titled(card.title, 300)), words(". And then:"))),
        rich(section(bold("Without asking anybody again, the agent may run")), *chunks, *rest),
        rich(section(words("Each use is on record. You can take it back on the Home tab of this app."))),
    ]
    return form_modal(CONFIRM_VIEW, "Approve and allow", blocks, "Approve and allow", carried)


def chosen_terms(values: JsonObject, now: datetime) -> GrantTerms:
    """What was chosen. Raises BadFields with one problem a field."""
    problems = dict(_problems(values, now))
    if problems:
        raise BadFields(problems)
    is_exact = chosen_in(values, WHICH) == EXACT
    typed = _typed(values, USES)
    return GrantTerms(
        scope=scope_of(chosen_in(values, SCOPE)) or "thread",
        until=_until(values, now),
        uses=int(typed) if typed else None,
        condition="" if is_exact else _typed(values, CONDITION),
        exact=is_exact,
    )


def as_json(terms: GrantTerms) -> JsonObject:
    """For the second modal to carry."""
    return {
        "scope": terms.scope,
        "until": terms.until.isoformat(),
        "uses": terms.uses,
        "condition": terms.condition,
        "exact": terms.exact,
    }


def from_json(found: JsonObject) -> GrantTerms | None:
    """What was carried; None for anything else."""
    scope, uses, exact = scope_of(text_at(found, "scope")), found.get("uses"), found.get("exact")
    try:
        until = datetime.fromisoformat(text_at(found, "until"))
    except ValueError:
        return None
    if scope is None or not isinstance(uses, int | None) or not isinstance(exact, bool):
        return None
    return GrantTerms(scope, until, uses, text_at(found, "condition"), exact)


def _problems(values: JsonObject, now: datetime) -> Iterator[tuple[str, str]]:
    condition, is_exact = _typed(values, CONDITION), chosen_in(values, WHICH) == EXACT
    if is_exact and condition:
        yield CONDITION, "Choose that the condition says, or leave it empty."
    if not is_exact and not condition:
        yield CONDITION, "Write the condition, or choose exactly these arguments."
    try:
        until = _until(values, now)
    except ValueError as error:
        yield DAY, str(error)
    else:
        if until <= now:
            yield DAY, "This day is over."
        if until > now + LONGEST:
            yield DAY, f"At most {LONGEST.days} days from now."
    uses = _typed(values, USES)
    if uses and not (uses.isascii() and uses.isdigit() and 1 <= int(uses) <= MOST_USES):
        yield USES, f"A whole number from 1 to {MOST_USES}."


def _until(values: JsonObject, now: datetime) -> datetime:
    """The end of the day that was picked, else so long from now. Raises ValueError for a day that has no end."""
    day = text_at(state_of(values, DAY), "selected_date")
    if day:
        return end_of_day(day, "UTC")
    _, span = SPANS.get(chosen_in(values, SPAN), SPANS["1h"])
    return now + span


def _typed(values: JsonObject, block_id: str) -> str:
    return typed_in(values, block_id).strip()


def _radio(block_id: str, label: str, options: dict[str, str], first: str) -> JsonObject:
    made = [option(text, value) for value, text in options.items()]
    initial = next(each for each in made if each["value"] == first)
    element: JsonObject = {"type": "radio_buttons", "options": list(made), "initial_option": initial}
    return input_block(block_id, label, element)


def _line() -> JsonObject:
    return {"type": "plain_text_input", "max_length": CONDITION_MOST}


def _number() -> JsonObject:
    return {
        "type": "number_input",
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": str(MOST_USES),
    }
