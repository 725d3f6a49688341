"""What somebody tried that does not count: what they are told, and what it is called on record. Pure."""

from typing import Literal

from agent.errors import Refused
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.ports import Facts

MAX_REMARK = 4_000
"""Characters of one question to the agent."""
Attempt = Literal["approve", "reject", "answer", "remark", "grant", "revoke"]


def settled_text(shown: Card) -> str:
    """What whoever comes too late is told."""
    if shown.status == "expired":
        return "This has expired; nobody decided in time."
    if shown.is_rejected_by_time:
        return f"This was rejected: {shown.reason}."
    if not shown.decided_by:
        return f"This was {shown.status}."
    return f"{shown.decided_by} was first: this was {shown.status} already."


def check_remark(facts: Facts, text: str) -> None:
    """Raises Refused for what is no question about a call."""
    if facts.request.about != "call" or not text.strip():
        raise Refused("Only a call that waits can be asked about, and in words.")
    if len(text) > MAX_REMARK:
        raise Refused(f"Ask in fewer words: {MAX_REMARK} characters at most.")


def attempt_of(choice: Choice) -> Attempt:
    """What they tried, for the record."""
    match choice:
        case Approve(grant=terms):
            return "grant" if terms else "approve"
        case Reject():
            return "reject"
        case Answer():
            return "answer"
