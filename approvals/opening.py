"""What people are asked: the event that opens an approval, that has more people asked, or that asks about a change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

import structlog

from agent import calling
from agent.approval import ApprovalRecord
from agent.conversation import Destination, Hook, JsonObject
from agent.effects import Ask, RequestApproval, Step
from agent.events import ApprovalAmended, ApprovalEscalated, ApprovalRequested, ToolCall
from agent.ports import Clock, Ids
from agent.state import OpenApproval, ThreadState
from agent.tool import Tool
from agent.verdict import Approvers, Decider, Escalation, Seats
from approvals import card
from approvals.audience import audience
from approvals.gathering import joined, plans
from approvals.hours import BusinessHours, after
from approvals.people import Directory
from approvals.standing import NO_PLACE, Standing, roster

log = structlog.get_logger()

CLOSEST = timedelta(minutes=1)
"""How close one reminder may follow on another."""


@dataclass(frozen=True)
class Opening:
    """Makes the events; appends nothing."""

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

    hours: BusinessHours | None = None
    """By which the times count where the policy says so."""

    async def request(self, effect: RequestApproval, state: ThreadState) -> ApprovalRequested:
        """The event that opens an approval, on a card of its own or on that of a plan, which is shown once it is
        appended."""
        asked = await self._asked(effect, state)
        for first in plans(state) if effect.about == "call" else ():
            as_then = asked.model_copy(update=self._times(first.at, effect.ask))
            if (part := joined(as_then, first)) is not None:
                return part
        return asked

    async def _asked(self, effect: RequestApproval, state: ThreadState) -> ApprovalRequested:
        now, ask, call = self.clock.now(), effect.ask, effect.call
        tool = self.tools.get(call.name) if call else None
        arguments = declared_order(call.arguments, tool) if call and effect.about != "question" else {}
        shown_on = await self._audience(ask, state)
        if all(isinstance(each, Hook) for each in shown_on):
            log.warning("approval.unseen", about=effect.about, rule=ask.rule, hint="only REST and CLI show it")
        return ApprovalRequested(
            at=now,
            approval_id=self.ids.new("apr"),
            about=effect.about,
            call_id=call.id if call else "",
            tool=call.name if call else "",
            arguments=arguments,
            digest=tool.digest(call.arguments) if call and tool else "",
            title=_title(effect, arguments),
            why=ask.why,
            rule=ask.rule,
            preview=await calling.preview(tool, call) if call and tool and effect.about == "call" else "",
            choices=effect.choices,
            requester=state.requester_of(call.id) if call else state.requester,
            asked_by=state.asked_by,
            approvers=ask.approvers,
            shown_on=shown_on,
            **self._times(now, ask),
            on_timeout=ask.on_timeout,
            may_grant=ask.may_grant and effect.about == "call",
        )

    def _times(self, begins: datetime, ask: Ask) -> dict[str, Any]:
        """When what happens if nobody decides."""
        hours, lasts = self._hours(ask), ask.timeout or self.timeout
        expires_at = later(begins, lasts, hours)
        reminders = self.reminders if ask.reminders is None else ask.reminders
        return {
            "expires_at": expires_at,
            "remind_at": _reminders(begins, lasts, reminders, hours),
            "escalations": _escalations(begins, expires_at, ask.escalation, hours),
        }

    def _hours(self, ask: Ask) -> BusinessHours | None:
        return self.hours if ask.in_business_hours else None

    async def escalation(self, asked: OpenApproval, state: ThreadState) -> ApprovalEscalated:
        """The event that has more people asked, as the request says."""
        request, step = asked.request, asked.record.escalated
        approvers = _widened(request.approvers, request.escalations[step])
        ask = Ask(request.rule, request.why, approvers, show_on=("direct", "mail"))
        return ApprovalEscalated(
            at=self.clock.now(),
            approval_id=request.approval_id,
            step=step + 1,
            approvers=approvers,
            shown_on=await self._audience(ask, state),
        )

    async def amendment(
        self, record: ApprovalRecord, call: ToolCall, ask: Ask, state: ThreadState, by: Decider
    ) -> ApprovalAmended:
        """The event by which an approver's change is put to those whose approval it takes.

        The time that people have does not begin anew. Whom the policy names for later is asked at the moment that it
        would have been from the beginning; where that is past, they may decide from now on.
        """
        now, tool, asked = self.clock.now(), self.tools[call.name], record.asked
        arguments = declared_order(call.arguments, tool)
        steps = _escalations(asked.at, asked.expires_at, ask.escalation, self._hours(ask))
        ask = replace(ask, approvers=reduce(_widened, [each for each in steps if each.at <= now], ask.approvers))
        return ApprovalAmended(
            at=now,
            approval_id=asked.approval_id,
            version=record.version,
            arguments=arguments,
            digest=tool.digest(call.arguments),
            title=card.title_of(tool.name, arguments),
            why=ask.why,
            rule=ask.rule,
            preview=await calling.preview(tool, call),
            approvers=ask.approvers,
            shown_on=await self._audience(ask, state),
            escalations=tuple(each for each in steps if each.at > now),
            may_grant=ask.may_grant,
            by=by,
        )

    async def _audience(self, ask: Ask, state: ThreadState) -> tuple[Destination, ...]:
        present = await roster(self.directory, ask.approvers.all_roles, self.standing, self.clock.now())
        return audience(ask, state, present, self.channels)


def later(start: datetime, seconds: float, hours: BusinessHours | None) -> datetime:
    """So many seconds later; of business hours, where there are any."""
    return after(start, seconds, hours) if hours else start + timedelta(seconds=seconds)


def _escalations(
    now: datetime, ends: datetime, steps: Collection[Step], hours: BusinessHours | None
) -> tuple[Escalation, ...]:
    """Those that come before it is over, the earliest first."""
    found = [Escalation(at=later(now, each.after, hours), roles=each.roles, people=each.people) for each in steps]
    return tuple(sorted((each for each in found if each.at < ends), key=lambda each: each.at))


def _widened(approvers: Approvers, more: Escalation) -> Approvers:
    """The same seats, which these may fill, too."""
    seats = tuple(
        Seats(
            roles=tuple(dict.fromkeys((*each.roles, *more.roles))),
            people=tuple(dict.fromkeys((*each.people, *more.people))),
            count=each.count,
        )
        for each in approvers.seats
    )
    if not approvers.each:
        return approvers.model_copy(update={"roles": seats[0].roles, "people": seats[0].people})
    return approvers.model_copy(update={"each": seats})


def _title(effect: RequestApproval, arguments: JsonObject) -> str:
    if effect.question or effect.call is None:
        return effect.question
    title = card.title_of(effect.call.name, arguments)
    return f"{title.replace(': ', ' ', 1)}: did it happen?" if effect.about == "in_doubt" else title


def _reminders(asked_at: datetime, lasts: float, count: int, hours: BusinessHours | None) -> tuple[datetime, ...]:
    """Evenly over the time that people have, at least a minute apart."""
    count = max(0, min(count, int(lasts // CLOSEST.total_seconds()) - 1))
    return tuple(later(asked_at, lasts * number / (count + 1), hours) for number in range(1, count + 1))


def declared_order(arguments: JsonObject, tool: Tool | None) -> JsonObject:
    """The arguments in the order that the tool declares them, for reading."""
    names = tool.arguments_model.model_fields if tool else {}
    known = {name: arguments[name] for name in names if name in arguments}
    return {**known, **arguments}
