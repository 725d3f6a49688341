"""Whatever is done to the database behind the agent's back is found, and named."""

import pytest
from sqlalchemy import text

from agent.errors import Refused
from store.chain import Finding
from store.database import Database
from store.export import compare, facts
from store.facts import json_line
from store.threads import Threads
from store.verify import Verified, Verifier
from tests.audited import tell
from tests.builders import AT
from tests.fakes import FakeClock


@pytest.fixture
async def threads(database: Database) -> Threads:
    """With a history."""
    found = Threads(database, FakeClock())
    await tell(found)
    return found


async def verify(database: Database, page: int = 3) -> tuple[Verified, list[Finding]]:
    found: list[Finding] = []
    return await Verifier(database, page).run(found.append), found


async def do(database: Database, sql: str, **values: object) -> None:
    assert await database.write(lambda tx: tx.connection.execute(text(sql), values).rowcount) >= 1


@pytest.mark.parametrize("page", [1, 2, 3, 13, 500])
async def test_what_nobody_touched_is_whole_however_it_is_read(threads: Threads, page: int) -> None:
    assert await verify(threads.database, page) == (Verified(threads=2, events=13), [])


ROW = "INSERT INTO approval (id, thread_id, about, status, asked_seq, decided_seq, expires_at) VALUES"
DEEDS = {
    "a text": (
        "UPDATE event SET body = replace(body, '4111', '4112') WHERE thread_id = 'thr_a' AND seq = 3",
        3,
        "changed",
    ),
    "a moment": ("UPDATE event SET at = at - 1 WHERE thread_id = 'thr_a' AND seq = 4", 4, "changed"),
    "a removal": ("DELETE FROM event WHERE thread_id = 'thr_a' AND seq = 5", 5, "removed"),
    "a cut": ("DELETE FROM event WHERE thread_id = 'thr_a' AND seq > 9", 10, "cut"),
    "all events": ("DELETE FROM event WHERE thread_id = 'thr_b'", 1, "cut"),
    "a thread's row": ("DELETE FROM thread WHERE id = 'thr_a'", 0, "removed"),
    "a length": ("UPDATE thread SET last_seq = 20 WHERE id = 'thr_a'", 12, "cut"),
    "an outcome": ("UPDATE approval SET status = 'approved' WHERE id = 'apr_2'", 9, "contradicted"),
    "an open row": ("UPDATE approval SET status = 'open', decided_seq = NULL WHERE id = 'apr_2'", 9, "contradicted"),
    "a lost row": ("DELETE FROM approval WHERE id = 'apr_1'", 3, "contradicted"),
    "a row too many": (
        f"{ROW} ('apr_9', 'thr_a', 'call', 'approved', 3, 4, 0)",
        3,
        "contradicted",
    ),
    "a row of no thread": (
        f"{ROW} ('apr_9', 'thr_z', 'call', 'approved', 3, 4, 0)",
        0,
        "removed",
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_was_done_is_named(threads: Threads, deed: str) -> None:
    sql, seq, what = DEEDS[deed]
    await do(threads.database, sql)
    verified, found = await verify(threads.database)
    assert verified.findings == len(found)
    assert (seq, what) in {(each.seq, each.what) for each in found}, found
    assert {each.thread for each in found} == {"thr_b" if "thr_b" in sql else "thr_z" if "thr_z" in sql else "thr_a"}
    assert len(found) == 1


async def exported(database: Database) -> list[str]:
    return [json_line(each) async for each in facts(database, page=4)]


async def against(database: Database, lines: list[str], **changes: object) -> list[tuple[str, int, str]]:
    found: list[Finding] = []
    result = await compare(database, lines, found.append, expired=AT, page=4)
    assert result.findings == len(found)
    return [(each.thread, each.seq, each.what) for each in found]


async def test_an_export_shows_threads_that_were_taken_out_and_chains_that_were_written_anew(threads: Threads) -> None:
    lines = await exported(threads.database)
    assert await against(threads.database, lines) == []
    for table, column in (("event", "thread_id"), ("approval", "thread_id"), ("thread", "id")):
        await do(threads.database, f"DELETE FROM {table} WHERE {column} = 'thr_a'")  # noqa: S608 - names from this file
    await do(threads.database, "UPDATE event SET hash = digest WHERE thread_id = 'thr_b' AND seq = 2")
    await do(
        threads.database,
        "UPDATE thread SET head = (SELECT digest FROM event WHERE thread_id = 'thr_b' AND seq = 2) WHERE id = 'thr_b'",
    )
    assert await against(threads.database, lines) == [("thr_a", 1, "removed"), ("thr_b", 2, "rewritten")]


async def test_a_whole_chain_written_anew_is_whole_by_itself_and_not_against_an_export(threads: Threads) -> None:
    lines = await exported(threads.database)
    clock = FakeClock()
    for table in ("event", "thread", "approval", "card", "delivery", "landmark", "raw_mail"):
        await do(threads.database, f"DELETE FROM {table}")  # noqa: S608 - names from this file
    clock.move(1)
    await tell(Threads(threads.database, clock), clock.at)
    assert (await verify(threads.database))[1] == []
    assert {each[2] for each in await against(threads.database, lines)} == {"rewritten"}


async def test_what_is_old_enough_to_be_purged_is_counted_and_not_told(threads: Threads) -> None:
    lines = await exported(threads.database)
    await do(threads.database, "DELETE FROM event WHERE thread_id = 'thr_b'")
    await do(threads.database, "DELETE FROM thread WHERE id = 'thr_b'")
    found: list[Finding] = []
    result = await compare(threads.database, lines, found.append, expired=AT.replace(year=2027))
    assert (result.expired, found) == (2, [])


async def test_a_file_that_is_no_export_is_refused_by_its_line(threads: Threads) -> None:
    with pytest.raises(Refused, match="line 2 of the export is no fact"):
        await against(threads.database, [(await exported(threads.database))[0], '{"thread": 1}\n'])
