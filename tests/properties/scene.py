"""A council in which anything may happen, and what the test itself knows of what may start."""

from dataclasses import replace

from hypothesis import strategies as st

from agent.effects import Allow, Ask, Deny, Step, Verdict
from agent.errors import AlreadySettled, BadArguments, Refused
from agent.events import ApprovalDecided, ApprovalRequested, ToolCall, ToolStarted
from agent.reducer import Rules, decide
from agent.state import ThreadState
from agent.thread import evolve, fold
from agent.tool import Tool
from agent.verdict import Approved, Approvers, Expired, Rejected, Seats
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.people import Person
from store import codec
from tests.builders import ADA
from tests.council import PLACE, Council, a_pay, person, who, with_parameter
from tests.properties.oracle import Said, different, is_enough, may_decide, with_others

NAMES = ("ada", "ben", "cat", "dan", "eve")
ROLES = ("lead", "cfo")
AWAY = [{"from": "2026-01-01"}]
PATIENCE = 600.0
"""Seconds until more people are asked."""

groups = st.builds(
    Seats,
    roles=st.lists(st.sampled_from(ROLES), max_size=2, unique=True).map(tuple),
    people=st.lists(st.sampled_from(NAMES), max_size=1).map(tuple),
    count=st.integers(1, 2),
)
several = st.builds(
    Approvers,
    each=st.lists(groups, min_size=1, max_size=2).map(tuple),
    requester=st.booleans(),
    in_order=st.booleans(),
    rejections=st.sampled_from([1, 1, 2]),
)
simple = st.builds(
    Approvers,
    roles=st.lists(st.sampled_from(ROLES), min_size=1, max_size=2, unique=True).map(tuple),
    count=st.integers(1, 3),
    requester=st.booleans(),
    rejections=st.sampled_from([1, 1, 2]),
)
steps = st.sampled_from([(), (Step(PATIENCE, roles=("cfo",)),), (Step(PATIENCE, people=("eve",)),)])
asks = st.builds(
    lambda approvers, escalation: Ask("rule", "why", approvers, escalation=escalation), several | simple, steps
)
persons = st.tuples(
    *(
        st.builds(
            lambda roles, deputies, away, name=name: person(
                name, *roles, deputies=[each for each in deputies if each != name], away=AWAY if away else []
            ),
            st.lists(st.sampled_from(ROLES), max_size=2, unique=True),
            st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
            st.sampled_from([False, False, True]),
        )
        for name in NAMES
    )
)


