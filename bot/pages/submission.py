"""What a visitor's form says, as choices for the gate. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from agent.conversation import JsonObject
from agent.errors import TwokeyError
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, GrantTerms, Reject, scope_of
from bot.pages.form import Field, read
from bot.parameters import BadFields, end_of_day, typed_number

MAX_FIELDS = 5_000


class BadSubmission(TwokeyError):
    """This form cannot be read."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One call, or one question, that the visitor may decide, as the form has it."""

    card: Card
    arguments: JsonObject
    """As they stand."""
    fields: tuple[Field, ...] = ()
    """In which they can be changed; none when they cannot be."""

    @property
    def of(self) -> str:
        """What the names of its fields begin with, in the form of a plan."""
        return f"{self.card.approval_id}."


def parse(body: bytes) -> Mapping[str, str]:
    """The fields of a form, the first of each name; a NUL is nobody's word. Raises BadSubmission."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise BadSubmission from None
    return {name: value.replace("\x00", "") for name, value in reversed(pairs)}


def choices_of(typed: Mapping[str, str], offers: Sequence[Offer], zone: str = "UTC") -> dict[str, Choice]:
    """What the visitor chose, by approval id. Raises BadFields, or BadSubmission with what is missing."""
    decision = typed.get("decision")
    if decision in {"all", "none", "each"}:
        return _of_plan(decision, typed, offers)
    named = typed.get("of", "")
    offer = next((each for each in offers if each.card.approval_id == named), offers[0] if len(offers) == 1 else None)
    if offer is None:
        raise BadSubmission
    return {offer.card.approval_id: _of_one(decision, typed, offer, zone)}


def _of_one(decision: str | None, typed: Mapping[str, str], offer: Offer, zone: str) -> Choice:
    match decision:
        case "approve":
            return Approve(typed.get("digest", ""))
        case "edit":
            return Approve(typed.get("digest", ""), read(offer.fields, offer.arguments, typed))
        case "grant":
            return Approve(typed.get("digest", ""), grant=terms_of(typed, zone))
        case "reject":
            return Reject(words(typed, "reason"))
        case "answer":
            return Answer(needed(typed, "text", "Write an answer first."))
        case "choose":
            return Answer(_chosen(typed.get("choice", ""), offer.card))
        case _:
            raise BadSubmission


# --- plans ----------------------------------------------------------------------------------------------------------


def _of_plan(decision: str, typed: Mapping[str, str], offers: Sequence[Offer]) -> dict[str, Choice]:
    """What was shown of the plan counts: a call that joined it since is not in the form, and stays open."""
    shown = [each for each in offers if f"{each.of}digest" in typed]
    if decision == "all":
        found: dict[str, Choice] = {each.card.approval_id: Approve(typed[f"{each.of}digest"]) for each in shown}
    elif decision == "none":
        found = {each.card.approval_id: Reject(words(typed, "reason")) for each in shown}
    else:
        found = _each(typed, shown)
    if not found:
        raise BadSubmission("Say of at least one call what is to become of it.")
    return found


def _each(typed: Mapping[str, str], offers: Sequence[Offer]) -> dict[str, Choice]:
    found: dict[str, Choice] = {}
    problems: dict[str, str] = {}
    for offer in offers:
        try:
            choice = _of_call(typed, offer)
        except BadFields as error:
            problems |= error.problems
        else:
            found |= {} if choice is None else {offer.card.approval_id: choice}
    if problems:
        raise BadFields(problems)
    return found


def _of_call(typed: Mapping[str, str], offer: Offer) -> Choice | None:
    """Of one call of a plan; None to leave it open."""
    changed = [each for each in offer.fields if each.is_touched(typed)]
    match typed.get(f"{offer.of}choice"):
        case "approve":
            after = read(offer.fields, offer.arguments, typed) if changed else None
            return Approve(typed[f"{offer.of}digest"], after)
        case "reject":
            return Reject(words(typed, f"{offer.of}words"))
        case "answer":
            return Answer(needed(typed, f"{offer.of}words", f"Write the result of {offer.card.title} first."))
        case "leave" if changed:
            why = "You changed this, and left the call open. Approve it, or change it back."
            raise BadFields({changed[0].key: why})
        case "leave":
            return None
        case _:
            raise BadSubmission


# --- grants ---------------------------------------------------------------------------------------------------------


def terms_of(typed: Mapping[str, str], zone: str = "UTC") -> GrantTerms:
    """How far like calls may run. A date means the end of that day where the visitor is. Raises BadFields."""
    problems: dict[str, str] = {}
    scope, until, uses = scope_of(typed.get("grant.scope", "")), None, None
    if scope is None:
        problems["grant.scope"] = "Choose one."
    try:
        until = end_of_day(typed.get("grant.until", ""), zone)
    except ValueError as error:
        problems["grant.until"] = str(error)
    text = typed.get("grant.uses", "").strip()
    try:
        uses = int(str(typed_number(text, is_whole=True))) if text else None
    except ValueError as error:
        problems["grant.uses"] = str(error)
    condition = words(typed, "grant.condition")
    is_exact = typed.get("grant.match", "exact") == "exact"
    if not is_exact and not condition:
        problems["grant.condition"] = "Write the condition, or choose exactly these arguments."
    if problems or scope is None or until is None:
        raise BadFields(problems)
    return GrantTerms(scope, until, uses, condition="" if is_exact else condition, exact=is_exact)


# --- words ----------------------------------------------------------------------------------------------------------


def needed(typed: Mapping[str, str], name: str, otherwise: str) -> str:
    """What was written in that field. Raises BadSubmission with these words when nothing was."""
    if not (found := words(typed, name)):
        raise BadSubmission(otherwise)
    return found


def words(typed: Mapping[str, str], name: str) -> str:
    """Browsers send line breaks as CR LF."""
    return typed.get(name, "").replace("\r\n", "\n").strip()


def _chosen(number: str, card: Card) -> str:
    if not (number.isascii() and number.isdigit() and int(number[:4]) < len(card.choices)):
        raise BadSubmission
    return card.choices[int(number[:4])]
