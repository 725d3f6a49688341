"""One person's visit to one approval, as the link says it and as things are at this moment.

A link is no proof that its person may still decide, and it outlives the approval: after it has expired it still tells
where the approval stands, and nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from agent.conversation import Identity
from agent.errors import TwokeyError
from agent.ports import Clock
from approvals import token as tokens
from approvals.card import Card
from approvals.gate import Gate
from approvals.people import Directory
from approvals.ports import Facts
from bot.pages import words

log = structlog.get_logger()

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_SOMEBODY = "whoever was mailed the link"


class TurnedAway(TwokeyError):
    """There is no page for this visitor."""

    def __init__(self, status: int, title: str, text: str, standing: str = "") -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at what."""

    link: str
    who: Identity
    card: Card
    facts: Facts
    person_id: str
    objection: str
    """Why this person may not decide; empty when they may."""

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be decided."""
        return self.card.is_open and self.card.expires_at > now


@dataclass(frozen=True, slots=True)
class Reception:
    """Knows what a link is good for."""

    gate: Gate
    directory: Directory
    secrets: Sequence[str]
    clock: Clock

    async def receive(self, link: str) -> Visit:
        """The visit. Raises TurnedAway for a link that is forged, expired, or leads nowhere."""
        claim = self._claim(link)
        facts = await self.gate.index.facts(claim.approval_id)
        if facts is None:
            raise TurnedAway(404, "This approval does not exist", "It may have been removed since the mail was sent.")
        card = self.gate.card(facts)
        if claim.expires <= self.clock.now():
            standing = str(words.stands(card, self.clock.now()))
            raise TurnedAway(410, "This link has expired", f"It led to: {card.title}", standing)
        person = self.directory.person(claim.person)
        name = person.name if person else claim.person or _SOMEBODY
        who = Identity(channel="api", id=claim.person, name=name, verified=person is not None)
        return Visit(link, who, card, facts, claim.person, await self.gate.objection(facts.request, person))

    def turn_away(self, visit: Visit, *, tried: bool) -> TurnedAway:
        """For somebody who may not decide. Who tried to is on record."""
        if tried:
            log.info(
                "approval.refused",
                approval_id=visit.card.approval_id,
                by=visit.who.key,
                via="web",
                reason=visit.objection,
            )
        standing = str(words.stands(visit.card, self.clock.now()))
        return TurnedAway(403, "You may not decide this", visit.objection, standing)

    def _claim(self, link: str) -> tokens.LinkClaim:
        """Whatever was signed by us, be it expired."""
        try:
            return tokens.read_link_token(link, self.secrets, _LONG_AGO)
        except tokens.BadToken:
            text = "Open it from the mail again. If your mail program broke the address, copy the whole of it."
            raise TurnedAway(404, "This link is not valid", text) from None
