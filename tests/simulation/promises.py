"""The promises of design.md, section 7, held against what was written, what was done, and what was said.

Nothing here asks the store or the reducer whether they think that they kept them: the log is read from the beginning,
event by event, and each must be what the state before it called for.
"""

import hashlib
from dataclasses import dataclass, field

from agent.effects import CallModel, Effect, RequestApproval, RunTool, Wait
from agent.entries import Entry
from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    GrantUsed,
    MessageReceived,
    ModelFailed,
    ModelResponded,
    ReplySent,
    ThreadCancelled,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.reducer import decide
from agent.state import ThreadState
from agent.thread import RUN_AGAIN, STOP, evolve, fold
from agent.verdict import Answered, Approved
from store import codec
from tests.simulation.deployment import RULES
from tests.simulation.grant_promises import GrantPromises
from tests.simulation.people import People
from tests.simulation.vote_promises import VotePromises
from tests.simulation.world import World


@dataclass
class Call:
    """What the log says of one call."""

    digests: set[str] = field(default_factory=set)
    """What may run: approved by somebody entitled, and not taken back since."""
    starts: list[tuple[int, str]] = field(default_factory=list)
    results: int = 0
    doubts: int = 0
    run_again: int = 0

    def comes_back(self) -> bool:
        """One result more; whether that is no more than was begun."""
        self.results += 1
        return self.results <= max(len(self.starts), 1)


@dataclass
class Reading:
    """A log while it is read."""

    thread_id: str
    states: list[ThreadState]
    votes: VotePromises
    calls: dict[str, Call] = field(default_factory=dict)
    asked: dict[str, ApprovalRequested] = field(default_factory=dict)
    decided: dict[str, str] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    looked: int = 0
    """Place of the latest answer, or failure, of the model."""

    def call(self, call_id: str) -> Call:
        """What is known of it."""
        return self.calls.setdefault(call_id, Call())

    def cancelled(self) -> None:
        """No approval from before counts any more."""
        for call in self.calls.values():
            call.digests.clear()

    def called_for(self, seq: int) -> Effect:
        """What was to be done before that place."""
        return decide(self.states[seq - 1], RULES)


