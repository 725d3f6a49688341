"""The gate: opens approvals, and settles each exactly once, whatever surface the decision comes from.

Rules:
- What is decided is what was shown: a decision names the digest, and arguments changed by the approver are checked by
  the tool and judged by the policy again before they count.
- Who decides is looked up at that moment. Unknown, unset or unreachable means no; refused attempts are on record.
- The first decision wins; the store refuses a second, and the loser is told who was first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from agent import calling
from agent.conversation import ApiThread, Identity, JsonObject, MailThread, SlackThread
from agent.effects import Ask, Deny, RequestApproval
from agent.errors import AlreadySettled, Refused
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    ToolCall,
    ToolFailed,
    ToolReturned,
)
from agent.ports import Clock, Ids
from agent.thread import Entry, ThreadState, fold
from agent.tool import Tool
from agent.verdict import Approved, Decider, Decision, Surface
from approvals import card
from approvals.audience import audience
from approvals.card import Card
from approvals.decision import Approve, Choice, plain
from approvals.people import Directory, Person
from approvals.policy import Policy, objection
from approvals.standing import NO_PLACE, Standing, roster

log = structlog.get_logger()

CLOSEST = timedelta(minutes=1)
"""How close one reminder may follow on another."""

Conversation = SlackThread | MailThread | ApiThread


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval for a surface that lets people decide."""

    card: Card
    arguments: JsonObject
    parameters: JsonObject
    """JSON schema of the arguments; empty when it is not about a call."""


class Facts(Protocol):
    """What the log says of one approval."""

    @property
    def thread_id(self) -> str:
        """Where it was asked."""
        ...

    @property
    def request(self) -> ApprovalRequested:
        """What was asked."""
        ...

    @property
    def decided(self) -> ApprovalDecided | None:
        """What was decided."""
        ...

    @property
    def outcome(self) -> ToolReturned | ToolFailed | None:
        """What came of it."""
        ...


class Index(Protocol):
    """Finds approvals."""

    async def facts(self, approval_id: str) -> Facts | None:
        """What the log says of it."""
        ...


