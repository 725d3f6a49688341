"""Grants for auditors: rows that say something else than the log are named, and what still counts keeps its words."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from agent.conversation import Identity
from agent.errors import Refused
from agent.events import ApprovalDecided, Event, GrantGiven, GrantRevoked, GrantUsed
from agent.verdict import Approved
from approvals.grants import covers
from store.approvals import ApprovalIndex
from store.chain import Finding
from store.database import Database
from store.export import facts
from store.redacting import Redactor
from store.retention import Retention
from store.threads import Threads
from store.verify import Verifier
from tests.audited import PLACE, asked, done, tell
from tests.builders import AT, a_message
from tests.fakes import FakeClock
from tests.granted import DANA_GIVES, DAY, a_grant, an_occasion, terms

OPERATOR = Identity(channel="cli", id="olga")


def given(name: str, **changes: object) -> GrantGiven:
    grant = a_grant(terms(until=AT + 30 * DAY, **changes)).model_copy(update={"id": name})
    return GrantGiven(at=AT, approval_id="apr_3", grant=grant, by=DANA_GIVES)


def use(name: str) -> GrantUsed:
    return GrantUsed(at=AT, grant_id=name, call_id="c", tool="refund", digest="d", rule="money", given_by="dana")


REVOKED = GrantRevoked(at=AT, grant_id="grt_2", reason="too wide", by=DANA_GIVES)
APPROVED = ApprovalDecided(at=AT, approval_id="apr_3", decision=Approved(digest="d1"), by=DANA_GIVES)


@pytest.fixture
async def threads(database: Database) -> Threads:
    """In thr_g (events 1 to 6) two grants are given and one is taken back; one is used there, and in thr_u."""
    found = Threads(database, FakeClock())
    await tell(found)
    for name, number in (("thr_g", 7), ("thr_u", 8)):
        place = PLACE.model_copy(update={"thread_ts": f"1700000000.{number:06}"})
        await found.take_in(place, a_message(), keys=[name], new_id=name, agent="support")
    events: list[Event] = [
        asked("apr_3", "c9", AT),
        given("grt_1", uses=5),
        given("grt_2"),
        APPROVED,
        REVOKED,
        use("grt_1"),
    ]
    await found.inform("thr_g", events)
    await found.inform("thr_u", [use("grt_1")])
    await database.write(lambda tx: tx.connection.execute(text("UPDATE card SET shown = wanted")).close())
    for name in ("thr_g", "thr_u"):
        await done(found, name)
    return found


async def verify(threads: Threads, page: int = 3, after: timedelta = timedelta(0)) -> list[Finding]:
    found: list[Finding] = []
    await Verifier(threads.database, page, AT + after).run(found.append)
    return found


async def do(threads: Threads, sql: str) -> None:
    assert await threads.database.write(lambda tx: tx.connection.execute(text(sql)).rowcount) >= 1


@pytest.mark.parametrize("page", [1, 3, 500])
async def test_what_nobody_touched_is_whole(threads: Threads, page: int) -> None:
    assert await verify(threads, page) == []


ROW = "INSERT INTO grants (id, tool, thread_id, given_by, seq, until, uses, used) VALUES ('grt_9', 'refund',"
DEEDS = {
    "one use less": ("UPDATE grants SET used = 1 WHERE id = 'grt_1'", 3, "was used 1 times, by the log 2"),
    "one use more": ("UPDATE grants SET used = 3 WHERE id = 'grt_1'", 3, "was used 3 times, by the log 2"),
    "more uses": ("UPDATE grants SET uses = 500 WHERE id = 'grt_1'", 3, "how often it may be used"),
    "any number of uses": ("UPDATE grants SET uses = NULL WHERE id = 'grt_1'", 3, "how often it may be used"),
    "a later end": ("UPDATE grants SET until = until + 1 WHERE id = 'grt_1'", 3, "its end"),
    "another tool": ("UPDATE grants SET tool = 'pay' WHERE id = 'grt_1'", 3, "its tool"),
    "another giver": ("UPDATE grants SET given_by = 'olga' WHERE id = 'grt_1'", 3, "who gave it"),
    "another place": ("UPDATE grants SET seq = 4 WHERE id = 'grt_1'", 3, "its place"),
    "back in force": ("UPDATE grants SET revoked_seq = NULL WHERE id = 'grt_2'", 4, "whether it was taken back"),
    "a lost row": ("DELETE FROM grants WHERE id = 'grt_1'", 3, "the row of grant grt_1 is missing"),
    "a row too many": (f"{ROW} 'thr_g', 'dana', 3, 0, 1, 0)", 3, "the log has no grant grt_9"),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_was_done_to_a_grant_is_named(threads: Threads, deed: str) -> None:
    sql, seq, words = DEEDS[deed]
    await do(threads, sql)
    found = await verify(threads)
    assert [(each.thread, each.seq, each.what) for each in found] == [("thr_g", seq, "contradicted")], found
    assert words in found[0].said


async def test_a_row_of_no_thread_is_named(threads: Threads) -> None:
    await do(threads, f"{ROW} 'thr_z', 'dana', 3, 0, 1, 0)")
    assert [(each.thread, each.what) for each in await verify(threads)] == [("thr_z", "removed")]


async def test_of_a_grant_that_has_ended_threads_may_have_been_purged(threads: Threads) -> None:
    await do(threads, "DELETE FROM event WHERE thread_id = 'thr_u'")
    await do(threads, "DELETE FROM thread WHERE id = 'thr_u'")
    assert await verify(threads, after=31 * DAY) == []
    assert [each.said for each in await verify(threads)] == ["by its row grant grt_1 was used 2 times, by the log 1"]


async def test_a_purge_leaves_threads_in_which_a_grant_that_lasts_was_given_or_used(threads: Threads) -> None:
    place = PLACE.model_copy(update={"thread_ts": "1700000000.000009"})
    late = AT + 400 * DAY
    await threads.take_in(place, a_message(at=late), keys=["new"], new_id="thr_new", agent="support")
    retention = Retention(threads.database)

    async def left(days: int) -> list[str]:
        before = AT + days * DAY
        counted = await retention.count(before, threads=True)
        assert (await retention.purge(before, threads=True)).threads == counted.threads
        found = await threads.database.read(
            lambda c: c.execute(text("SELECT id FROM thread ORDER BY id")).scalars().all()
        )
        assert await verify(threads) == []
        return list(found)

    assert await left(1) == ["thr_g", "thr_new", "thr_u"]
    assert await left(30) == ["thr_new"]
    assert await ApprovalIndex(threads.database, threads.clock).grants(standing=False) == []


async def test_a_purge_does_not_wait_for_what_was_taken_back(threads: Threads) -> None:
    await threads.inform("thr_g", [GrantRevoked(at=AT, grant_id="grt_1", by=DANA_GIVES)])
    await done(threads, "thr_g")
    before = AT + DAY
    assert (await Retention(threads.database).count(before, threads=True)).threads == 3


async def test_the_words_of_a_grant_that_still_counts_stay(threads: Threads) -> None:
    redactor = Redactor(threads, OPERATOR)
    for seqs in ((), (3,)):
        with pytest.raises(Refused, match="thr_g has the grant grt_1, which still lets calls run"):
            await redactor.thread("thr_g", seqs)
    assert (await redactor.thread("thr_g", [1, 4])).events == 2
    assert await verify(threads) == []
    (found,) = await ApprovalIndex(threads.database, threads.clock).grants()
    assert covers(found, an_occasion(thread_id="thr_new"))


async def test_what_is_redacted_after_its_end_lets_nothing_run_even_if_the_clock_goes_back(threads: Threads) -> None:
    clock = threads.clock
    assert isinstance(clock, FakeClock)
    clock.move(30 * DAY.total_seconds())
    assert (await Redactor(threads, OPERATOR).thread("thr_g")).events >= 3
    clock.move(-30 * DAY.total_seconds())
    (found,) = await ApprovalIndex(threads.database, clock).grants()
    assert (found.grant.arguments, found.grant.tool) == ({}, "refund")
    assert not covers(found, an_occasion(thread_id="thr_new"))
    assert not covers(found, an_occasion({}, thread_id="thr_new"))
    assert await verify(threads) == []


async def test_an_auditor_is_told_who_gave_it_what_it_was_used_for_and_who_took_it_back(threads: Threads) -> None:
    told = [each async for each in facts(threads.database) if str(each["kind"]).startswith("grant_")]
    assert [(each["kind"], each.get("person")) for each in told] == [
        ("grant_given", "dana"),
        ("grant_given", "dana"),
        ("grant_revoked", "dana"),
        ("grant_used", None),
        ("grant_used", None),
    ]
    assert told[2]["reason"] == "too wide"
    assert told[3]["rule"] == "money"
    assert "1042" not in str(told)
