"""A held thread as the loop sees it: what is written, what is about to be, and the state of both.

Facts (what has happened) are noted and written with the next thing that must be durable, so that a settled step costs
one transaction. Intents (what is about to happen) are written before it does, and only onto the log that they were
decided on: if anything came in meanwhile they are dropped, and the loop decides anew.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from agent.entries import Entry
from agent.errors import Conflict
from agent.events import Event
from agent.ports import Claim, Presence
from agent.state import ThreadState
from agent.thread import fold


class Journal:
    """Keeps `state` true to the log plus what is pending."""

    def __init__(self, claim: Claim, state: ThreadState) -> None:
        self.claim = claim
        self.state = self._written = state
        self.found_seq = state.seq
        """Length of the log when the thread was claimed."""
        self.presence: Presence = "idle"
        """What the conversation was last shown of us."""
        self._pending: list[tuple[Event, Callable[[], None] | None]] = []
        """Not written yet, in order; an intent has something to be called once it is."""

    def note(self, *events: Event) -> None:
        """Facts, written at the latest when the thread is let go. Lost in a crash: only what may be done again."""
        self._pending += [(event, None) for event in events]
        self.state = fold(self.state, self._placed(self.state.seq, events))

    def propose(self, intent: Event, then: Callable[[], None]) -> None:
        """An intent after which nothing is to be done: it is written with what comes next, then `then` is called."""
        self._pending.append((intent, then))
        self.state = fold(self.state, self._placed(self.state.seq, [intent]))

    @property
    def has_proposals(self) -> bool:
        """Whether an intent is not written yet."""
        return any(then is not None for _, then in self._pending)

    async def write(self, *intents: Event) -> bool:
        """Write all that is pending, then the intents. False, with no intent written, when others were first."""
        as_decided = True
        while self._pending or intents:
            try:
                await self.claim.append([*self._events(), *intents], self._written.seq)
            except Conflict:
                as_decided, intents = as_decided and not (intents or self.has_proposals), ()
                await self.catch_up()
                continue
            self.state = fold(self.state, self._placed(self.state.seq, intents))
            self._is_written()
            break
        return as_decided

    async def let_go(self, wake_at: datetime | None) -> bool:
        """Write what is pending and release the thread. False when something came in: the thread is still held."""
        try:
            await self.claim.release(self._events(), self._written.seq, wake_at)
        except Conflict:
            await self.catch_up()
            return False
        self._is_written()
        return True

    async def catch_up(self) -> None:
        """Take in what others appended: facts move behind it, and what was proposed is void."""
        news = await self.claim.load(self._written.seq)
        if news:
            self._pending = [(event, then) for event, then in self._pending if then is None]
        self._written = fold(self._written, news)
        self.state = fold(self._written, self._placed(self._written.seq, self._events()))

    def _events(self) -> list[Event]:
        return [event for event, _ in self._pending]

    def _is_written(self) -> None:
        written, self._pending, self._written = self._pending, [], self.state
        for _, then in written:
            if then is not None:
                then()

    @staticmethod
    def _placed(after: int, events: Sequence[Event]) -> list[Entry]:
        return [Entry(after + place, event) for place, event in enumerate(events, start=1)]
