"""A grant never covers what its words do not say, whatever is asked for in whatever order."""

import asyncio
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.conversation import Identity, JsonObject, SlackThread
from agent.effects import Ask, RequestApproval
from agent.errors import AlreadySettled
from agent.events import ApprovalRequested, GrantUsed, ToolCall
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import Tool, tool
from approvals.decision import Approve, GrantTerms
from approvals.gate import Gate
from approvals.grant_words import in_words
from approvals.grants import Basis, Occasion, covers, leashed
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.standing import NO_PLACE
from store.codec import micros
from tests.builders import ADA, AT, DANA, LEADS, a_call, a_message, a_thread
from tests.fakes import CountingIds, FakeClock
from tests.granted import granting, known
from tests.memory import MemoryThreads
from tests.memory_approvals import MemoryApprovals
from tests.memory_tables import MemoryDatabase

BOB = Identity(channel="slack", id="U0BOB", team="T0", name="Bob")


@tool(name="refund")
def refund(order_id: str, amount: float) -> str:
    """Refund an order."""
    return f"{order_id} {amount}"


@tool(name="refund")
def other_refund(order_id: str, amount: float, note: str = "") -> str:
    """Refund an order, with a note."""
    return f"{order_id} {amount} {note}"


@tool
def restart(force: bool = False) -> str:
    """Restart the server."""
    return f"{force}"


ORDERS = st.sampled_from(["1042", "1043", "1042 ", 'x"; whoever asks, in any thread; until', "1042\u202e"])
REFUNDS: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {"order_id": ORDERS, "amount": st.sampled_from([0.0, 1.0, 40, 40.0, 40.5, 50.0])}
)
RESTARTS: st.SearchStrategy[JsonObject] = st.sampled_from([{}, {"force": False}, {"force": True}])
CONDITIONS = st.sampled_from(
    ["args.amount <= 40", "args.amount < 50 && args.order_id == '1042'", "args.order_id != '1042'", "args.amount == 40"]
)
MOMENTS = st.integers(-2, 4).map(lambda hours: AT + timedelta(hours=hours))


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Tool, JsonObject]:
    """A tool, and arguments that it takes."""
    called = draw(st.sampled_from([refund, refund, refund, other_refund, restart]))
    return called, draw(RESTARTS if called is restart else REFUNDS)


@st.composite
def terms(draw: st.DrawFn) -> GrantTerms:
    """Terms, whether or not there can be a grant on them."""
    condition = draw(st.one_of(st.just(""), CONDITIONS))
    return GrantTerms(
        draw(st.sampled_from(["thread", "requester", "anyone"])),
        AT + timedelta(hours=draw(st.integers(1, 3)), milliseconds=draw(st.sampled_from([0, 900]))),
        draw(st.sampled_from([None, 1, 2])),
        condition,
        exact=not condition,
    )


WORDS = re.compile(
    r"(?P<tool>\w+) (?:(?P<none>without any arguments)|with exactly (?P<exact>.*)|where (?P<where>.*)); "
    r"(?:only in thread (?P<thread>\w+)|only when (?P<person>\w+) asks|whoever asks, in any thread); "
    r"until (?P<until>[\d :-]+) UTC, (?:any number of times|at most (?P<once>once)|at most (?P<uses>\d+) times)",
    re.DOTALL,
)


def read(exact: str) -> JsonObject:
    """The arguments that `name=JSON, name=JSON` says."""
    found: JsonObject = {}
    while exact:
        name, _, rest = exact.partition("=")
        found[name], end = json.JSONDecoder().raw_decode(rest)
        exact = rest[end:].removeprefix(", ")
    return found


def holds(where: str, arguments: JsonObject) -> bool:
    """What the conditions above mean, without CEL."""
    amount, order = float(str(arguments.get("amount", "nan"))), arguments.get("order_id")
    return {
        "args.amount <= 40": amount <= 40,
        "args.amount < 50 && args.order_id == '1042'": amount < 50 and order == "1042",
        "args.order_id != '1042'": order is not None and order != "1042",
        "args.amount == 40": amount == 40,
    }[where]


