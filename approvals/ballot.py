"""One person's say on one approval, and the events that it amounts to. Pure: all that had to be looked up is in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agent.approval import ApprovalRecord
from agent.conversation import JsonObject
from agent.errors import Refused
from agent.events import ApprovalAmended, ApprovalDecided, ApprovalVoted, Event
from agent.verdict import Answered, Approved, Decider, Decision, Rejected
from approvals.decision import Answer, Reject, plain
from approvals.quorum import Voter, not_your_turn, tally


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
    """The others whose approval of what stands now still counts at this moment, in their order."""

    def approve(self) -> list[Event]:
        """Yes to what stands now. Raises Refused when a yes of theirs does not count."""
        request = self.record.request
        if request.approvers.takes_one or self.voter is None:
            return [self._decided(self._approved(), self.record.version)]
        before = tally(request.approvers, self.said_yes)
        after = tally(request.approvers, [*self.said_yes, self.voter])
        if self._has_said("approve"):
            raise Refused("Your approval counts already.")
        if sum(after.filled) == sum(before.filled):
            raise Refused(not_your_turn(request.approvers, before, self.voter))
        voted: list[Event] = [self._voted("approve")]
        return [*voted, self._decided(self._approved(), self.record.version + 1)] if after.is_complete else voted

    def say(self, choice: Reject | Answer) -> list[Event]:
        """No, or words. Raises Refused when that is no answer to the request."""
        decision = plain(self.record.request, choice)
        enough = self.record.request.approvers.rejections
        if not isinstance(decision, Rejected) or enough <= 1:
            return [self._decided(decision, self.record.version)]
        if self._has_said("reject"):
            raise Refused("Your rejection counts already.")
        noes = {vote.by.person for vote in self.record.votes if vote.vote == "reject"} | {self.by.person}
        voted: list[Event] = [self._voted("reject", decision.reason)]
        return [*voted, self._decided(decision, self.record.version + 1)] if len(noes) >= enough else voted

    def approve_changed(self, digest: str, arguments: JsonObject) -> list[Event]:
        """Yes to other arguments, where the policy lets them decide on these alone."""
        return [self._decided(Approved(digest=digest, arguments=arguments), self.record.version)]

    def amend(self, amended: ApprovalAmended, *, may_vote: bool) -> list[Event]:
        """Other arguments, which it takes others to approve. Their own yes is the first, if they have a say in it."""
        now = self.record.request.model_copy(
            update={"arguments": amended.arguments, "digest": amended.digest, "approvers": amended.approvers}
        )
        record = replace(self.record, request=now, version=amended.version + 1, votes=())
        first = replace(self, record=record, said_yes=()).approve() if may_vote and self._is_their_turn(amended) else []
        return [amended, *first]

    def _is_their_turn(self, amended: ApprovalAmended) -> bool:
        return self.voter is not None and any(tally(amended.approvers, [self.voter]).filled)

    def _has_said(self, vote: Literal["approve", "reject"]) -> bool:
        return any(each.by.person == self.by.person and each.vote == vote for each in self.record.votes)

    def _approved(self) -> Approved:
        request = self.record.request
        is_changed = request.arguments != self.record.asked.arguments
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
