"""What somebody's say amounts to: the events to append, or why it does not count."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent import guardrail
from agent.conversation import JsonObject
from agent.effects import Allow, Deny
from agent.errors import Refused
from agent.events import ApprovalDecided, Event
from agent.tool import Tool
from agent.verdict import Decider
from approvals.ballot import Ballot
from approvals.decision import Approve, Choice, GrantTerms
from approvals.entitlement import Entitlement
from approvals.granting import Granting
from approvals.judging import Judging
from approvals.opening import Opening
from approvals.ports import Facts
from approvals.quorum import Voter
from approvals.standing import ForOneSay


@dataclass(frozen=True)
class Weighing:
    """Looks up what it takes, and lets a ballot decide."""

    judging: Judging
    tools: Mapping[str, Tool]
    opening: Opening
    entitlement: Entitlement
    granting: Granting

    def for_one_say(self) -> "Weighing":
        """The same, asking elsewhere about each account and group once. Only for one say."""
        standing = ForOneSay(self.entitlement.standing)
        return replace(self, entitlement=replace(self.entitlement, standing=standing))

    async def weigh(self, facts: Facts, choice: Choice, voter: Voter | None, by: Decider) -> list[Event]:
        """The events for an approval that is open. Raises Refused and BadArguments."""
        yes, no = await self.entitlement.counted(facts.record)
        ballot = Ballot(facts.approval_id, facts.record, voter, by, self.opening.clock.now(), yes, no)
        if not isinstance(choice, Approve):
            return ballot.say(choice)
        if facts.request.about != "call":
            raise Refused("That is not an answer to this request.")
        events = await self._approved(facts, choice, ballot)
        return events if choice.grant is None else await self._with_grant(facts, choice.grant, events, by)

    async def _with_grant(self, facts: Facts, terms: GrantTerms, events: list[Event], by: Decider) -> list[Event]:
        """The same, and the grant before it. Raises Refused where the call is not approved by this alone."""
        match events:
            case [ApprovalDecided() as decided]:
                return [await self.granting.given(facts, terms, decided, by), decided]
            case _:
                raise Refused("It takes more than your approval, so you cannot allow others like it.")

    async def _approved(self, facts: Facts, choice: Approve, ballot: Ballot) -> list[Event]:
        request = facts.request
        tool = self.tools.get(request.tool)
        if tool is None:
            raise Refused(f"The tool {request.tool} does not exist any more.")
        if choice.digest != request.digest or tool.digest(request.arguments) != request.digest:
            raise Refused("What would run is no longer what was shown. Look at it again, or reject it.")
        if choice.arguments is None or choice.arguments == request.arguments:
            return ballot.approve()
        tool.check(choice.arguments)
        return await self._changed(facts, tool, choice.arguments, ballot)

    async def _changed(self, facts: Facts, tool: Tool, arguments: JsonObject, ballot: Ballot) -> list[Event]:
        """A changed call is another call: the policy may forbid it, or want others to approve it. What was asked about
        because a judge had doubts, though the policy allows it, goes on taking all whom that takes."""
        judged = await self.judging.judge(facts.thread_id, facts.request, arguments)
        verdict = judged.verdict
        if isinstance(verdict, Deny):
            raise Refused(f"The policy does not allow it with these arguments: {verdict.why}")
        if isinstance(verdict, Allow) and facts.record.asked.rule == guardrail.RULE:  # however often it was changed
            verdict = replace(self.judging.policy.doubted(), why=facts.record.asked.why)
        if isinstance(verdict, Allow):
            return ballot.approve_changed(tool.digest(arguments), arguments)
        amended = await self.opening.amendment(facts.record, judged.call, verdict, judged.state, ballot.by)
        request = facts.request.model_copy(update={"approvers": amended.approvers})
        person = self.opening.directory.person(ballot.by.person)
        may_vote = not self.entitlement.objection(request, person, await self.entitlement.present(amended.approvers))
        if may_vote and amended.approvers.takes_one:
            return ballot.approve_changed(tool.digest(arguments), arguments)
        return ballot.amend(amended, may_vote=may_vote)
