"""The gate: opens approvals, and settles each exactly once, whatever surface the decision comes from.

Rules:
- What is decided is what was shown: a decision names the digest, and arguments changed by the approver are checked by
  the tool and judged by the policy again before they count.
- Who decides is looked up at that moment, and so is everybody who approved before. Unknown, unset or unreachable means
  no; refused attempts are on record.
- The store takes a say only on what it was said on: when others had theirs meanwhile, it is weighed anew, and once an
  approval is settled, the loser is told who was first.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import structlog

from agent.conversation import Identity, JsonObject
from agent.effects import RequestApproval
from agent.errors import AlreadySettled, Conflict, Refused, SaidBefore
from agent.events import (
    ApprovalDecided,
    ApprovalEscalated,
    ApprovalRemarked,
    ApprovalRequested,
    Event,
    GrantUsed,
)
from agent.grant import GrantFacts
from agent.ports import Clock, Ids
from agent.state import ThreadState
from agent.timing import timed_out
from agent.tool import Tool
from agent.verdict import Decider, Surface
from approvals import card
from approvals.attempt import attempt_of, check_remark, settled_text
from approvals.card import Card
from approvals.decision import Approve, Choice, Origin
from approvals.entitlement import Entitlement
from approvals.granting import Granting
from approvals.judging import Judging
from approvals.opening import Opening
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.ports import Facts, Index, Log
from approvals.recording import Recording
from approvals.standing import NO_PLACE, RememberedGroups, Standing
from approvals.weighing import Weighing

log = structlog.get_logger()

TRIES = 8
"""How often a say is weighed anew when others have theirs at the same moment."""
NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval for a surface that lets people decide."""

    card: Card
    arguments: JsonObject
    parameters: JsonObject
    """JSON schema of the arguments; empty when it is not about a call."""


