"""What a visitor's form says, as a choice for the gate."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from agent.conversation import JsonObject
from agent.errors import TwokeyError
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from bot.pages.form import Field, read

MAX_FIELDS = 2_000


class BadSubmission(TwokeyError):
    """This form cannot be read."""


def parse(body: bytes) -> Mapping[str, str]:
    """The fields of a form, the first of each name. Raises BadSubmission."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise BadSubmission from None
    return dict(reversed(pairs))


def choice_of(typed: Mapping[str, str], card: Card, fields: tuple[Field, ...], arguments: JsonObject) -> Choice:
    """What the visitor chose. Raises BadFields, or BadSubmission with what is missing."""
    match typed.get("decision"):
        case "approve":
            return Approve(typed.get("digest", ""))
        case "edit":
            return Approve(typed.get("digest", ""), read(fields, arguments, typed))
        case "reject":
            return Reject(_words(typed, "reason"))
        case "answer" if _words(typed, "text"):
            return Answer(_words(typed, "text"))
        case "answer":
            raise BadSubmission("Write an answer first.")
        case "choose":
            return Answer(_chosen(typed.get("choice", ""), card))
        case _:
            raise BadSubmission


def _words(typed: Mapping[str, str], name: str) -> str:
    """Browsers send line breaks as CR LF; a NUL is nobody's word."""
    return typed.get(name, "").replace("\r\n", "\n").replace("\x00", "").strip()


def _chosen(number: str, card: Card) -> str:
    if not (number.isascii() and number.isdigit() and int(number[:4]) < len(card.choices)):
        raise BadSubmission
    return card.choices[int(number[:4])]
