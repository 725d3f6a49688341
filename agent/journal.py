"""A held thread as the loop sees it: what is written, what is about to be, and the state of both.

Facts (what has happened) are noted and written with the next thing that must be durable, so that a settled step costs
one transaction. Intents (what is about to happen) are written before it does, and only onto the log that they were
decided on: if anything came in meanwhile they are dropped, and the loop decides anew.
"""

from collections.abc import Sequence
from datetime import datetime

from agent.errors import Conflict
from agent.events import Event
from agent.ports import Claim, Presence
from agent.thread import Entry, ThreadState, fold


class Journal:
    """Keeps `state` true to the log plus the noted facts."""

    def __init__(self, claim: Claim, state: ThreadState) -> None:
        self.claim = claim
        self.state = self._written = state
        self.found_seq = state.seq
        """Length of the log when the thread was claimed."""
        self.presence: Presence = "idle"
        """What the conversation was last shown of us."""
        self._noted: list[Event] = []

    def note(self, *events: Event) -> None:
        """Facts, written at the latest when the thread is let go. Lost in a crash: only what may be done again."""
        self._noted += events
        self.state = fold(self.state, self._placed(self.state.seq, events))

    async def write(self, *intents: Event) -> bool:
        """Write all that is noted, then the intents. False, with no intent written, when others were first."""
        as_decided = True
        while self._noted or intents:
            try:
                await self.claim.append([*self._noted, *intents], self._written.seq)
            except Conflict:
                as_decided, intents = as_decided and not intents, ()
                await self.catch_up()
                continue
            self._written = self.state = fold(self.state, self._placed(self.state.seq, intents))
            self._noted = []
            break
        return as_decided

    async def let_go(self, wake_at: datetime | None) -> bool:
        """Write what is noted and release the thread. False when something came in: the thread is still held."""
        try:
            await self.claim.release(self._noted, self._written.seq, wake_at)
        except Conflict:
            await self.catch_up()
            return False
        self._written, self._noted = self.state, []
        return True

    async def catch_up(self) -> None:
        """Take in what others appended; the noted facts move behind it."""
        news = await self.claim.load(self._written.seq)
        self._written = fold(self._written, news)
        self.state = fold(self._written, self._placed(self._written.seq, self._noted))

    @staticmethod
    def _placed(after: int, events: Sequence[Event]) -> list[Entry]:
        return [Entry(after + place, event) for place, event in enumerate(events, start=1)]