def allowed(words: str, occasion: Occasion, used: int) -> bool:
    """Whether somebody who reads only the words would say that this may run."""
    said = WORDS.fullmatch(words)
    assert said, words
    call = occasion.call
    if said["where"] is not None:
        fits = holds(said["where"], call.arguments)
    else:  # written the same: 40 is not 40.0
        exact = {} if said["none"] else read(said["exact"])
        fits = json.dumps(exact, sort_keys=True) == json.dumps(call.arguments, sort_keys=True)
    most = 1 if said["once"] else int(said["uses"]) if said["uses"] else used + 1
    until = datetime.strptime(said["until"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return (
        said["tool"] == call.name
        and fits
        and said["thread"] in {None, occasion.state.thread_id}
        and said["person"] in {None, occasion.requester}
        and occasion.now < until
        and used < most
    )


@settings(deadline=None, max_examples=400)
@given(terms(), wishes(), wishes(), st.data())
def test_it_covers_what_its_words_say_and_nothing_else(
    wanted: GrantTerms, approved: tuple[Tool, JsonObject], wish: tuple[Tool, JsonObject], data: st.DataObject
) -> None:
    given_for, arguments = approved
    if not wanted.exact and (given_for is restart or not holds(wanted.condition, arguments)):
        wanted = replace(wanted, condition="", exact=True)
    grant = leashed(wanted, Basis(given_for, arguments, "thr_1", "ada", LEADS), "grt_1", AT)
    called, given_arguments = wish
    thread_id = data.draw(st.sampled_from(["thr_1", "thr_2"]))
    state = replace(a_thread(a_message(at=AT - timedelta(days=1))), thread_id=thread_id)
    call = a_call("x").model_copy(update={"name": called.name, "arguments": given_arguments})
    occasion = Occasion(call, called, state, data.draw(st.sampled_from(["ada", "bob", ""])), data.draw(MOMENTS))
    used = data.draw(st.integers(0, 2))

    is_same_tool = called is given_for
    assert covers(known(grant, used), occasion) is (is_same_tool and allowed(in_words(grant), occasion, used))


# --- at the gate, on a store ----------------------------------------------------------------------------------------

POLICY = Policy(granting(roles=["lead"]))
CALL: JsonObject = {"order_id": "1042", "amount": 40.0}
PEOPLE = (
    Person(id="ada", name="Ada", slack={"T0": "U0ADA"}),
    Person(id="bob", name="Bob", slack={"T0": "U0BOB"}),
    Person(id="dana", name="Dana", slack={"T0": "U0DANA"}, roles=("lead",)),
)
LOST = tuple(each.model_copy(update={"roles": ()}) for each in PEOPLE)


@dataclass
class Deployment:
    """A gate on a store in memory, and what somebody who watches it would expect."""

    clock: FakeClock = field(default_factory=FakeClock)
    left: int = 0
    until: datetime = AT
    scope: str = "anyone"
    is_revoked: bool = False
    giver_may: bool = True
    tainted: set[str] = field(default_factory=set)
    latest: dict[str, datetime] = field(default_factory=dict)
    askers: dict[str, set[str]] = field(default_factory=dict)
    """Everybody who had a part in asking, by thread."""

    def __post_init__(self) -> None:
        database = MemoryDatabase(lambda: micros(self.clock.now()))
        self.threads, self.index = MemoryThreads(database, self.clock), MemoryApprovals(database, self.clock)
        self.ids, tools = CountingIds(), {"refund": refund}
        self.gate = Gate(
            self.index, self.threads, POLICY, Directory(PEOPLE), tools, self.clock, self.ids, timeout=60.0,
            standing=NO_PLACE,
        )  # fmt: skip

    async def say(self, name: str, who: Identity, *, outside: bool = False) -> ThreadState:
        """Somebody writes in a thread."""
        now = self.clock.now()
        place = SlackThread(team="T0", channel="C0", thread_ts=name)
        message = a_message(at=now, sender=who, is_outside=outside)
        await self.threads.take_in(place, message, keys=[self.ids.new("k")], new_id=f"thr_{name}", agent="support")
        self.latest[name] = max(now, self.latest.get(name, now))
        self.askers.setdefault(name, set()).add(who.key)
        self.tainted |= {name} if outside else set()
        return fold(ThreadState(f"thr_{name}", place), await self.threads.entries(f"thr_{name}"))

    async def request(self, state: ThreadState, arguments: JsonObject) -> ApprovalRequested | GrantUsed:
        """The agent wants a refund; what comes of it is written down."""
        call = ToolCall(id=self.ids.new("call"), provider_id="p", name="refund", arguments=arguments)
        effect = RequestApproval("call", Ask("refunds", "w", LEADS, may_grant=True), call)
        event = await self.gate.request(effect, state)
        await self.threads.inform(state.thread_id, [event])
        return event

    async def give(self, scope: str, uses: int) -> str:
        """Ada asks in thread 1, and Dana gives a grant with her approval; its id."""
        asked = await self.request(await self.say("1", ADA), CALL)
        assert isinstance(asked, ApprovalRequested)
        self.left, self.until, self.scope = uses, self.clock.now() + timedelta(hours=2), scope
        wanted = GrantTerms(scope, self.until, uses)  # type: ignore[arg-type]  # one of the three
        await self.gate.decide(asked.approval_id, Approve(asked.digest, grant=wanted), DANA, "slack")
        (found,) = await self.index.grants()
        return found.grant.id

    def expects(self, name: str, arguments: JsonObject) -> bool:
        """Whether such a call should run unasked."""
        now = max(self.clock.now(), self.latest[name])
        in_scope = {"anyone": True, "thread": name == "1", "requester": self.askers[name] == {ADA.key}}[self.scope]
        stands = self.left > 0 and now < self.until and not self.is_revoked and self.giver_may
        return stands and in_scope and arguments == CALL and name not in self.tainted


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("wish"),
            st.sampled_from(["1", "2"]),
            st.sampled_from([ADA, BOB]),
            st.sampled_from([CALL, CALL, CALL, {"order_id": "1042", "amount": 41.0}]),
        ),
        st.tuples(st.just("clock"), st.sampled_from([60.0, 3000.0, 7200.0, -3600.0, -9000.0])),
        st.tuples(st.just("role"), st.booleans()),
        st.tuples(st.just("revoke")),
        st.tuples(st.just("outside"), st.sampled_from(["1", "2"])),
    ),
    max_size=14,
)


