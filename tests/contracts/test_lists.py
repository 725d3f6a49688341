"""What any store promises of the lists of approvals: which stand open, whose say was in which, all read at once."""

from datetime import timedelta

from agent.conversation import Identity
from agent.events import ApprovalAmended, ApprovalDecided, ApprovalRequested, ApprovalVoted
from agent.verdict import Cancelled, Decider, Rejected
from tests.builders import AT, LEADS
from tests.contracts.steps import asked, say
from tests.contracts.stores import Store

LEE = Decider(person="lee", identity=Identity(channel="api", id="lee"), via="web")
MIA = Decider(person="mia", identity=Identity(channel="api", id="mia"), via="web")


def later(approval_id: str, minutes: int, plan: str = "") -> ApprovalRequested:
    """One that expires so much later."""
    expires_at = AT + timedelta(hours=1, minutes=minutes)
    return asked(approval_id).model_copy(update={"expires_at": expires_at, "plan": plan})


async def test_open_cards_come_the_soonest_first_a_plan_once_and_counted_beyond_the_limit(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [later("apr_1", 3), later("apr_2", 2), later("apr_3", 1, plan="apr_1")])

    assert await store.index.open_cards(10) == (["apr_1", "apr_2"], 2)
    assert await store.index.open_cards(1) == (["apr_1"], 2)

    await store.threads.inform("thr_1", [ApprovalDecided(at=AT, approval_id="apr_3", decision=Rejected(), by=LEE)])
    assert await store.index.open_cards(10) == (["apr_2", "apr_1"], 2)


async def test_a_plan_stands_on_its_card_for_as_long_as_one_of_its_calls_is_open(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [later("apr_1", 1), later("apr_2", 1, plan="apr_1")])
    await store.threads.inform("thr_1", [ApprovalDecided(at=AT, approval_id="apr_1", decision=Rejected(), by=LEE)])

    assert await store.index.open_cards(10) == (["apr_1"], 1)


async def test_many_cards_are_read_in_the_order_asked_for_each_with_its_plan(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [later("apr_1", 1), later("apr_2", 2, plan="apr_1"), later("apr_3", 3)])

    found = await store.index.facts_of(["apr_3", "apr_none", "apr_1"])

    assert found == [await store.index.facts("apr_3"), await store.index.facts("apr_1")]
    assert [each.approval_id for each in found[1].mates] == ["apr_2"]
    assert await store.index.facts_of([]) == []


async def test_whoever_voted_changed_or_decided_is_remembered_with_the_latest_first(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [later(f"apr_{number}", number) for number in range(1, 5)])
    moment = AT + timedelta(minutes=1)
    vote = ApprovalVoted(at=moment, approval_id="apr_1", version=0, vote="approve", digest="d", by=LEE)
    told = {"digest": "e", "title": "t", "why": "w", "rule": "r", "approvers": LEADS, "arguments": {}}
    change = ApprovalAmended(at=moment + timedelta(minutes=1), approval_id="apr_2", version=0, by=LEE, **told)
    await store.threads.inform("thr_1", [vote])
    await store.threads.inform("thr_1", [change])
    decided = ApprovalDecided(at=AT + timedelta(minutes=3), approval_id="apr_1", version=1, decision=Rejected(), by=MIA)
    stopped = ApprovalDecided(at=AT + timedelta(minutes=4), approval_id="apr_3", decision=Cancelled())
    await store.threads.inform("thr_1", [decided, stopped])

    assert await store.index.said_by("lee", 10) == ["apr_2", "apr_1"]
    assert await store.index.said_by("lee", 1) == ["apr_2"]
    assert await store.index.said_by("mia", 10) == ["apr_1"]
    assert await store.index.said_by("", 10) == []


async def test_a_say_in_a_part_of_a_plan_is_one_in_its_card(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [later("apr_1", 1), later("apr_2", 2, plan="apr_1")])
    no = [ApprovalDecided(at=AT, approval_id=each, decision=Rejected(), by=LEE) for each in ("apr_2", "apr_1")]
    await store.threads.inform("thr_1", no)

    assert await store.index.said_by("lee", 10) == ["apr_1"]
