"""What is one person's own: the approvals that wait for them, those that they had a say in, the grants they gave.

Every surface that shows somebody their own lists (the inbox page, Slack's Home tab, REST, the command line) asks here.
Rules:
- What waits for a person is what a yes of theirs would count for at this moment, by the gate's own words. Whoever has
  had their say in it, or whose turn has not come, is not asked.
- A question to whoever is in a conversation waits for the person who began it, and is on nobody else's list.
- Roles by Slack group are looked up once for a whole list; what cannot be looked up counts for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.approval import ApprovalRecord
from agent.grant import GrantFacts
from approvals.card import Card
from approvals.gate import Gate
from approvals.people import Person
from approvals.ports import Facts
from approvals.quorum import in_words, not_your_turn, tally
from approvals.roster import Roster
from approvals.standing import roster
from store.approvals import ApprovalIndex

MOST = 200
"""How many open cards are looked at; the soonest to expire first."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits for a person."""

    cards: tuple[Card, ...]
    """The soonest to expire first; a plan once."""
    unseen: int = 0
    """How many open approvals of this deployment were not even looked at. Some of them may be theirs."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A person's own lists."""

    gate: Gate
    index: ApprovalIndex

    async def pending(self, person: Person, limit: int = MOST) -> Pending:
        """The open approvals that they may decide now."""
        ids, total = await self.index.open_cards(limit)
        found = await self.index.facts_of(ids)
        present = await self._present(found)
        theirs = [each for each in found if any(self._waits_for(part, person, present) for part in (each, *each.mates))]
        return Pending(tuple(map(self.gate.card, theirs)), total - len(ids))

    async def decided(self, person: Person, limit: int = 50) -> tuple[Card, ...]:
        """Those that they decided, voted on or changed, the latest first, whether they are settled by now or not."""
        return tuple(map(self.gate.card, await self.index.facts_of(await self.index.said_by(person.id, limit))))

    async def grants(self, person: Person) -> list[GrantFacts]:
        """The grants that they gave and that still count, the soonest to end first."""
        return await self.index.grants(given_by=person.id)

    async def _present(self, found: Sequence[Facts]) -> Roster:
        requests = [part.request for each in found for part in (each, *each.mates)]
        roles = frozenset[str]().union(*(each.approvers.all_roles for each in requests))
        return await roster(self.gate.directory, roles, self.gate.standing, self.gate.clock.now())

    def _waits_for(self, facts: Facts, person: Person, present: Roster) -> bool:
        request = facts.request
        if facts.decided is not None or request.expires_at <= self.gate.clock.now():
            return False
        if request.approvers.anyone_in_thread:
            asked_by = self.gate.directory.find(request.requester) if request.requester else None
            return asked_by is not None and asked_by.id == person.id
        if self.gate.entitlement.objection(request, person, present):
            return False
        has_said = any(vote.by.person == person.id for vote in facts.record.votes)
        return not has_said and not idle_yes(self.gate, facts.record, person, present)


def idle_yes(gate: Gate, record: ApprovalRecord, person: Person, present: Roster) -> str:
    """Why a yes of somebody who may decide it would not count now, in words for them; empty when it would."""
    approvers = record.request.approvers
    if approvers.takes_one or approvers.anyone_in_thread:
        return ""
    if any(vote.by.person == person.id and vote.vote == "approve" for vote in record.votes):
        return f"You have approved it. It takes {in_words(approvers)}."
    votes = gate.entitlement.still_entitled(record, present)
    counted = [voter for vote, voter in votes if vote.vote == "approve"]
    voter, before = present.voter(person), tally(approvers, counted)
    if sum(tally(approvers, [*counted, voter]).filled) > sum(before.filled):
        return ""
    return not_your_turn(approvers, before, voter)