class Scene:
    """A council, what was said in it that was taken, and what may start."""

    def __init__(self, draw: st.DataObject) -> None:
        self.draw = draw
        small, great = draw.draw(asks), draw.draw(asks)
        self.small: Verdict = small
        self.great: Verdict = great
        everybody = draw.draw(persons)
        self.known = {each.id: each for each in everybody}
        self.it = Council(list(everybody), self.judge)
        self.said: dict[str, list[Said]] = {}
        self.may_start: set[tuple[str, str]] = set()
        """Calls, and the digests that were approved as they must be."""
        self.seen = 0
        self.latest = self.it.clock.now()

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        amount = call.arguments["amount"]
        assert isinstance(amount, float | int)
        if amount > 1000:
            return Deny("never", "too much")
        return Allow("tiny") if amount < 1 else self.small if amount <= 100 else self.great

    @property
    def people(self) -> dict[str, Person]:
        return {each.id: each for each in self.it.people}

    def pick(self, *of: object) -> object:
        return self.draw.draw(st.sampled_from(of))

    async def begin(self) -> None:
        amounts = self.draw.draw(st.lists(st.sampled_from([50.0, 500.0]), min_size=1, max_size=2))
        await self.it.asks(*(a_pay(str(number), amount) for number, amount in enumerate(amounts)))
        await self.look()

    async def step(self) -> None:
        act = self.pick(*["say"] * 7, *["people"] * 4, "time", "time", "tool", "cancel", "work")
        if act == "say":
            await self.say()
        elif act == "people":
            self.change_people()
        elif act == "time":
            self.it.clock.move(float(str(self.pick(60, 700, 700, 1900, -300))))
            self.latest = max(self.latest, self.it.clock.now())
        elif act == "tool":
            pay = self.it.tools["pay"]
            self.it.tools = {**self.it.tools, "pay": self.pick(with_parameter(pay), pay)}  # type: ignore[dict-item]  # a tool
        elif act == "cancel" and self.pick(*range(4)) == 0:
            await self.it.threads.cancel(self.it.thread_id, ADA, "never mind")
        if act != "people" and self.pick(True, False):
            await self.it.works()
        await self.look()

    def change_people(self) -> None:
        spoke = [each.person for books in self.said.values() for each in books]
        name = str(self.pick(*(spoke or NAMES), self.pick(*NAMES)))
        how = self.pick("leaves", "leaves", "closed", "comes back", "away", "there", "closed", "opened", "roles")
        gone = [each for each in self.it.people if each.id != name]
        if how == "leaves":
            self.it.people = gone
        elif how == "comes back":
            self.it.people = [*gone, self.known[name]]
        elif how in {"closed", "opened"}:
            self.it.standing.account(f"U0{name.upper()}", *(["deleted"] if how == "closed" else []))
        elif how == "roles":
            self.it.change(name, roles=tuple(self.draw.draw(st.lists(st.sampled_from(ROLES), max_size=2, unique=True))))
        else:
            self.it.change(name, away=AWAY if how == "away" else ())

    async def say(self) -> None:
        found = await self.it.index.listed(thread_id=self.it.thread_id, open_only=self.pick(True, True, False) is True)
        if not found:
            return
        chosen = self.draw.draw(st.lists(st.sampled_from(found), min_size=1, max_size=2, unique=True))
        first = await self.it.request(chosen[0])
        entitled = [each for each in NAMES if may_decide(each, first.approvers, "ada", self.people)]
        name, via = str(self.pick(*NAMES, *entitled, *entitled)), self.pick("api", "slack", "cli")
        choices: dict[str, Choice] = {}
        for each in chosen:
            choices[each] = self.choice(await self.it.request(each))
        before = {each: await self.it.record(each) for each in chosen}
        try:
            await self.it.gate.decide_plan(choices, who(name, via), via)  # type: ignore[arg-type]  # one of them
        except (Refused, AlreadySettled, BadArguments):
            return
        for each, choice in choices.items():
            if before[each].decided is None and before[each].request.expires_at > self.it.clock.now():
                await self.taken(each, name, via == "slack", choice, before[each].request)
        await self.look()

    def choice(self, request: ApprovalRequested) -> Choice:
        how = self.pick(*["yes"] * 6, *["no"] * 3, *["edit"] * 3, "stale", "answer")
        amount = self.pick(50.0, 60.0, 500.0, 5000.0, 0.5)
        choices: dict[object, Choice] = {
            "yes": Approve(request.digest),
            "no": Reject("no"),
            "stale": Approve("0" * 64),
            "edit": Approve(request.digest, {**request.arguments, "amount": amount}),  # type: ignore[dict-item]  # a number
            "answer": Answer("It is paid."),
        }
        return choices[how]

    async def taken(self, approval_id: str, name: str, by_slack: bool, choice: Choice, was: ApprovalRequested) -> None:
        """Take down, in the test's own books, what was said; and whether it had to decide."""
        record = await self.it.record(approval_id)
        is_new = record.request.digest != was.digest
        assert not isinstance(choice, Approve) or choice.digest == was.digest, "it was not what was shown"
        books = [] if is_new else self.said.get(approval_id, [])  # who changes it voids what was said
        digest = record.request.digest
        if not isinstance(choice, Approve):
            books = [*books, Said(name, "no", digest, by_slack)]
        elif not is_new or self.is_entitled(name, record.request):
            books = [*books, Said(name, "yes", digest, by_slack)]
        self.said[approval_id] = books
        if record.decided is None and not record.request.approvers.in_order:
            yes = [each for each in self.counted(approval_id, "yes", digest) if self.is_entitled(each, record.request)]
            is_enough_now = is_enough(record.request.approvers, yes, self.people)
            assert isinstance(choice, Reject) or not is_enough_now, "it is enough, and was not decided"

    def is_entitled(self, name: str, request: ApprovalRequested) -> bool:
        return may_decide(name, request.approvers, request.requester.id if request.requester else "", self.people)

    def of_arguments(self, amount: object) -> Verdict:
        call = a_pay("0", float(str(amount)))
        return self.judge(call, self.it.tools["pay"], None)  # type: ignore[arg-type]  # it looks at arguments only

    def counted(self, approval_id: str, vote: str, digest: str) -> list[str]:
        """Whose latest word on that digest this is, of those with an account that is open: once for each time that they
        have said it since they last said otherwise, in order."""
        closed = {name for name in NAMES if self.it.standing.accounts[f"U0{name.upper()}"]["deleted"]}
        found: list[Said] = []
        for each in self.said.get(approval_id, []):
            if each.digest != digest:
                continue
            found = [*(other for other in found if other.person != each.person or other.vote == each.vote), each]
        return [
            each.person
            for each in found
            if each.vote == vote and each.person in self.people and not (each.by_slack and each.person in closed)
        ]

    # --- the promises -----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Whatever is new in the log must be as it has to be."""
        entries = await self.it.threads.entries(self.it.thread_id)
        for entry in entries[self.seen :]:
            if isinstance(entry.event, ApprovalDecided):
                await self.decided(entry.event)
            elif isinstance(entry.event, ToolStarted):
                started = entry.event
                is_free = started.rule == "tiny"
                assert is_free or (started.call_id, started.digest) in self.may_start, started
                self.may_start.discard((started.call_id, started.digest))  # once
        self.seen = len(entries)

    async def decided(self, event: ApprovalDecided) -> None:
        record = await self.it.record(event.approval_id)
        if isinstance(event.decision, Expired):
            assert self.latest >= record.request.expires_at
        if event.by is None:
            return
        assert self.it.clock.now() < record.request.expires_at
        if isinstance(event.decision, Approved):
            self.approved(event, event.decision, record.asked, record.request)
        elif isinstance(event.decision, Rejected) and record.request.approvers.rejections > 1:
            noes = self.counted(event.approval_id, "no", record.request.digest)
            noes = [*noes, event.by.person]
            assert different(record.request.approvers, noes, self.people) >= record.request.approvers.rejections

    def approved(
        self, event: ApprovalDecided, decision: Approved, asked: ApprovalRequested, now: ApprovalRequested
    ) -> None:
        assert event.by
        arguments = decision.arguments if decision.arguments is not None else asked.arguments
        assert decision.digest == self.it.tools["pay"].digest(arguments), "of a tool or arguments that are no more"
        verdict = self.of_arguments(arguments["amount"])
        assert not isinstance(verdict, Deny)
        requester = asked.requester.id if asked.requester else ""
        if isinstance(verdict, Ask):
            approvers = self.asked_by_now(verdict, asked)
            yes = self.counted(event.approval_id, "yes", decision.digest)
            yes = [each for each in (*yes, event.by.person) if may_decide(each, approvers, requester, self.people)]
            assert is_enough(approvers, yes, self.people), (approvers, yes)
        else:
            assert may_decide(event.by.person, now.approvers, requester, self.people)
        self.may_start.add((asked.call_id, decision.digest))

    def asked_by_now(self, ask: Ask, asked: ApprovalRequested) -> Approvers:
        """Whom the rule names, and those whom it names for when nobody has decided for a while, if it is that long."""
        approvers = ask.approvers
        for each in ask.escalation:
            if (self.latest - asked.at).total_seconds() >= each.after:
                approvers = with_others(approvers, each.roles, each.people)
        return approvers

    async def replay(self) -> None:
        """Any prefix, as it was and as it is read back, gives the same state and the same next effect."""
        rules, empty = Rules(self.it.tools, self.judge), ThreadState(self.it.thread_id, PLACE, "support")
        entries = await self.it.threads.entries(self.it.thread_id)
        read = [codec.entry(e.seq, *_written(e.event)) for e in entries]
        state = empty
        for place, entry in enumerate(entries, start=1):
            state = evolve(state, entry)
            again = fold(empty, read[:place])
            assert again == state
            assert decide(again, rules) == decide(state, rules)
        for approval_id, asked in state.approvals.items():
            assert asked.record == replace(await self.it.record(approval_id), refused=asked.record.refused, grants=())


def _written(event: object) -> tuple[str, int, str]:
    (link,) = codec.chained([event], 0, b"")  # type: ignore[list-item]  # an event
    return link.kind, link.at, link.body