class Log(Protocol):
    """The threads, as far as the gate needs them."""

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """The log of a thread."""
        ...

    async def inform(self, thread_id: str, events: Sequence[Event]) -> None:
        """Append these and wake the thread. Raises AlreadySettled."""
        ...

    async def conversation(self, thread_id: str) -> Conversation | None:
        """Where a thread lives."""
        ...


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
    """How often people are reminded before it expires."""
    standing: Standing = NO_PLACE
    """Looks people up where they come from."""

    # --- opening ----------------------------------------------------------------------------------------------------

    async def request(self, effect: RequestApproval, state: ThreadState) -> ApprovalRequested:
        """The event that opens an approval. Cards are shown once it is appended."""
        now = self.clock.now()
        call = effect.call
        tool = self.tools.get(call.name) if call else None
        arguments = _declared_order(call, tool) if call and effect.about != "question" else {}
        expires_at = now + timedelta(seconds=effect.ask.timeout or self.timeout)
        present = await roster(self.directory, effect.ask.approvers.roles, self.standing, now)
        shown_on = audience(effect.ask, state, present, self.channels)
        if not shown_on:
            log.warning("approval.unseen", about=effect.about, rule=effect.ask.rule, hint="only REST and CLI show it")
        return ApprovalRequested(
            at=now,
            approval_id=self.ids.new("apr"),
            about=effect.about,
            call_id=call.id if call else "",
            tool=call.name if call else "",
            arguments=arguments,
            digest=tool.digest(call.arguments) if call and tool else "",
            title=_title(effect, arguments),
            why=effect.ask.why,
            rule=effect.ask.rule,
            preview=await calling.preview(tool, call) if call and tool and effect.about == "call" else "",
            choices=effect.choices,
            requester=state.requester,
            approvers=effect.ask.approvers,
            expires_at=expires_at,
            remind_at=_reminders(now, expires_at, self.reminders),
            shown_on=shown_on,
        )

    # --- looking ----------------------------------------------------------------------------------------------------

    async def view(self, approval_id: str) -> ApprovalView | None:
        """The approval as it stands; None when there is no such."""
        facts = await self.index.facts(approval_id)
        if facts is None:
            return None
        tool = self.tools.get(facts.request.tool)
        parameters = tool.parameters if tool and facts.request.about == "call" else {}
        return ApprovalView(self.card(facts), facts.request.arguments, parameters)

    def card(self, facts: Facts) -> Card:
        """What any surface shows of it."""
        by = facts.decided.by if facts.decided else None
        decider = self.directory.person(by.person) if by else None
        requester = self.directory.find(facts.request.requester) if facts.request.requester else None
        return card.build(
            facts.thread_id,
            facts.request,
            facts.decided,
            facts.outcome,
            decided_by=decider.name if decider else "",
            requester=requester.name if requester else "",
        )

    # --- deciding ---------------------------------------------------------------------------------------------------

    async def decide(self, approval_id: str, choice: Choice, who: Identity, via: Surface) -> Card:
        """Settle it. The card as it is then.

        Raises Refused (with words for whoever tried), AlreadySettled (who was first), and BadArguments when the tool
        does not take the changed arguments.
        """
        facts = await self.index.facts(approval_id)
        if facts is None:
            raise Refused("There is no such approval.")
        person = self.directory.find(who)
        try:
            await self._check_entitled(facts.request, who)
            if facts.decided is not None or facts.request.expires_at <= self.clock.now():
                raise AlreadySettled(self._settled_text(facts))
            decision = await self._decision(facts, choice, who)
        except Refused as refusal:
            log.info("approval.refused", approval_id=approval_id, by=who.key, via=via, reason=str(refusal))
            raise
        named = who if not person or who.name else who.model_copy(update={"name": person.name})
        by = Decider(person=person.id if person else "", identity=named, via=via)
        event = ApprovalDecided(at=self.clock.now(), approval_id=approval_id, decision=decision, by=by)
        try:
            await self.threads.inform(facts.thread_id, [event])
        except AlreadySettled:
            raise AlreadySettled(self._settled_text(await self.index.facts(approval_id))) from None
        log.info(
            "approval.decided",
            approval_id=approval_id,
            thread_id=facts.thread_id,
            outcome=decision.outcome,
            by=by.person or who.key,
            via=via,
            digest=facts.request.digest,
        )
        asked_by = self.card(facts).requester
        return card.build(facts.thread_id, facts.request, event, decided_by=by.identity.name, requester=asked_by)

    async def objection(self, request: ApprovalRequested, person: Person | None) -> str:
        """Why this person may not decide it now, in words for them; empty when they may."""
        present = await roster(self.directory, request.approvers.roles, self.standing, self.clock.now())
        requester = self.directory.find(request.requester) if request.requester else None
        return objection(request.approvers, person, present, requester)

    async def _check_entitled(self, request: ApprovalRequested, who: Identity) -> None:
        """Whether people.yaml lists them comes first: Slack is not asked about those it does not."""
        reason = await self.objection(request, self.directory.find(who)) or await self.standing.check(who)
        if reason:
            raise Refused(reason)

    async def _decision(self, facts: Facts, choice: Choice, who: Identity) -> Decision:
        if not isinstance(choice, Approve):
            return plain(facts.request, choice)
        if facts.request.about != "call":
            raise Refused("That is not an answer to this request.")
        return await self._approved(facts, choice, who)

    async def _approved(self, facts: Facts, choice: Approve, who: Identity) -> Approved:
        request = facts.request
        tool = self.tools.get(request.tool)
        if tool is None:
            raise Refused(f"The tool {request.tool} does not exist any more.")
        if choice.digest != request.digest or tool.digest(request.arguments) != request.digest:
            raise Refused("What would run is no longer what was shown. Reject it; the agent will ask anew.")
        if choice.arguments is None or choice.arguments == request.arguments:
            return Approved(digest=request.digest)
        tool.check(choice.arguments)
        await self._judge_again(facts, tool, choice.arguments, who)
        return Approved(digest=tool.digest(choice.arguments), arguments=choice.arguments)

    async def _judge_again(self, facts: Facts, tool: Tool, arguments: JsonObject, who: Identity) -> None:
        """A changed call is another call: the policy may forbid it, or want somebody else."""
        place = await self.threads.conversation(facts.thread_id)
        assert place is not None  # noqa: S101 - an approval's thread exists
        state = fold(ThreadState(facts.thread_id, place), await self.threads.entries(facts.thread_id))
        call = ToolCall(id=facts.request.call_id, provider_id="", name=tool.name, arguments=arguments)
        verdict = self.policy.judge(call, tool, state)
        if isinstance(verdict, Deny):
            raise Refused(f"The policy does not allow it with these arguments: {verdict.why}")
        if isinstance(verdict, Ask):
            changed = facts.request.model_copy(update={"approvers": verdict.approvers})
            if reason := await self.objection(changed, self.directory.find(who)):
                raise Refused(reason)

    def _settled_text(self, facts: Facts | None) -> str:
        if facts is None or facts.decided is None:
            return "This has expired; nobody decided in time."
        shown = self.card(facts)
        if not shown.decided_by:
            return f"This was {shown.status}."
        return f"{shown.decided_by} was first: this was {shown.status} already."


def _title(effect: RequestApproval, arguments: JsonObject) -> str:
    if effect.question or effect.call is None:
        return effect.question
    title = card.title_of(effect.call.name, arguments)
    return f"{title.replace(': ', ' ', 1)}: did it happen?" if effect.about == "in_doubt" else title


def _reminders(asked_at: datetime, expires_at: datetime, count: int) -> tuple[datetime, ...]:
    """Evenly over the time that people have, at least a minute apart."""
    time = expires_at - asked_at
    count = max(0, min(count, time // CLOSEST - 1))
    return tuple(asked_at + time * number / (count + 1) for number in range(1, count + 1))


def _declared_order(call: ToolCall, tool: Tool | None) -> JsonObject:
    """The arguments in the order that the tool declares them, for reading."""
    names = tool.arguments_model.model_fields if tool else {}
    known = {name: call.arguments[name] for name in names if name in call.arguments}
    return {**known, **call.arguments}
