"""One person's say on one approval, and the events that it amounts to. Pure: all that had to be looked up is in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agent.approval import ApprovalRecord
from agent.conversation import JsonObject
from agent.errors import Refused, SaidBefore
from agent.events import ApprovalAmended, ApprovalDecided, ApprovalVoted, Event
from agent.thread import RUN_AGAIN
from agent.verdict import Answered, Approved, Decider, Decision, Rejected
from approvals.decision import Answer, Reject, plain
from approvals.quorum import ONE_PLACE, Voter, noes, not_your_turn, tally


@dataclass(frozen=True, slots=True)
class Ballot:
    """Who says something about what, when, and who did before them."""

    approval_id: str
    record: ApprovalRecord
    voter: Voter | None
    """None only for a question to whoever is in the thread."""
    by: Decider
    at: datetime
    said_yes: Sequence[Voter] = ()
    """Whose approval of what stands now counts at this moment, in their order; their own among them."""
    said_no: Sequence[Voter] = ()
    """Whose rejection does."""

    def approve(self) -> list[Event]:
        """Yes to what stands now. Raises Refused when a yes of theirs does not count."""
        return self._yes(self._approved())

    def _yes(self, decision: Approved | Answered) -> list[Event]:
        """A vote, and the decision if it is the last that it takes. That may be the case without a new one: somebody
        whose vote did not count for a while has come back."""
        approvers = self.record.request.approvers
        if approvers.takes_one or self.voter is None:
            return [self._decided(decision, self.record.version)]
        before, after = tally(approvers, self.said_yes), tally(approvers, self._with(self.said_yes))
        has_said = self._has_said("approve")
        if not before.is_complete and after.total <= before.total:
            if has_said:
                raise SaidBefore("Your approval counts already.")
            raise Refused(not_your_turn(approvers, before, self.voter))
        voted: list[Event] = [] if before.is_complete and has_said else [self._voted("approve")]
        if not (before.is_complete or after.is_complete):
            return voted
        return [*voted, self._decided(decision, self.record.version + len(voted))]

    def say(self, choice: Reject | Answer) -> list[Event]:
        """No, or words. Raises Refused when that is no answer to the request."""
        request = self.record.request
        decision = plain(request, choice)
        if isinstance(decision, Rejected):
            return self._no(decision)
        if request.about == "call" and request.approvers.rejections > 1:
            raise Refused("It takes more than one person to keep this from running: reject it, or approve it.")
        if request.about == "in_doubt" and decision.text == RUN_AGAIN:
            return self._yes(decision)  # a call that is run again takes whom it took to run
        return [self._decided(decision, self.record.version)]

    def _no(self, decision: Rejected) -> list[Event]:
        approvers = self.record.request.approvers
        if approvers.rejections <= 1 or self.voter is None:
            return [self._decided(decision, self.record.version)]
        before, after = noes(approvers, self.said_no), noes(approvers, self._with(self.said_no))
        has_said = self._has_said("reject")
        if before < approvers.rejections and after <= before:
            raise SaidBefore("Your rejection counts already.") if has_said else Refused(ONE_PLACE)
        voted: list[Event] = [] if has_said and after <= before else [self._voted("reject", decision.reason)]
        if max(before, after) < approvers.rejections:
            return voted
        return [*voted, self._decided(decision, self.record.version + len(voted))]

    def _with(self, voters: Sequence[Voter]) -> list[Voter]:
        """These and whoever speaks now, the last among them."""
        return [*(each for each in voters if each != self.voter), *([self.voter] if self.voter else [])]

    def approve_changed(self, digest: str, arguments: JsonObject) -> list[Event]:
        """Yes to other arguments, where the policy lets them decide on these alone."""
        return [self._decided(Approved(digest=digest, arguments=arguments), self.record.version)]

    def amend(self, amended: ApprovalAmended, *, may_vote: bool) -> list[Event]:
        """Other arguments, which it takes others to approve. Their own yes is the first, if they have a say in it."""
        now = self.record.request.model_copy(
            update={"arguments": amended.arguments, "digest": amended.digest, "approvers": amended.approvers}
        )
        record = replace(self.record, request=now, version=amended.version + 1, votes=())
        anew = replace(self, record=record, said_yes=(), said_no=())
        first = anew.approve() if may_vote and self._is_their_turn(amended) else []
        return [amended, *first]

    def _is_their_turn(self, amended: ApprovalAmended) -> bool:
        return self.voter is not None and any(tally(amended.approvers, [self.voter]).filled)

    def _has_said(self, vote: Literal["approve", "reject"]) -> bool:
        return any(each.by.person == self.by.person and each.vote == vote for each in self.record.votes)

    def _approved(self) -> Approved:
        request = self.record.request
        is_changed = request.digest != self.record.asked.digest
        return Approved(digest=request.digest, arguments=request.arguments if is_changed else None)

    def _voted(self, vote: Literal["approve", "reject"], reason: str = "") -> ApprovalVoted:
        return ApprovalVoted(
            at=self.at,
            approval_id=self.approval_id,
            version=self.record.version,
            vote=vote,
            digest=self.record.request.digest,
            reason=reason,
            by=self.by,
        )

    def _decided(self, decision: Decision, version: int) -> ApprovalDecided:
        assert isinstance(decision, Approved | Rejected | Answered)  # noqa: S101 - nothing else is a person's to say
        return ApprovalDecided(at=self.at, approval_id=self.approval_id, version=version, decision=decision, by=self.by)
