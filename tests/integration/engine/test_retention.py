"""What a purge takes and what it never does, and that what is old slows nothing down."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from agent.conversation import SlackThread
from agent.events import ApprovalDecided, ApprovalRequested, MessageReceived
from agent.verdict import Approvers, Decider, Rejected
from store import schema
from store.connect import connect
from store.database import Database, Tx
from store.deliveries import Deliveries
from store.mails import Mails
from store.retention import Purged, Retention
from store.threads import Threads
from tests.builders import ADA, AT, PLACE
from tests.fakes import FakeClock

OLD, NEW = AT - timedelta(days=100), AT - timedelta(days=1)
BEFORE = AT - timedelta(days=90)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = connect(url)
    await schema.migrate(database)
    yield database
    await database.aclose()


async def a_thread(threads: Threads, name: str, at: datetime, *, finished: bool = True) -> None:
    event = MessageReceived(at=at, delivery_id="d", sender=ADA, text="Hi")
    place = SlackThread(team="T0", channel="C0", thread_ts=name)
    await threads.take_in(place, event, keys=[f"slack:message:T0:C0:{name}"], new_id=name, agent="support")
    if finished:
        held = await threads.claim(name)
        assert held is not None
        await held.load()
        await held.release([], 1, None)


def asked(name: str, *, at: datetime = OLD) -> ApprovalRequested:
    return ApprovalRequested.model_validate(
        {
            "at": at,
            "approval_id": name,
            "about": "question",
            "title": "?",
            "why": "w",
            "rule": "r",
            "approvers": Approvers(anyone_in_thread=True),
            "expires_at": OLD + timedelta(days=1),
            "shown_on": (PLACE,),
        }
    )


async def count(database: Database, table: str) -> int:
    return int(await database.read(lambda c: c.execute(text(f"SELECT count(*) FROM {table}")).scalar()) or 0)  # noqa: S608 - a name from this file


async def test_old_names_and_mails_go_and_new_ones_stay(database: Database) -> None:
    clock = FakeClock(OLD)
    threads, mails = Threads(database, clock), Mails(database, clock)
    await a_thread(threads, "1", OLD)
    await mails.keep(b"old", "raw", ["a@b.example"])
    clock.at = NEW
    await a_thread(threads, "2", NEW)
    await mails.keep(b"new", "raw", ["a@b.example"])
    retention = Retention(database, batch=1)
    expected = Purged(deliveries=1, mails=1, cards=0, threads=0)
    assert await retention.count(BEFORE, threads=False) == expected
    assert await count(database, "delivery") == 2
    assert await retention.purge(BEFORE, threads=False) == expected
    assert await retention.purge(BEFORE, threads=False) == Purged(0, 0, 0, 0)
    assert [await count(database, each) for each in ("delivery", "raw_mail", "thread", "event")] == [1, 1, 2, 2]


async def test_a_finished_thread_goes_with_all_that_is_its_own(database: Database) -> None:
    clock = FakeClock(OLD)
    threads = Threads(database, clock)
    await a_thread(threads, "done", OLD)
    by = Decider(person="lee", identity=ADA, via="web")
    rejected = ApprovalDecided(at=OLD, approval_id="apr_1", decision=Rejected(), by=by)
    await threads.inform("done", [asked("apr_1"), rejected])
    assert await count(database, "say") == 1
    for name in ("waits", "works", "lively"):
        await a_thread(threads, name, OLD)
    for name in ("done", "waits"):
        if name == "waits":
            await threads.inform(name, [asked("apr_2")])
        held = await threads.claim(name)
        assert held is not None
        log = await held.load()
        await held.release([], len(log), None)
    await threads.inform("works", [MessageReceived(at=OLD, delivery_id="e", sender=ADA, text="More")])
    await threads.inform("lively", [MessageReceived(at=NEW, delivery_id="e", sender=ADA, text="More")])
    retention = Retention(database)
    counted = await retention.count(BEFORE, threads=True)
    assert (await retention.purge(BEFORE, threads=True)).threads == counted.threads == 1
    left = await database.read(lambda c: c.execute(text("SELECT id FROM thread ORDER BY id")).scalars().all())
    assert left == ["lively", "waits", "works"]
    assert await threads.entries("done") == ()
    rest = await database.read(lambda c: c.execute(text("SELECT id, status FROM approval")).all())
    assert [tuple(row) for row in rest] == [("apr_2", "open")]
    assert [await count(database, each) for each in ("card", "say")] == [1, 0]


async def test_where_anything_was_decided_the_log_is_kept_for_auditors(database: Database) -> None:
    threads = Threads(database, FakeClock(OLD))
    for name in ("talk", "decided"):
        await a_thread(threads, name, OLD)
    await threads.inform("decided", [asked("apr_1"), ApprovalDecided(at=OLD, approval_id="apr_1", decision=Rejected())])
    held = await threads.claim("decided")
    assert held is not None
    await held.release([], len(await held.load()), None)
    await a_thread(threads, "newest", NEW)
    retention = Retention(database, audited=OLD - timedelta(days=1))
    counted = await retention.count(BEFORE, threads=True)
    assert (await retention.purge(BEFORE, threads=True)).threads == counted.threads == 1
    left = await database.read(lambda c: c.execute(text("SELECT id FROM thread")).scalars().all())
    assert sorted(left) == ["decided", "newest"]
    assert (await Retention(database, audited=BEFORE).purge(BEFORE, threads=True)).threads == 1


async def test_a_settled_card_goes_once_it_shows_what_was_decided(database: Database) -> None:
    threads = Threads(database, FakeClock(OLD))
    await a_thread(threads, "1", OLD)
    await threads.inform("1", [asked("apr_1"), ApprovalDecided(at=OLD, approval_id="apr_1", decision=Rejected())])
    await threads.inform("1", [asked("apr_2")])
    retention = Retention(database)
    assert (await retention.purge(BEFORE, threads=False)).cards == 0
    await database.write(lambda tx: tx.connection.execute(text("UPDATE card SET shown = wanted")).close())
    assert (await retention.purge(BEFORE, threads=False)).cards == 1
    assert await count(database, "approval") == 2


async def test_how_far_a_history_was_read_never_goes_back(database: Database) -> None:
    deliveries = Deliveries(database)
    assert await deliveries.read_until("slack:T0") is None
    await a_thread(Threads(database, FakeClock(NEW)), "1700000000.000100", NEW)
    assert await deliveries.read_until("slack:T0") == NEW
    await deliveries.set_read("slack:T0", AT)
    await deliveries.set_read("slack:T0", NEW)
    assert await deliveries.read_until("slack:T0") == AT
    [known] = await deliveries.known("slack:message:T0:", OLD)
    assert known.key == "slack:message:T0:C0:1700000000.000100"
    assert await deliveries.lively("slack:message:T0:", OLD) == [known.conversation]
    assert await deliveries.lively("slack:message:T0:", AT) == []


MANY = 100_000


def _fill(tx: Tx, *, sqlite: bool) -> None:
    """As many old threads with a settled approval and its card, made by the database itself."""
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)"
    empty, false = ("CAST('' AS BLOB)", "0") if sqlite else ("CAST('' AS BYTEA)", "false")
    tables = {
        "thread (id, conversation_key, conversation, agent, created_at, last_seq, done_seq, head, epoch, lease_until, "
        "not_before, attempts, status)": f"'old' || i, 'old' || i, '', 'a', i, 2, 2, {empty}, 1, 0, 0, 0, 'active'",
        "delivery (key, thread_id, at)": "'old' || i, 'old' || i, i",
        "approval (id, thread_id, about, status, asked_seq, expires_at)": "'o' || i, 'o' || i, 'call', 'expired', 1, i",
        "card (approval_id, address_key, address, wanted, shown, receipt, tried, attempts, not_before, lease_until)": (
            f"'o' || i, 'k', '', 2, 2, 'r', {false}, 0, 0, 0"
        ),
    }
    for table, values in tables.items():
        statement = f"INSERT INTO {table} {series} SELECT {values} FROM n"  # noqa: S608 - made of this file's own texts
        tx.connection.execute(text(statement), {"many": MANY}).close()


def _plan(database: Database, sql: str) -> str:
    return f"EXPLAIN QUERY PLAN {sql}" if database.is_sqlite else f"EXPLAIN {sql}"


async def test_a_hundred_thousand_old_rows_slow_no_claim_and_no_append(database: Database) -> None:
    threads = Threads(database, FakeClock())
    await database.write(lambda tx: _fill(tx, sqlite=database.is_sqlite))
    if not database.is_sqlite:
        await database.write(lambda tx: tx.connection.execute(text("ANALYZE")).close())
    statements = threads.statements
    values = {"clock": 1, "limit": 100, "id": "old1", "lease": 1}
    for statement in (statements.due, statements.claim, statements.lock_conversation):
        sql = statement.text.replace(" FOR UPDATE", "")
        used = {name: value for name, value in {**values, "key": "old1"}.items() if f":{name}" in sql}
        plan = await database.read(
            lambda c, sql=sql, used=used: [str(row) for row in c.execute(text(_plan(database, sql)), used).all()]  # type: ignore[misc]  # a lambda with defaults
        )
        assert not [line for line in plan if ("SCAN thread" in line and "USING" not in line) or "Seq Scan" in line], (
            plan
        )
