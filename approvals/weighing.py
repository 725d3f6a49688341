"""What somebody's say amounts to: the events to append, or why it does not count."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.conversation import JsonObject
from agent.effects import Allow, Deny
from agent.errors import Refused
from agent.events import Event, ToolCall
from agent.thread import ThreadState, fold
from agent.tool import Tool
from agent.verdict import Decider
from approvals.ballot import Ballot
from approvals.decision import Approve, Choice
from approvals.entitlement import Entitlement
from approvals.opening import Opening
from approvals.policy import Policy
from approvals.ports import Facts, Log
from approvals.quorum import Voter


@dataclass(frozen=True)
class Weighing:
    """Looks up what it takes, and lets a ballot decide."""

    threads: Log
    policy: Policy
    tools: Mapping[str, Tool]
    opening: Opening
    entitlement: Entitlement

    async def weigh(self, facts: Facts, choice: Choice, voter: Voter | None, by: Decider) -> list[Event]:
        """The events for an approval that is open. Raises Refused and BadArguments."""
        yes, no = await self.entitlement.counted(facts.record, by)
        ballot = Ballot(facts.approval_id, facts.record, voter, by, self.opening.clock.now(), yes, no)
        if not isinstance(choice, Approve):
            return ballot.say(choice)
        if facts.request.about != "call":
            raise Refused("That is not an answer to this request.")
        return await self._approved(facts, choice, ballot)

    async def _approved(self, facts: Facts, choice: Approve, ballot: Ballot) -> list[Event]:
        if choice.grant is not None:
            raise Refused("Grants cannot be given yet.")
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
        """A changed call is another call: the policy may forbid it, or want others to approve it."""
        state = await self._state(facts.thread_id)
        call = ToolCall(id=facts.request.call_id, provider_id="", name=tool.name, arguments=arguments)
        verdict = self.policy.judge(call, tool, state)
        if isinstance(verdict, Deny):
            raise Refused(f"The policy does not allow it with these arguments: {verdict.why}")
        if isinstance(verdict, Allow):
            return ballot.approve_changed(tool.digest(arguments), arguments)
        amended = await self.opening.amendment(facts.record, call, verdict, state, ballot.by)
        request = facts.request.model_copy(update={"approvers": amended.approvers})
        person = self.opening.directory.person(ballot.by.person)
        may_vote = not self.entitlement.objection(request, person, await self.entitlement.present(amended.approvers))
        if may_vote and amended.approvers.takes_one:
            return ballot.approve_changed(tool.digest(arguments), arguments)
        return ballot.amend(amended, may_vote=may_vote)

    async def _state(self, thread_id: str) -> ThreadState:
        place = await self.threads.conversation(thread_id)
        assert place is not None  # noqa: S101 - an approval's thread exists
        return fold(ThreadState(thread_id, place), await self.threads.entries(thread_id))
