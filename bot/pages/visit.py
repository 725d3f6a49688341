"""One person's visit to one approval, as the door that they came by says it and as things are at this moment.

Two doors: the link that was mailed to a person, and the inbox of the person who is signed in. A link is no proof that
its person may still decide, nor that whoever holds it is that person. It outlives the approval: afterwards it tells
where the approval stands, and nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.conversation import Identity
from agent.errors import TwokeyError
from agent.verdict import Approvers
from approvals import token as tokens
from approvals.card import Card
from approvals.gate import Gate
from approvals.people import Person
from approvals.ports import Facts
from approvals.roster import Roster
from bot.pages import words
from bot.pages.browser import Browser
from bot.personal import idle_yes

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
OPEN_INBOX = ("inbox", "Open your inbox")
_SOMEBODY = "whoever was mailed the link"


class TurnedAway(TwokeyError):
    """There is no page for this visitor."""

    def __init__(
        self, status: int, title: str, text: str, standing: str = "", leads_to: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.standing = standing
        self.leads_to = leads_to
        """Paths below our own where the visitor gets further, and what to call each."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a plan; or all there is, where it is no plan."""

    facts: Facts
    card: Card
    objection: str
    """Why this person may not decide it; empty when they may."""
    idle: str
    """Why a yes of theirs would not count now though they may decide; empty when it would."""

    def is_open(self, now: datetime) -> bool:
        """Whether it can still be decided."""
        return self.card.status_at(now) == "open"

    def takes_say(self, now: datetime) -> bool:
        """Whether it can be decided by this person."""
        return self.is_open(now) and not self.objection


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at what."""

    page: str
    """The last part of the page's address; its forms are bound to it."""
    who: Identity
    person: Person | None
    parts: tuple[Part, ...]
    is_confirmed: bool
    """Whether the browser is known to be this person's."""

    @property
    def card(self) -> Card:
        """What is asked; of a plan the first call, with the others as its mates."""
        return self.parts[0].card

    @property
    def facts(self) -> Facts:
        """What the log says of it."""
        return self.parts[0].facts

    @property
    def objection(self) -> str:
        """Why this person may decide nothing of it; empty when there is something that they may."""
        return self.parts[0].objection if all(each.objection for each in self.parts) else ""

    @property
    def zone(self) -> str:
        """The time zone where they are."""
        return self.person.timezone if self.person else "UTC"

    def is_open(self, now: datetime) -> bool:
        """Whether any of it can still be decided."""
        return any(each.is_open(now) for each in self.parts)

    def is_over(self, now: datetime) -> bool:
        """Whether its time was up before anybody decided it."""
        return self.card.status == "expired" or (self.card.is_open and not self.is_open(now))

    @property
    def had_say(self) -> bool:
        """Whether this person voted, changed something or decided."""
        records = [each.facts.record for each in self.parts]
        said = [each.decided.by for each in records if each.decided and each.decided.by]
        said += [vote.by for each in records for vote in each.votes]
        said += [change.by for each in records for change in each.amendments]
        return self.person is not None and any(by.person == self.person.id for by in said)


@dataclass(frozen=True, slots=True)
class Reception:
    """Knows what each door is good for."""

    gate: Gate
    secrets: Sequence[str]

    async def by_link(self, link: str, browser: Browser) -> Visit:
        """The visit of whoever holds a link. Raises TurnedAway for one that is forged, expired, or leads nowhere."""
        claim = self._claim(link)
        facts = await self._facts(claim.approval_id)
        if claim.expires <= self.gate.clock.now():
            title = self.gate.card(facts).title
            raise TurnedAway(410, "This link has expired", f"It led to: {title}", self.standing(facts))
        person = self.gate.directory.person(claim.person)
        name = person.name if person else claim.person or _SOMEBODY
        is_confirmed = not claim.person or (browser.session is not None and browser.session.person.id == claim.person)
        who = Identity(channel="api", id=claim.person, name=name, verified=person is not None and is_confirmed)
        return Visit(link, who, person, await self._parts(facts, person), is_confirmed)

    async def by_inbox(self, approval_id: str, person: Person) -> Visit:
        """The visit of a person who is signed in. Raises TurnedAway."""
        facts = await self._facts(approval_id)
        return Visit(approval_id, person.identity("api"), person, await self._parts(facts, person), is_confirmed=True)

    def standing(self, facts: Facts) -> str:
        """Where it stands, in a sentence without anybody's own words."""
        return str(words.stands(self.gate.card(facts), self.gate.clock.now()))

    async def _facts(self, approval_id: str) -> Facts:
        facts = await self.gate.index.facts(approval_id) if tokens.is_id(approval_id, "apr") else None
        if facts is None:
            raise TurnedAway(404, "This approval does not exist", "It may have been removed since you were told of it.")
        return facts

    async def _parts(self, facts: Facts, person: Person | None) -> tuple[Part, ...]:
        """Each with what stands against this person; whoever is in a group is looked up once for all of them."""
        known: dict[Approvers, Roster] = {}
        found, cards = [], self.gate.card(facts).plan
        for each, card in zip((facts, *facts.mates), cards, strict=True):
            approvers = each.request.approvers
            if approvers not in known:
                known[approvers] = await self.gate.entitlement.present(approvers)
            objection = self.gate.entitlement.objection(each.request, person, known[approvers])
            is_asked = person is not None and not objection and card.is_open
            idle = idle_yes(self.gate, each.record, person, known[approvers]) if person and is_asked else ""
            found.append(Part(each, card, objection, idle))
        return tuple(found)

    def _claim(self, link: str) -> tokens.LinkClaim:
        """Whatever was signed by us, be it expired."""
        try:
            return tokens.read_link_token(link, self.secrets, _LONG_AGO)
        except tokens.BadToken:
            text = "Open it from the mail again. If your mail program broke the address, copy the whole of it."
            raise TurnedAway(404, "This link is not valid", text) from None
