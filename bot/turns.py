"""Whose thread is next: so many at once in all, for each agent and for each person, and everybody in turn.

Plain bookkeeping without waiting or I/O: an engine offers what is to be looked at, takes what may start, and says when
it ended. Rules:

- A thread is worked on once at a time; what is offered while it runs is looked at again when it has ended.
- Among those who wait the turn goes round by person and agent, so that somebody with a thousand threads keeps a
  newcomer waiting for one of them and not for all.
- A seat may be kept for a thread that is about to be taken in, where it could be started whoever it belongs to.
- Who a thread belongs to matters only when there is more to do than anybody may have at once. Until then nobody needs
  to know, and whoever asks the store for it (`unknown`, `learn`) need not.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Whose:
    """Which agent works on a thread, and who began it."""

    agent: str
    person: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many threads may be worked on at once in this process."""

    total: int
    person: int
    agents: Mapping[str, int] = field(default_factory=dict)
    """By name; an agent that is not named has no bound of its own."""

    @property
    def lowest(self) -> int:
        """So many may run, whoever they belong to, without any bound being passed."""
        return min(self.total, self.person, *self.agents.values())


class Turns:
    """Those that wait, and those that run."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._waiting: dict[str, Whose | None] = {}
        self._lanes: dict[Whose, dict[str, None]] = {}
        self._running: dict[str, Whose | None] = {}
        self._again: set[str] = set()
        self.reserved = 0
        """Seats kept for threads that are not known yet."""

    @property
    def running(self) -> Collection[str]:
        """The threads that are worked on."""
        return self._running.keys()

    @property
    def waiting(self) -> Collection[str]:
        """The threads that wait."""
        return self._waiting.keys()

    @property
    def is_full(self) -> bool:
        """Whether there is room for nobody's thread."""
        return len(self._running) + self.reserved >= self.bounds.total

    def reserve(self) -> bool:
        """Keep a seat for a thread that may have to be started, if it may be, whoever it belongs to."""
        has_room = len(self._running) + len(self._waiting) + self.reserved < self.bounds.lowest
        self.reserved += has_room
        return has_room

    def seat(self, thread_id: str) -> None:
        """The thread takes a seat that was kept, and runs. It does not run already."""
        self.reserved -= 1
        self._waiting.setdefault(thread_id)
        self._start(thread_id)

    def offer(self, thread_id: str) -> None:
        """The thread is to be looked at, when its turn comes."""
        if thread_id in self._running:
            self._again.add(thread_id)
        else:
            self._waiting.setdefault(thread_id)

    def unknown(self) -> list[str]:
        """Of which threads it must be known whose they are before another may start; empty while it does not matter."""
        if not self._waiting or self.is_full or self._all_may_start:
            return []
        return [each for group in (self._running, self._waiting) for each, whose in group.items() if whose is None]

    def learn(self, whose: Mapping[str, Whose]) -> None:
        """Whose these threads are."""
        for thread_id, found in whose.items():
            if thread_id in self._running:
                self._running[thread_id] = found
            elif thread_id in self._waiting and self._waiting[thread_id] is None:
                self._waiting[thread_id] = found
                self._lanes.setdefault(found, {})[thread_id] = None

    def take(self) -> str | None:
        """The thread that may start now, which then runs; None when none may."""
        if not self._waiting or self.is_full:
            return None
        if self._all_may_start:
            return self._start(next(iter(self._waiting)))
        for whose, lane in self._lanes.items():
            if self._has_room(whose):
                self._lanes[whose] = self._lanes.pop(whose)  # to the end of the row
                return self._start(next(iter(lane)))
        return None

    def done(self, thread_id: str) -> None:
        """Nobody works on it any more."""
        self._running.pop(thread_id, None)
        if thread_id in self._again:
            self._again.discard(thread_id)
            self.offer(thread_id)

    @property
    def _all_may_start(self) -> bool:
        """Without any bound being passed, whoever they belong to."""
        return len(self._running) + len(self._waiting) + self.reserved <= self.bounds.lowest

    def _start(self, thread_id: str) -> str:
        whose = self._running[thread_id] = self._waiting.pop(thread_id)
        if whose is not None and (lane := self._lanes.get(whose)) is not None:
            lane.pop(thread_id, None)
            if not lane:
                del self._lanes[whose]
        return thread_id

    def _has_room(self, whose: Whose) -> bool:
        running = [each for each in self._running.values() if each is not None]
        by_person = sum(each.person == whose.person for each in running)
        by_agent = sum(each.agent == whose.agent for each in running)
        most = self.bounds.agents.get(whose.agent, self.bounds.total)
        return by_person + self.reserved < self.bounds.person and by_agent + self.reserved < most  # they may be theirs
