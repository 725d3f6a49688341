"""What is put on record, and logged, of what people try and do."""

from collections.abc import Collection
from dataclasses import dataclass

import structlog

from agent.events import ApprovalDecided, DecisionRefused, Event, GrantGiven
from agent.ports import Clock
from agent.verdict import Decider
from approvals.attempt import Attempt
from approvals.ports import Facts, Log

log = structlog.get_logger()

MAX_REFUSALS = 50
"""Refused attempts on one approval that go on record; more are only logged, so that nobody can fill the log."""


@dataclass(frozen=True)
class Recording:
    """Appends refusals, and logs."""

    threads: Log
    clock: Clock

    async def refused(self, facts: Facts, attempt: Attempt, reason: str, by: Decider) -> None:
        """Somebody tried what does not count."""
        known = {"approval_id": facts.approval_id, "by": by.person or by.identity.key, "via": by.via}
        log.info("approval.refused", **known, attempt=attempt, reason=reason)
        if facts.record.refused < MAX_REFUSALS:
            now, approval_id = self.clock.now(), facts.approval_id
            event = DecisionRefused(at=now, approval_id=approval_id, attempt=attempt, reason=reason, by=by)
            await self.threads.inform(facts.thread_id, [event])

    def told(self, thread_id: str, events: Collection[Event], by: Decider) -> None:
        """What was appended."""
        for event in events:
            named = {"approval_id": getattr(event, "approval_id", ""), "thread_id": thread_id}
            told = {**named, "by": by.person or by.identity.key, "via": by.via}
            if isinstance(event, ApprovalDecided):
                digest = getattr(event.decision, "digest", "")
                log.info("approval.decided", **told, outcome=event.decision.outcome, digest=digest)
            elif isinstance(event, GrantGiven):
                log.info("grant.given", **told, grant_id=event.grant.id, tool=event.grant.tool)
            else:
                log.info(event.kind.replace("_", ".", 1), **told, version=getattr(event, "version", 0))
