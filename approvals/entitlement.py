"""Who may decide, looked up at that moment: unknown, unset or unreachable means no."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.approval import ApprovalRecord
from agent.conversation import Identity
from agent.errors import Refused
from agent.events import ApprovalRequested, ApprovalVoted
from agent.ports import Clock
from agent.verdict import Approvers, Decider, Surface
from approvals import policy
from approvals.decision import Origin
from approvals.people import Directory, Person
from approvals.quorum import Voter
from approvals.roster import Roster
from approvals.standing import Standing, roster


@dataclass(frozen=True)
class Entitlement:
    """Asks the directory, and where people come from."""

    directory: Directory
    standing: Standing
    clock: Clock

    def decider(self, who: Identity, via: Surface, origin: Origin) -> Decider:
        """Who does something there, as it is put on record."""
        person = self.directory.find(who)
        named = who if not person or who.name else who.model_copy(update={"name": person.name})
        agent = origin.user_agent[:200]
        return Decider(
            person=person.id if person else "", identity=named, via=via, address=origin.address, user_agent=agent
        )

    async def present(self, approvers: Approvers) -> Roster:
        """The directory now, with the groups that these seats are about."""
        return await roster(self.directory, approvers.all_roles, self.standing, self.clock.now())

    async def entitled(self, request: ApprovalRequested, who: Identity) -> Voter | None:
        """Who this is; None for somebody in a thread whom people.yaml does not list, where that is enough. Raises
        Refused, with words for them, unless they may decide it.

        Whether people.yaml lists them comes first: Slack is not asked about those it does not.
        """
        person, present = self.directory.find(who), await self.present(request.approvers)
        if reason := self.objection(request, person, present) or await self.standing.check(who):
            raise Refused(reason)
        return present.voter(person) if person else None

    def objection(self, request: ApprovalRequested, person: Person | None, present: Roster) -> str:
        """Why they may not decide it, in words for them; empty when they may."""
        who = (*request.asked_by, *([request.requester] if request.requester else []))
        return policy.objection_to_asked(request.approvers, person, present, who)

    def _voter_of(self, vote: ApprovalVoted) -> Person | None:
        """Whose vote it is; None when they have left, or when the id or the identity that they voted by is another's
        now: else one human being could be two voters."""
        person = self.directory.person(vote.by.person)
        return person if person is not None and self.directory.find(vote.by.identity) == person else None

    async def counted(self, record: ApprovalRecord) -> tuple[list[Voter], list[Voter]]:
        """Whose yes, and whose no, still counts, each in their order: not that of whoever has left since, or has lost
        the role or the account that they voted by."""
        yes: list[Voter] = []
        no: list[Voter] = []
        present = await self.present(record.request.approvers) if record.votes else None
        for vote, voter in self.still_entitled(record, present) if present else ():
            if not await self.standing.check(vote.by.identity):
                (yes if vote.vote == "approve" else no).append(voter)
        return yes, no

    def still_entitled(self, record: ApprovalRecord, present: Roster) -> Iterator[tuple[ApprovalVoted, Voter]]:
        """The votes of those who may still decide it, by people.yaml and these groups; what their account is by now is
        another question."""
        for vote in record.votes:
            person = self._voter_of(vote)
            if person is not None and not self.objection(record.request, person, present):
                yield vote, present.voter(person)
