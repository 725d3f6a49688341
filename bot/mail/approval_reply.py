"""Decisions by mail: an answer to an approval mail. Three locks, all of them needed:

the sender is proved and is the person whom that mail was sent to; the address carries that person's token for that
approval; and the first line of what they wrote is a decision by the letter. Vague words never count (no model reads
this), and possession of the token alone decides nothing: it is quoted in every forward.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from agent.conversation import Identity
from agent.errors import AlreadySettled, Refused
from approvals import token
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.gate import Gate
from approvals.people import Directory
from bot.mail.email import InboundEmail

log = structlog.get_logger()

_EDGES = " \t\"'“”„«».,!;:*_-\u2013\u2014"
_REJECT = re.compile(r"reject(?:\b[\s:,.\u2013\u2014-]*(?P<reason>.*))?", re.IGNORECASE | re.DOTALL)

NOT_UNDERSTOOD = (
    "Nothing was done: your answer was not understood. The first line must be the one word “approve”, or "
    "“reject” followed by a reason; or use the link in the mail."
)


@dataclass(frozen=True)
class ApprovalReplies:
    """Takes answers to approval mails."""

    gate: Gate
    directory: Directory
    secrets: Sequence[str]
    answer: Callable[[InboundEmail, str], Awaitable[None]]
    """Sends a short mail back; only ever called for a proved sender with a good token."""

    async def take(self, mail: InboundEmail, who: Identity, approval_id: str, mac: str) -> str:
        """Decide by this mail, or say why not; what was done, in a word for the log."""
        person = self.directory.find(who)
        if person is None or not token.check_reply_token(mac, approval_id, person.id, self.secrets):
            log.warning("approval.refused", approval_id=approval_id, by=who.key, via="mail", reason="not authenticated")
            return "dropped: not a proved approver with a good token"
        view = await self.gate.view(approval_id)
        if view is None:
            return "dropped: no such approval"
        choice = read_choice(mail, view.card)
        if choice is None:
            await self.answer(mail, NOT_UNDERSTOOD)
            return "not understood"
        try:
            await self.gate.decide(approval_id, choice, who, "mail")
        except (Refused, AlreadySettled) as error:
            if view.card.decided_via == "mail" and view.card.decided_by == person.name:
                return "repeated"  # a provider hands the same answer in again
            await self.answer(mail, f"Nothing was done: {error}")
            return f"refused: {error}"
        return "decided"


def read_choice(mail: InboundEmail, card: Card) -> Choice | None:
    """What the mail says, by the letter; None when that is not beyond doubt."""
    if mail.confidence != "high" or mail.forwarded.strip() or mail.unreadable:
        return None
    text = mail.new_text.strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    if card.about == "question" and not card.choices:
        return Answer(text)
    first = lines[0].strip(_EDGES).casefold()
    if card.choices:
        chosen = [each for each in card.choices if each.casefold() == first]
        return Answer(chosen[0]) if chosen else None
    if first == "approve":
        return Approve(card.digest)
    found = _REJECT.fullmatch("\n".join([lines[0].lstrip(_EDGES), *lines[1:]]))
    return Reject((found["reason"] or "").strip()) if found else None
