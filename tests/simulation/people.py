"""People and operators: they write, decide, cancel, and pull plugs, whenever the tape says; providers repeat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.conversation import Identity, SlackThread
from agent.events import ApprovalAmended, ApprovalDecided, ApprovalRequested
from approvals.decision import Answer, Approve, Choice, GrantTerms, Reject
from bot.inbox import Delivery
from tests.builders import ADA, DANA
from tests.simulation.deployment import LEE, PLACES, STRANGER
from tests.simulation.process import Process
from tests.simulation.world import World

REPEATS_AFTER = 6.0
"""Seconds after which a provider that was not told 2xx sends again."""
GRANTED_FOR = timedelta(seconds=400)
ANSWERS = ("Run it again", "It happened", "Stop", "Try again", "a")


@dataclass
class Letter:
    """A message as its provider knows it."""

    key: str
    text: str
    place: SlackThread
    is_accepted: bool = False


@dataclass
class People:
    """Everybody outside."""

    world: World
    letters: list[Letter] = field(default_factory=list)
    decisions: dict[str, set[str]] = field(default_factory=dict)
    """Outcomes by approval id, of decisions that were taken."""

    def act(self) -> None:
        """Somebody does something."""
        acts: tuple[Callable[[], None], ...] = (
            self.take_back,
            self.write,
            self.decide,
            self.write,
            self.decide,
            self.answer,
            self.repeat,
            self.cancel,
            self.click_twice,
            self.decide_together,
            self.disturb,
            self.move_a_clock,
            self.disturb,
        )
        self.world.tape.pick(acts)()

    # --- messages ---------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """A new message."""
        number = len(self.letters) + 1
        self._new(f"Message #{number}.")

    def answer(self) -> None:
        """A message that names a choice, spelt like no other."""
        self._new(self.world.tape.pick(ANSWERS) + "!" * (len(self.letters) + 1))

    def _new(self, text: str) -> None:
        place = PLACES[self.world.tape.byte() % len(PLACES)]
        letter = Letter(f"Ev{len(self.letters) + 1}", text, place)
        self.letters.append(letter)
        self.world.tell(f"somebody writes {text!r} in {place.thread_ts[:10]}")
        self.send(letter)

    def repeat(self) -> None:
        """Messages that came before come again, in another order."""
        for letter in self.letters[-3:][::-1]:
            self.send(letter)

    def send(self, letter: Letter) -> None:
        """To some process; again, later, until one has said that it has it."""
        process = self._process()

        def accepted() -> None:
            letter.is_accepted = True

        if process is not None:
            delivery = Delivery(letter.place, (letter.key,), ADA, letter.text)
            process.spawn(process.tries(lambda: process.inbox.deliver(delivery), accepted))
        self.world.later(REPEATS_AFTER, lambda: None if letter.is_accepted else self.send(letter))

    def _process(self) -> Process | None:
        alive = self.world.alive
        return alive[self.world.tape.byte() % len(alive)] if alive else None

    # --- decisions --------------------------------------------------------------------------------------------------

    def _open(self) -> list[ApprovalRequested]:
        found: dict[str, ApprovalRequested] = {}
        for row in self.world.shared.threads():
            for entry in self.world.log(str(row["id"])):
                if isinstance(entry.event, ApprovalRequested):
                    found[entry.event.approval_id] = entry.event
                elif isinstance(entry.event, ApprovalAmended) and entry.event.approval_id in found:
                    now = {"digest": entry.event.digest, "arguments": entry.event.arguments}
                    found[entry.event.approval_id] = found[entry.event.approval_id].model_copy(update=now)
                elif isinstance(entry.event, ApprovalDecided):
                    found.pop(entry.event.approval_id, None)
        return list(found.values())

    def decide(self) -> None:
        """Somebody clicks, if there is something to click."""
        if found := self._open():
            self._click(found[self.world.tape.byte() % len(found)], self.world.tape.byte())

    def click_twice(self) -> None:
        """Two people, or one twice, on two processes at once."""
        for asked in self._open()[:1]:
            self._click(asked, self.world.tape.byte())
            self._click(asked, self.world.tape.byte())

    def decide_together(self) -> None:
        """Somebody decides all that is open of a plan, or asks the agent about it first."""
        byte, found = self.world.tape.byte(), self._open()
        process = self._process() if found else None
        if process is None:
            return
        asked = found[byte % len(found)]
        if byte % 4 == 3:
            self.world.tell(f"Dana asks about {asked.approval_id[:12]} on {process.name}")
            remark = lambda: process.gate.remark(asked.approval_id, "Why?", DANA, "slack")  # noqa: E731 - two lines
            process.spawn(process.tries(remark, lambda: None))
            return
        plan = asked.plan or asked.approval_id
        parts = [each for each in found if plan in {each.plan, each.approval_id}]
        choices = {each.approval_id: Reject("no") if byte % 4 == 2 else self._choice(each, 0) for each in parts}
        self._decide(process, choices, LEE if byte // 8 % 2 else DANA)

    def _click(self, asked: ApprovalRequested, byte: int) -> None:
        who: Identity = (DANA, LEE, DANA, ADA, STRANGER)[byte // 8 % 5]
        if (process := self._process()) is not None:
            until = None if who == LEE else process.clock.now() + GRANTED_FOR
            self._decide(process, {asked.approval_id: self._choice(asked, byte % 8, until)}, who)

    def _decide(self, process: Process, choices: Mapping[str, Choice], who: Identity) -> None:
        self.world.tell(f"{who.name} decides on {process.name}: {choices}")

        async def decided() -> None:
            card = await process.gate.decide_plan(choices, who, "slack")
            for each in card.plan:
                if each.approval_id in choices and not each.is_open:
                    self.decisions.setdefault(each.approval_id, set()).add(each.status)

        process.spawn(process.tries(decided, lambda: None))

    @staticmethod
    def _choice(asked: ApprovalRequested, number: int, until: datetime | None = None) -> Choice:
        if asked.choices:
            return Answer(asked.choices[number % len(asked.choices)])
        edited = Approve(asked.digest, {"order_id": "1", "amount": 9.0})
        wrong = Approve("of something else")
        yes = Approve(asked.digest)
        if until is None:
            return (yes, Reject("no"), yes, edited, yes, wrong, Answer("words"), yes)[number]
        same = Approve(asked.digest, grant=GrantTerms("requester", until, None))
        twice = Approve(asked.digest, grant=GrantTerms("anyone", until, 2, "args.amount < 3.0", exact=False))
        return (yes, Reject("no"), twice, edited, same, wrong, Answer("words"), twice)[number]

    def take_back(self) -> None:
        """Somebody takes a grant back, if there is one; else nobody does anything."""
        found = self.world.shared.grants()
        if found and (process := self._process()):
            grant_id = sorted(found)[self.world.tape.byte() % len(found)]
            self.world.tell(f"Dana takes back {grant_id[:12]} on {process.name}")
            process.spawn(process.tries(lambda: process.gate.revoke(grant_id, DANA, "slack"), lambda: None))

    def cancel(self) -> None:
        """Somebody stops the work in a place."""
        place = PLACES[self.world.tape.byte() % len(PLACES)]
        if process := self._process():
            self.world.tell(f"somebody cancels {place.thread_ts[:10]} on {process.name}")
            process.spawn(process.tries(lambda: process.inbox.cancel(place, ADA, "never mind"), lambda: None))

    # --- operators --------------------------------------------------------------------------------------------------

    def disturb(self) -> None:
        """A process is killed, frozen, or stopped in good order."""
        process = self._process()
        if process is None:
            return
        how = self.world.tape.pick(("stop", "kill", "freeze"))
        if how == "kill":
            self.world.kill(process)
        elif how == "freeze":
            self.world.freeze(process, 40.0)
        else:
            self.world.tell(f"{process.name} is stopped in good order")
            self.world.count("stops")
            process.spawn(process.stop())
            self.world.later(2.0, self.world.begin)

    def move_a_clock(self) -> None:
        """A process's clock, or the database's, is set."""
        tape = self.world.tape
        seconds = tape.pick((40.0, -40.0, 5.0, -5.0, 200.0))
        self.world.count("clocks moved")
        if tape.byte() % 4 == 3:
            self.world.tell(f"the database's clock jumps by {seconds:g} s")
            self.world.skew += seconds
            self.world.has_jumped = True
        elif process := self._process():
            self.world.tell(f"the clock of {process.name} jumps by {seconds:g} s")
            process.clock.skew += seconds
