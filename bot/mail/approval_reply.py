"""Decisions by mail: an answer to an approval mail. Three locks, all of them needed:

the sender is proved and is the person whom that mail was sent to; the address carries that person's token for that
approval; and the first line of what they wrote is a decision by the letter. Vague words never count (no model reads
this), and possession of the token alone decides nothing: it is quoted in every forward.

A yes is to what that mail showed, all calls of a plan: when something else stands there by now, it is none.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from agent.conversation import Identity
from agent.errors import AlreadySettled, Refused
from approvals import token
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.gate import Gate
from approvals.people import Directory
from approvals.ports import Facts
from bot.mail.approval_mail import has_room_for
from bot.mail.email import InboundEmail
from bot.mail.shown import by_card, earlier

log = structlog.get_logger()

_EDGES = " \t\"'“”„«».,!;:*_-\u2013\u2014"
_REJECT = re.compile(r"reject(?:\b[\s:,.\u2013\u2014-]*(?P<reason>.*))?", re.IGNORECASE | re.DOTALL)

CHANGED = (
    "Nothing was done: what would happen is no longer what that mail showed. The latest mail shows what it is now, and "
    "so does the page behind its link."
)
MORE = (
    "Nothing was done: there is more than a mail has room for, so it cannot be approved by one. Use the link in the "
    "mail to see all of it."
)
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
        person, facts = self.directory.find(who), await self.gate.index.facts(approval_id)
        shown = self._shown(mac, facts, person.id) if person and facts else None
        if person is None or facts is None or shown is None:
            log.warning("approval.refused", approval_id=approval_id, by=who.key, via="mail", reason="not authenticated")
            return "dropped: not a proved approver with a good token"
        card = self.gate.card(facts)
        choice = read_choice(mail, card)
        if choice is None:
            await self.answer(mail, NOT_UNDERSTOOD)
            return "not understood"
        if isinstance(choice, Approve) and not has_room_for(card):
            await self.answer(mail, MORE)
            return "refused: the mail does not show all of it"
        if shown == "earlier" and isinstance(choice, Approve):
            await self.answer(mail, CHANGED)
            return "refused: it has changed since"
        return await self._decide(mail, who, card, choice)

    async def _decide(self, mail: InboundEmail, who: Identity, card: Card, choice: Choice) -> str:
        try:
            after = await self.gate.decide_plan(_choices(card, choice), who, "mail")
        except (Refused, AlreadySettled) as error:
            person = self.directory.find(who)
            if person is not None and all(_has_said(each, choice, person.name) for each in _meant(card)):
                return "repeated"  # a provider hands the same answer in again
            await self.answer(mail, f"Nothing was done: {error}")
            return f"refused: {error}"
        if after.is_pending:
            await self.answer(mail, _noted(after))
        return "decided"

    def _shown(self, mac: str, facts: Facts, person: str) -> Literal["now", "earlier"] | None:
        """Whether the mail that this answers showed what stands now, or what stood earlier; None when it is not ours to
        this person. Mails of releases before there were changes and plans say nothing of what they showed."""

        def fits(shown: str) -> bool:
            return token.check_reply_token(mac, facts.approval_id, person, self.secrets, shown)

        is_as_asked = not facts.mates and not facts.record.amendments
        if fits(by_card(self.gate.card(facts))) or (is_as_asked and fits("")):
            return "now"
        return "earlier" if fits("") or any(map(fits, earlier(facts))) else None


def _choices(card: Card, choice: Choice) -> dict[str, Choice]:
    """The same of every call that is meant."""
    calls = _meant(card)
    return {each.approval_id: Approve(each.digest) if isinstance(choice, Approve) else choice for each in calls}


def _meant(card: Card) -> Sequence[Card]:
    """Every call of a plan that is still open; of one that is settled the gate says so."""
    return card.waiting or (card,)


def _has_said(card: Card, choice: Choice, name: str) -> bool:
    """Whether they said just that of this call by mail before. A second thought is something else: whoever has one must
    hear that it came too late."""
    match choice:
        case Approve():
            vote, end = "approve", "approved"
        case Reject():
            vote, end = "reject", "rejected"
        case Answer():
            vote, end = "", "answered"
    said = [
        (card.decided_via, card.decided_by, card.status),
        *((each.via, each.name, each.vote) for each in card.votes),
    ]
    return any(("mail", name, each) in said for each in (vote, end))


def _noted(card: Card) -> str:
    """What somebody is told whose say alone does not settle it."""
    takes = next((each.needs for each in card.plan if each.is_open and each.needs), "")
    return "Your say is on record." + (f" It takes {takes}, so it waits for others now." if takes else "")


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
