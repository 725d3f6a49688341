"""What grants promise, held against the logs of a whole world: given by somebody entitled, used for what they say, and
never more often."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agent.effects import RequestApproval
from agent.entries import Entry
from agent.events import GrantGiven, GrantRevoked, GrantUsed
from tests.simulation.deployment import RULES

Need = Callable[[object, str], None]
"""To be told what must hold, and what is wrong when it does not."""


@dataclass
class GrantPromises:
    """All grants of a world."""

    need: Need
    given: dict[str, GrantGiven] = field(default_factory=dict)
    revoked: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Where it was taken back: thread and place."""
    uses: Counter[str] = field(default_factory=Counter)

    def read(self, logs: Iterable[tuple[str, Iterable[Entry]]]) -> None:
        """All that was given, in any thread: it may be used in any."""
        for thread_id, entries in logs:
            for entry in entries:
                if isinstance(entry.event, GrantGiven):
                    self.given[entry.event.grant.id] = entry.event
                elif isinstance(entry.event, GrantRevoked):
                    once = entry.event.grant_id not in self.revoked
                    self.need(once, f"{entry.event.grant_id} was taken back twice")
                    self.revoked[entry.event.grant_id] = (thread_id, entry.seq)

    def used(self, place: tuple[str, int], event: GrantUsed, effect: object) -> None:
        """One use, and what was called for when it was written."""
        where = " ".join(map(str, place))
        given = self.given.get(event.grant_id)
        if given is None:
            self.need(False, f"{where}: uses a grant that nobody gave")
            return
        self.uses[event.grant_id] += 1
        grant, call = given.grant, effect.call if isinstance(effect, RequestApproval) else None
        self.need(call and call.id == event.call_id, f"{where}: uses a grant, but {effect} was called for")
        self.need(given.by.person == "dana" == event.given_by, f"{where}: under a grant of {given.by}")
        self.need(event.at < grant.until, f"{where}: under a grant that had ended")
        if grant.arguments is not None:
            same = event.digest == RULES.tools["refund"].digest(grant.arguments)
            self.need(same, f"{where}: other arguments than were granted")
        elif call:
            self.need(float(str(call.arguments["amount"])) < 3, f"{where}: the condition does not hold")
        revoked_in, seq = self.revoked.get(event.grant_id, ("", 0))
        self.need(revoked_in != place[0] or place[1] < seq, f"{where}: under a grant that was taken back")

    def check(self, rows: dict[str, int]) -> None:
        """The numbers of uses, by the logs and by the rows."""
        for grant_id, given in self.given.items():
            used, most = self.uses[grant_id], given.grant.uses
            self.need(most is None or used <= most, f"{grant_id} was used {used} times, and may be {most}")
            self.need(rows.get(grant_id) == used, f"by its row {grant_id} was used {rows.get(grant_id)}, not {used}")
