"""What votes and plans promise, held against a log: as many different people as the policy wants, for exactly what
runs; and nothing of a plan goes on before all of it is decided."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.events import ApprovalAmended, ApprovalDecided, ApprovalRequested, ApprovalVoted, Event, ToolStarted
from agent.verdict import Approved
from tests.simulation.deployment import GREAT, LEADS

Need = Callable[[object, str], None]
"""To be told what must hold, and what is wrong when it does not."""


@dataclass
class Matter:
    """What the log says of one approval."""

    asked: ApprovalRequested
    amount: object
    digest: str
    yes: set[str] = field(default_factory=set)
    is_decided: bool = False


@dataclass
class VotePromises:
    """All approvals of one thread."""

    need: Need
    matters: dict[str, Matter] = field(default_factory=dict)

    def look(self, event: Event) -> None:
        """The next event of the log."""
        match event:
            case ApprovalRequested():
                self.matters[event.approval_id] = Matter(event, event.arguments.get("amount"), event.digest)
            case ApprovalAmended():
                self._amended(event)
            case ApprovalVoted():
                self._voted(event)
            case ApprovalDecided():
                self._decided(event)
            case ToolStarted(call_id=call_id):
                self._starts(call_id)
            case _:
                pass

    def _amended(self, event: ApprovalAmended) -> None:
        """What was said is void."""
        matter = self.matters[event.approval_id]
        matter.amount, matter.digest, matter.yes = event.arguments["amount"], event.digest, set()

    def _voted(self, event: ApprovalVoted) -> None:
        """One of several."""
        matter = self.matters[event.approval_id]
        self.need(event.by.person in LEADS, f"{event.approval_id}: a vote of {event.by}")
        self.need(not matter.is_decided, f"{event.approval_id}: a vote after the end")
        self.need(event.digest == matter.digest, f"{event.approval_id}: a vote on something else")
        matter.yes.add(event.by.person)

    def _decided(self, event: ApprovalDecided) -> None:
        """The end."""
        matter = self.matters[event.approval_id]
        matter.is_decided = True
        if not isinstance(event.decision, Approved):
            return
        arguments = event.decision.arguments
        amount = matter.amount if arguments is None else arguments["amount"]
        wanted = 2 if isinstance(amount, float) and amount >= GREAT else 1
        who = matter.yes | ({event.by.person} if event.by else set())
        self.need(len(who) >= wanted and who <= LEADS, f"{event.approval_id}: approved by {who} for {amount}")

    def _starts(self, call_id: str) -> None:
        """A call that somebody was asked about; without effect for any other."""
        mine = [each for each in self.matters.values() if each.asked.call_id == call_id]
        if mine:
            plan = mine[-1].asked.plan or mine[-1].asked.approval_id
            rest = [each for each in self.matters.values() if plan in {each.asked.plan, each.asked.approval_id}]
            self.need(all(each.is_decided for each in rest), f"{call_id} starts before all of its plan is decided")