class Promises:
    """Looks at a world that has come to rest."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.readings: dict[str, Reading] = {}
        self.grants = GrantPromises(self._need)

    def check(self) -> None:
        """All of them; what is broken is told to the world."""
        threads = [str(row["id"]) for row in self.world.shared.threads()]
        self.grants.read((each, self.world.log(each)) for each in threads)
        for row in self.world.shared.threads():
            thread_id = str(row["id"])
            self._chain(thread_id, row["last_seq"], row["head"])
            self._read(thread_id)
            self._rest(thread_id, str(row["status"]))
        self.grants.check(self.world.shared.grants())
        self._effects()
        self._letters()
        self._cards()
        self._decisions()

    def _need(self, holds: object, words: str) -> None:
        if not holds:
            self.world.wrong(words)

    # --- the log ----------------------------------------------------------------------------------------------------

    def _chain(self, thread_id: str, length: int, head: bytes) -> None:
        links, before = self.world.shared.links(thread_id), codec.genesis(thread_id)
        places = [link.seq for link in links]
        self._need(places == list(range(1, length + 1)), f"{thread_id}: places are {places}")
        for link in links:
            digest = hashlib.sha256(link.body.encode()).digest()
            expected = codec.link_hash(before, link.seq, link.kind, link.at, digest)
            self._need((link.digest, link.hash) == (digest, expected), f"{thread_id}: the chain breaks at {link.seq}")
            before = link.hash
        self._need(before == head, f"{thread_id}: the row's head is not the last link")

    def _read(self, thread_id: str) -> None:
        """As it is folded in memory, and as it is read back from what was written: both decide the same, everywhere."""
        written = [codec.entry(link.seq, link.kind, link.at, link.body) for link in self.world.shared.links(thread_id)]
        state = ThreadState(thread_id, self.world.shared.place(thread_id), "support")
        reading = self.readings[thread_id] = Reading(thread_id, [state], VotePromises(self._need))
        for entry, again in zip(self.world.log(thread_id), written, strict=True):
            self._event(reading, entry)
            if isinstance(entry.event, GrantUsed):
                self._granted(reading, entry.seq, entry.event)
            reading.states.append(evolve(reading.states[-1], entry))
            state = evolve(state, again)
            same = decide(state, RULES) == decide(reading.states[-1], RULES)
            self._need(same, f"{thread_id}: read back to {entry.seq}, it decides otherwise")
        self._need(fold(reading.states[0], written) == state, f"{thread_id}: folds differ")

    def _event(self, log: Reading, entry: Entry) -> None:
        where = f"{log.thread_id} {entry.seq}"
        log.votes.look(entry.event)
        match entry.event:
            case ModelResponded() | ModelFailed() as event:
                self._looked(log, entry.seq, event)
            case ToolStarted() as event:
                self._started(log, entry.seq, event)
            case ToolReturned(call_id=call_id) | ToolFailed(call_id=call_id):
                self._need(log.call(call_id).comes_back(), f"{where}: {call_id} comes back twice")
            case ApprovalRequested() as event:
                self._asked(log, entry.seq, event)
            case ApprovalDecided() as event:
                self._decided(log, event)
            case ThreadCancelled():
                log.cancelled()
            case ReplySent() as event:
                self._said(log, where, event.reply_id)
            case _:
                pass

    def _granted(self, log: Reading, seq: int, event: GrantUsed) -> None:
        self.grants.used((log.thread_id, seq), event, log.called_for(seq))
        log.call(event.call_id).digests.add(event.digest)
        self.world.count("grants used")

    def _said(self, log: Reading, where: str, reply_id: str) -> None:
        self._need(reply_id not in log.replies, f"{where}: {reply_id} is sent twice")
        said = f"{log.thread_id}.{reply_id}" in self.world.wire.messages
        self._need(said, f"{where}: {reply_id} is not in the channel")
        log.replies.append(reply_id)

    def _looked(self, log: Reading, seq: int, event: ModelResponded | ModelFailed) -> None:
        seen = event.seen if isinstance(event, ModelResponded) else log.looked
        self._need(seen >= log.looked, f"{log.thread_id} {seq}: a second answer to what was answered at {log.looked}")
        if isinstance(event, ModelResponded):
            effect = decide(log.states[seen], RULES)
            self._need(isinstance(effect, CallModel), f"{log.thread_id} {seq}: the model was asked instead of {effect}")
        log.looked = seq

    def _started(self, log: Reading, seq: int, event: ToolStarted) -> None:
        call, where = log.call(event.call_id), f"{log.thread_id} {seq}"
        first = seq
        while first > 1 and isinstance(log.states[first - 1].entries[-1].event, ToolStarted):
            first -= 1
        wanted = [log.called_for(place) for place in range(first, seq + 1)]
        named = any(isinstance(e, RunTool) and event.call_id in [c.id for c in e.calls] for e in wanted)
        self._need(named, f"{where}: {event.tool} {event.call_id} starts, but nothing called for it")
        if event.tool == "refund":
            self._need(
                event.digest in call.digests, f"{where}: {event.call_id} starts without an approval of just this"
            )
        call.starts.append((seq, event.digest))

    def _asked(self, log: Reading, seq: int, event: ApprovalRequested) -> None:
        effect = log.called_for(seq)
        fits = isinstance(effect, RequestApproval) and effect.about == event.about
        self._need(fits, f"{log.thread_id} {seq}: asks about {event.about}, but {effect} was called for")
        log.asked[event.approval_id] = event
        if event.about == "in_doubt":
            log.call(event.call_id).doubts += 1

    def _decided(self, log: Reading, event: ApprovalDecided) -> None:
        where, asked = f"{log.thread_id} {event.approval_id}", log.asked[event.approval_id]
        self._need(event.approval_id not in log.decided, f"{where}: decided twice")
        log.decided[event.approval_id] = event.decision.outcome
        call = log.call(asked.call_id)
        match event.decision:
            case Approved(digest=digest):
                call.digests.add(digest)
            case Answered(text=text) if text == RUN_AGAIN and asked.about == "in_doubt":
                call.run_again += 1
                call.digests.add(asked.digest)
            case _:
                call.digests.clear()

    def _rest(self, thread_id: str, status: str) -> None:
        if status != "active":
            self.world.count("parked")
            return
        effect = decide(self.readings[thread_id].states[-1], RULES)
        self._need(effect == Wait(), f"{thread_id}: at rest though it should {effect}")
        for call_id, call in self.readings[thread_id].calls.items():
            lost = len(call.starts) - call.results
            asked = call.doubts or self._tool(thread_id, call_id) == "note"
            self._need(lost <= 0 or asked, f"{thread_id}: {call_id} never came back, and nobody was asked")

    def _tool(self, thread_id: str, call_id: str) -> str:
        events = [entry.event for entry in self.world.log(thread_id)]
        return next((e.tool for e in events if isinstance(e, ToolStarted) and e.call_id == call_id), "")

    # --- the world --------------------------------------------------------------------------------------------------

    def _effects(self) -> None:
        count: dict[str, int] = {}
        for done in self.world.effects:
            reading = self.readings[done.thread_id]
            call = reading.call(done.call_id)
            key = f"{done.tool} {done.call_id}"
            count[key] = count.get(key, 0) + 1
            digests = [digest for seq, digest in call.starts if seq <= done.seq]
            self._need(digests, f"{key} was done before it was on record")
            fits = RULES.tools[done.tool].digest(done.arguments) in digests
            self._need(fits or not digests, f"{key} was done with other arguments than recorded")
            once = count[key] <= 1 + call.run_again or done.tool == "note"
            self._need(once, f"{key} was done {count[key]} times, asked for {1 + call.run_again}")

    def _letters(self) -> None:
        shown = "\n".join(self.world.shown)
        for letter in self.people.letters:
            found = [
                (thread_id, entry)
                for thread_id, log in self.readings.items()
                for entry in log.states[-1].entries
                if isinstance(entry.event, MessageReceived) and entry.event.text == letter.text
            ]
            self._need(len(found) == 1, f"{letter.text!r} was accepted, and is {len(found)} times in the log")
            for thread_id, entry in found:
                seen = letter.text in shown or self._is_excused(thread_id, entry)
                self._need(seen, f"{letter.text!r} was never shown to the model")

    def _is_excused(self, thread_id: str, entry: Entry) -> bool:
        """Stopped, parked, given up with words, or taken as an answer."""
        message = entry.event
        assert isinstance(message, MessageReceived)
        log = self.readings[thread_id]
        later = [each.event for each in log.states[-1].entries if each.seq > entry.seq]
        return self.world.row(thread_id)["status"] != "active" or any(
            _excuses(event, message, log.asked) for event in later
        )

    def _cards(self) -> None:
        said = {(a, k): self.world.wire.messages.get(f"card {a} at {k}") for a, k in self._shown_cards()}
        for (approval_id, key), message in said.items():
            found = [log.decided[approval_id] for log in self.readings.values() if approval_id in log.decided]
            outcome = found[0] if found else "never decided"
            right = message is not None and message.says.split()[0] == outcome
            self._need(right, f"the card of {approval_id} at {key} says {message}, but it was {outcome}")

    def _shown_cards(self) -> list[tuple[str, str]]:
        rows = self.world.shared.cards()
        return [
            (row["approval_id"], row["address_key"])
            for row in rows
            if not row["attempts"] and " remind:" not in row["address_key"]
        ]

    def _decisions(self) -> None:
        for approval_id, outcomes in self.people.decisions.items():
            stands = [log.decided.get(approval_id) for log in self.readings.values() if approval_id in log.decided]
            self._need(list(outcomes) == stands, f"{approval_id}: people were told {outcomes}, the log says {stands}")


def _excuses(event: Event, message: MessageReceived, asked: dict[str, ApprovalRequested]) -> bool:
    if isinstance(event, ThreadCancelled | ModelFailed):
        return not isinstance(event, ModelFailed) or event.retry_at is None
    if not isinstance(event, ApprovalDecided):
        return False
    about_trouble = asked[event.approval_id].about == "trouble"
    if isinstance(event.decision, Answered):
        return event.decision.delivery_id == message.delivery_id or (event.decision.text == STOP and about_trouble)
    return about_trouble