async def play(scope: str, uses: int, steps: list[tuple[object, ...]]) -> None:
    deployment = Deployment()
    grant_id = await deployment.give(scope, uses)
    for kind, *rest in steps:
        match kind, *rest:
            case "wish", str(name), Identity() as who, dict(arguments):
                state = await deployment.say(name, who)
                expected = deployment.expects(name, arguments)
                event = await deployment.request(state, arguments)
                assert isinstance(event, GrantUsed) is expected
                deployment.left -= expected
            case "clock", float(seconds):
                deployment.clock.move(seconds)
            case "role", bool(has):
                deployment.giver_may = has
                people = Directory(PEOPLE if has else LOST)
                deployment.gate = replace(deployment.gate, directory=people)
            case ("revoke",):
                try:
                    await deployment.gate.revoke(grant_id, DANA, "slack")
                except AlreadySettled:
                    assert deployment.is_revoked
                deployment.is_revoked = True
            case "outside", str(name):
                await deployment.say(name, ADA, outside=True)
            case _:
                raise AssertionError(kind)
    found = await deployment.index.grant(grant_id)
    assert found
    assert found.used == uses - deployment.left <= uses
    uses_on_record = [
        entry.event
        for name in ("1", "2")
        for entry in await deployment.threads.entries(f"thr_{name}")
        if isinstance(entry.event, GrantUsed)
    ]
    assert len(uses_on_record) == found.used


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["thread", "requester", "anyone"]), st.integers(1, 4), STEPS)
@example("requester", 1, [("wish", "2", BOB, CALL), ("wish", "2", ADA, CALL)])
def test_at_the_gate_it_is_used_just_as_often_and_just_where_it_says(
    scope: str, uses: int, steps: list[tuple[object, ...]]
) -> None:
    asyncio.run(play(scope, uses, steps))
