"""Gives grants, finds one that covers a call, and takes them back.

Rules:
- A grant is given with an approval, by whoever may approve that call alone, under the policy as it is at that moment.
- It counts only while its giver might still give it: who they are and what they may is looked up at each use, by the
  rule that asks now and by the one that asked then.
- Anybody who could approve such a call may take it back, and so may its giver. It ends with that transaction: a use
  that is not written by then is refused by the store.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.conversation import Identity, JsonObject
from agent.effects import Ask, RequestApproval
from agent.errors import AlreadySettled, Conflict, Refused
from agent.events import ApprovalDecided, GrantGiven, GrantRevoked, GrantUsed
from agent.ports import Ids
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approved, Approvers, Decider, Grant
from approvals import policy
from approvals.decision import GrantTerms
from approvals.entitlement import Entitlement
from approvals.grant_words import in_words
from approvals.grants import Basis, GrantFacts, Occasion, covers, leashed, may_be_granted
from approvals.judging import Judging
from approvals.people import Person
from approvals.ports import Facts, Index, Log


@dataclass(frozen=True)
class Granting:
    """Looks up what it takes."""

    index: Index
    threads: Log
    judging: Judging
    tools: Mapping[str, Tool]
    entitlement: Entitlement
    ids: Ids

    # --- giving -----------------------------------------------------------------------------------------------------

    async def given(self, facts: Facts, terms: GrantTerms, decided: ApprovalDecided, by: Decider) -> GrantGiven:
        """The event that goes with this approval. Raises Refused when it cannot be given, or not by them."""
        arguments = decided.decision.arguments if isinstance(decided.decision, Approved) else None
        grant = await self.proposed(facts, terms, arguments)
        present = await self.entitlement.present(grant.approvers)
        person = self.entitlement.directory.person(by.person)
        asked = facts.request.model_copy(update={"approvers": grant.approvers})
        if reason := self.entitlement.objection(asked, person, present):
            raise Refused(f"You may approve this one call, but not allow others like it. {reason}")
        return GrantGiven(at=decided.at, approval_id=facts.approval_id, grant=grant, by=by)

    async def proposed(self, facts: Facts, terms: GrantTerms, arguments: JsonObject | None) -> Grant:
        """The grant that these terms come to, with these arguments where they were changed. Raises Refused."""
        request, arguments = facts.request, facts.request.arguments if arguments is None else arguments
        ask = await self._asking(facts, arguments)
        asked_by, tool = self._person(request.requester), self.tools[request.tool]
        basis = Basis(tool, arguments, facts.thread_id, asked_by.id if asked_by else "", ask.approvers)
        return leashed(terms, basis, self.ids.new("grt"), self.entitlement.clock.now())

    async def _asking(self, facts: Facts, arguments: JsonObject) -> Ask:
        """How the policy asks about the call now; Refused where that leaves no room for a grant."""
        request, tool = facts.request, self.tools.get(facts.request.tool)
        if tool is None or request.about != "call":
            raise Refused("Only a call that waits for approval can be allowed for later, too.")
        if not request.may_grant or facts.record.amendments:
            raise Refused("The policy wants to be asked about this each time.")
        verdict = (await self.judging.judge(facts.thread_id, request, arguments)).verdict
        if not isinstance(verdict, Ask) or not may_be_granted(verdict):
            raise Refused("The policy as it is now wants to be asked about this each time, or not at all.")
        return verdict

    def words(self, grant: Grant) -> str:
        """What it covers, with people by their names."""
        return in_words(grant, self._name)

    def _name(self, person_id: str) -> str:
        person = self.entitlement.directory.person(person_id)
        return person.name if person else person_id

    def _person(self, identity: Identity | None) -> Person | None:
        return self.entitlement.directory.find(identity) if identity else None

    # --- using ------------------------------------------------------------------------------------------------------

    async def used(self, effect: RequestApproval, state: ThreadState) -> GrantUsed | None:
        """The use of a grant in place of this request; None when there is none that covers it."""
        call, ask = effect.call, effect.ask
        tool = self.tools.get(call.name) if call else None
        if call is None or tool is None or effect.about != "call" or not may_be_granted(ask):
            return None
        now, who = self.entitlement.clock.now(), (*state.asked_by, *([state.requester] if state.requester else []))
        occasion = Occasion(call, tool, state, self._only(who), now)
        for facts in await self.index.grants_for(tool.name):
            if covers(facts, occasion) and await self._may_still_give(facts, ask.approvers, who):
                return GrantUsed(
                    at=now,
                    grant_id=facts.grant.id,
                    call_id=call.id,
                    tool=tool.name,
                    digest=tool.digest(call.arguments),
                    rule=ask.rule,
                    given_by=facts.given_by.person,
                )
        return None

    def _only(self, asked_by: Iterable[Identity]) -> str:
        """Id of the person who alone had a part in asking; empty where that is nobody in people.yaml, or several."""
        ids = {person.id if person else "" for person in map(self._person, asked_by)}
        return ids.pop() if len(ids) == 1 else ""

    async def _may_still_give(self, facts: GrantFacts, approvers: Approvers, asked_by: tuple[Identity, ...]) -> bool:
        """Whether whoever gave it might approve this call at this moment."""
        giver = self.entitlement.directory.person(facts.given_by.person)
        if giver is None or self._person(facts.given_by.identity) != giver:
            return False
        for wanted in (approvers, facts.grant.approvers):
            if policy.objection_to_asked(wanted, giver, await self.entitlement.present(wanted), asked_by):
                return False
        return not await self.entitlement.standing.check(facts.given_by.identity)

    # --- taking back ------------------------------------------------------------------------------------------------

    async def revoked(self, facts: GrantFacts, who: Identity, by: Decider, reason: str) -> None:
        """Take it back. Raises Refused, with words for whoever tried, and AlreadySettled."""
        if objection := await self._objection_to_revoking(facts, who):
            raise Refused(objection)
        event = GrantRevoked(at=self.entitlement.clock.now(), grant_id=facts.grant.id, reason=reason.strip(), by=by)
        try:
            if facts.revoked is None:
                await self.threads.inform(facts.thread_id, [event])
                return
        except Conflict:  # somebody else has, in this very moment
            pass
        raise AlreadySettled("This was taken back already.")

    async def _objection_to_revoking(self, facts: GrantFacts, who: Identity) -> str:
        """Why they may not; empty when they may. Who asked for the call is no matter: it only makes things tighter."""
        person = self._person(who)
        if person is not None and person.id == facts.given_by.person and not person.service:
            return await self.entitlement.standing.check(who)
        wanted = [facts.grant.approvers, *await self._approvers_now(facts)]
        objections = [policy.objection(each, person, await self.entitlement.present(each), None) for each in wanted]
        return objections[0] if all(objections) else await self.entitlement.standing.check(who)

    async def _approvers_now(self, facts: GrantFacts) -> list[Approvers]:
        """Whom the policy would have asked now about the call that it was given for."""
        asked = await self.index.facts(facts.approval_id)
        if asked is None or asked.request.tool not in self.tools:
            return []
        verdict = (await self.judging.judge(facts.thread_id, asked.request, asked.request.arguments)).verdict
        return [verdict.approvers] if isinstance(verdict, Ask) else []