@dataclass(frozen=True)
class Gate:
    """Satisfies `agent.ports.Approvals`; every surface decides through it."""

    index: Index
    threads: Log
    policy: Policy
    directory: Directory
    tools: Mapping[str, Tool]
    clock: Clock
    ids: Ids
    timeout: float
    """Seconds, where the policy says nothing."""
    channels: Collection[str] = ()
    """Which of slack and mail are set up."""
    reminders: int = 0
    """How often people are reminded before it expires, where the policy says nothing."""
    standing: Standing = NO_PLACE
    """Looks people up where they come from."""

    @cached_property
    def opening(self) -> Opening:
        """Makes what people are asked."""
        rest = (self.directory, self.tools, self.clock, self.ids)
        opening = Opening(*rest, timeout=self.timeout, channels=self.channels, reminders=self.reminders)
        return replace(opening, standing=RememberedGroups(self.standing, self.clock), hours=self.policy.hours)

    @cached_property
    def entitlement(self) -> Entitlement:
        """Knows who may."""
        return Entitlement(self.directory, self.standing, self.clock)

    @cached_property
    def _recording(self) -> Recording:
        return Recording(self.threads, self.clock)

    @cached_property
    def _judging(self) -> Judging:
        return Judging(self.threads, self.policy, self.tools)

    @cached_property
    def _weighing(self) -> Weighing:
        return Weighing(self._judging, self.tools, self.opening, self.entitlement, self.granting)

    @cached_property
    def granting(self) -> Granting:
        """Knows of grants."""
        return Granting(self.index, self.threads, self._judging, self.tools, self.entitlement, self.ids)

    # --- opening ----------------------------------------------------------------------------------------------------

    async def request(self, effect: RequestApproval, state: ThreadState) -> ApprovalRequested | GrantUsed:
        """The event that opens an approval, or that uses a grant which covers the call. Cards are shown once it is
        appended."""
        return await self.granting.used(effect, state) or await self.opening.request(effect, state)

    async def escalate(self, approval_id: str, state: ThreadState) -> ApprovalEscalated:
        """The event that has more people asked."""
        return await self.opening.escalation(state.approvals[approval_id], state)

    # --- looking ----------------------------------------------------------------------------------------------------

    async def view(self, approval_id: str) -> ApprovalView | None:
        """The approval as it stands; None when there is no such."""
        facts = await self.index.facts(approval_id)
        if facts is None:
            return None
        return ApprovalView(self.card(facts), facts.request.arguments, self.parameters(facts.request))

    def parameters(self, request: ApprovalRequested) -> JsonObject:
        """JSON schema of the arguments; empty when it is not about a call of a tool that there is."""
        tool = self.tools.get(request.tool)
        return tool.parameters if tool and request.about == "call" else {}

    def card(self, facts: Facts) -> Card:
        """What any surface shows of it, and of the others of its plan."""
        return card.build(facts.thread_id, facts.record, self.called, [each.record for each in facts.mates])

    def called(self, who: Decider | Identity | None) -> str:
        """What to call them."""
        if who is None:
            return ""
        person = self.directory.person(who.person) if isinstance(who, Decider) else self.directory.find(who)
        return person.name if person else card.name_of(who.identity if isinstance(who, Decider) else who)

    # --- deciding ---------------------------------------------------------------------------------------------------

    async def decide(
        self, approval_id: str, choice: Choice, who: Identity, via: Surface, origin: Origin = NOWHERE
    ) -> Card:
        """Have somebody's say. The card as it is then.

        Raises Refused (with words for whoever tried), AlreadySettled (who was first), and BadArguments when the tool
        does not take the changed arguments.
        """
        return await self.decide_plan({approval_id: choice}, who, via, origin)

    async def decide_plan(
        self, choices: Mapping[str, Choice], who: Identity, via: Surface, origin: Origin = NOWHERE
    ) -> Card:
        """The same for several approvals of one plan, all at once or not at all; the card that shows them.

        Those that are settled already, and those in which this person has said the same before, are left as they are,
        unless all of them are. Raises ValueError when they are of different threads.
        """
        if not choices:
            raise Refused("Nothing was chosen.")
        by = self.entitlement.decider(who, via, origin)
        for _ in range(TRIES):
            found = [(await self._facts(approval_id), choice) for approval_id, choice in choices.items()]
            thread_id, *others = {facts.thread_id for facts, _ in found}
            if others:
                raise ValueError("a plan is of one thread")
            pending = [each for each in found if self._is_open(each[0])] or found[:1]
            events = await self._weighed_together(pending, who, by)
            try:
                await self.threads.inform(thread_id, events)
            except (Conflict, AlreadySettled):
                continue
            self._recording.told(thread_id, events, by)
            first = found[0][0]
            return self.card(await self._facts(first.request.plan or first.approval_id))
        raise Refused("Others are deciding at this very moment. Look at it again, and try once more.")

    async def remark(self, approval_id: str, text: str, who: Identity, via: Surface, origin: Origin = NOWHERE) -> Card:
        """Ask the agent something about a call that waits, without deciding. Raises Refused and AlreadySettled."""
        facts, by = await self._facts(approval_id), self.entitlement.decider(who, via, origin)
        try:
            await self.entitlement.entitled(facts.request, who)
            await self._check_open(facts)
            check_remark(facts, text)
        except Refused as refusal:
            await self._recording.refused(facts, "remark", str(refusal), by)
            raise
        event = ApprovalRemarked(at=self.clock.now(), approval_id=approval_id, text=text.strip(), by=by)
        try:
            await self.threads.inform(facts.thread_id, [event])
        except AlreadySettled:
            await self._check_open(await self._facts(approval_id))
            raise
        log.info("approval.remarked", approval_id=approval_id, thread_id=facts.thread_id, by=by.person, via=via)
        return self.card(await self._facts(approval_id))

    # --- grants -----------------------------------------------------------------------------------------------------

    async def grant_words(self, approval_id: str, choice: Approve) -> str:
        """What the grant of this choice would let run, before it is given: the words of exactly what would be stored.
        Raises Refused when it cannot be given."""
        if choice.grant is None:
            return ""
        facts = await self._facts(approval_id)
        return self.granting.words(await self.granting.proposed(facts, choice.grant, choice.arguments))

    async def revoke(
        self, grant_id: str, who: Identity, via: Surface, origin: Origin = NOWHERE, reason: str = ""
    ) -> GrantFacts:
        """Take a grant back, at once. What is known of it then. Raises Refused (with words for whoever tried), and
        AlreadySettled when it was taken back before."""
        found, by = await self.index.grant(grant_id), self.entitlement.decider(who, via, origin)
        if found is None:
            raise Refused("There is no such grant.")
        try:
            await self.granting.revoked(found, who, by, reason)
        except Refused as refusal:
            await self._recording.refused(await self._facts(found.approval_id), "revoke", str(refusal), by)
            raise
        told = {"grant_id": grant_id, "thread_id": found.thread_id, "by": by.person, "via": via}
        log.info("grant.revoked", **told, tool=found.grant.tool, used=found.used)
        return await self.index.grant(grant_id) or found

    async def objection(self, request: ApprovalRequested, person: Person | None) -> str:
        """Why this person may not decide it now, in words for them; empty when they may."""
        present = await self.entitlement.present(request.approvers)
        return self.entitlement.objection(request, person, present)

    async def refuse(self, facts: Facts, who: Identity, via: Surface, reason: str, origin: Origin = NOWHERE) -> None:
        """Put on record that somebody tried who was turned away before it came to a choice."""
        await self._recording.refused(facts, "approve", reason, self.entitlement.decider(who, via, origin))

    async def _facts(self, approval_id: str) -> Facts:
        facts = await self.index.facts(approval_id)
        if facts is None:
            raise Refused("There is no such approval.")
        return facts

    def _is_open(self, facts: Facts) -> bool:
        return facts.decided is None and facts.request.expires_at > self.clock.now()

    async def _check_open(self, facts: Facts) -> None:
        """Raises AlreadySettled. What somebody is told has expired is put on record as that: no clock that is set back,
        and no other machine's, opens it again."""
        if self._is_open(facts):
            return
        if facts.decided is None:
            decision = timed_out(facts.request)
            event = ApprovalDecided(at=self.clock.now(), approval_id=facts.approval_id, decision=decision)
            with contextlib.suppress(AlreadySettled):
                await self.threads.inform(facts.thread_id, [event])
            facts = await self._facts(facts.approval_id)
        raise AlreadySettled(settled_text(self.card(facts)))

    async def _weighed_together(
        self, pending: Sequence[tuple[Facts, Choice]], who: Identity, by: Decider
    ) -> list[Event]:
        events: list[Event] = []
        before: SaidBefore | None = None
        weighing = self._weighing.for_one_say()
        for facts, choice in pending:
            try:
                events += await self._weighed(facts, choice, who, by, weighing)
            except SaidBefore as refusal:
                before = before or refusal
        if before is not None and not events:
            await self._recording.refused(pending[0][0], attempt_of(pending[0][1]), str(before), by)
            raise before
        return events

    async def _weighed(
        self, facts: Facts, choice: Choice, who: Identity, by: Decider, weighing: Weighing
    ) -> list[Event]:
        """The events that this say amounts to. A refused attempt is put on record."""
        try:
            voter = await weighing.entitlement.entitled(facts.request, who)
            await self._check_open(facts)
            return await weighing.weigh(facts, choice, voter, by)
        except SaidBefore:
            raise
        except Refused as refusal:
            await self._recording.refused(facts, attempt_of(choice), str(refusal), by)
            raise
