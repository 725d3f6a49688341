"""Each fact reaches standard output and the file, whatever crashes, and whoever else writes."""

import json
import multiprocessing
import multiprocessing.connection
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from sqlalchemy import make_url, text

from agent.errors import ConfigError
from bot.audit_file import BEGINNING, AuditFile
from bot.audit_trail import AuditTrail
from store.chain import Finding
from store.database import Database
from store.export import compare
from store.threads import Threads
from store.trail import Trail
from tests.audited import SECRET, story, tell
from tests.builders import AT
from tests.fakes import FakeClock


@pytest.fixture
async def threads(database: Database) -> Threads:
    """With a history."""
    found = Threads(database, FakeClock())
    await tell(found)
    return found


OPEN: list[AuditFile] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """What a test leaves open is closed."""
    yield
    while OPEN:
        OPEN.pop().close()


def a_trail(database: Database, path: Path | None = None, page: int = 4) -> AuditTrail:
    file = AuditFile(path) if path else None
    OPEN.extend([file] if file else [])
    return AuditTrail(Trail(database, page), file)


async def steps(trail: AuditTrail, times: int = 3) -> list[tuple[str, int]]:
    """What standard output is told in so many looks."""
    with structlog.testing.capture_logs() as lines:
        for _ in range(times):
            await trail.step()
    assert SECRET not in json.dumps(lines)
    return [(line["thread_id"], line["seq"]) for line in lines if line["event"] == "audit.fact"]


def lines_of(path: Path) -> list[tuple[str, int]]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [(each["thread"], each["seq"]) for each in found if "thread" in each]


A, B = [("thr_a", seq) for seq in range(1, 10)], [("thr_b", 1), ("thr_b", 2)]


async def test_each_fact_is_told_once_on_standard_output_and_in_the_file(threads: Threads, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    trail = a_trail(threads.database, path)
    assert await steps(trail) == A + B
    assert lines_of(path) == A + B
    assert await steps(trail) == []
    await threads.inform("thr_b", story()[:1])
    assert await steps(trail) == [("thr_b", 3)]
    assert lines_of(path) == [*A, *B, ("thr_b", 3)]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_next_process_goes_on_behind_the_last_whole_line(threads: Threads, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first = a_trail(threads.database, path)
    await steps(first)
    assert first.file is not None
    first.file.close()
    whole = path.read_bytes()
    for cut in (0, 3, len(BEGINNING) + 9, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        again = a_trail(threads.database, path)
        assert await steps(again) == []  # standard output has its own memory
        assert path.read_bytes() == whole
        assert again.file is not None
        again.file.close()


async def test_a_process_that_died_between_telling_and_noting_is_followed_by_one_that_tells_again(
    threads: Threads,
) -> None:
    trail = Trail(threads.database)
    for _ in range(3):
        until = await trail.settled()
    assert await trail.claim(until) == 0
    assert await trail.claim(until) is None
    await threads.database.write(
        lambda tx: tx.connection.execute(text("UPDATE audit_cursor SET lease_until = 1")).close()
    )
    assert await steps(a_trail(threads.database)) == A + B
    assert await steps(a_trail(threads.database)) == []


def _hold(path: Path, ready: "multiprocessing.connection.Connection") -> None:
    file = AuditFile(path)
    file.hold()
    ready.send("held")
    ready.recv()


async def test_one_of_several_processes_writes_a_file_and_the_next_when_it_ends(
    threads: Threads, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    ours, theirs = multiprocessing.Pipe()
    other = multiprocessing.get_context("spawn").Process(target=_hold, args=(path, theirs))
    other.start()
    assert ours.recv() == "held"
    trail = a_trail(threads.database, path)
    assert await steps(trail) == A + B
    assert lines_of(path) == []
    other.kill()
    other.join()
    other.close()
    ours.close()
    theirs.close()
    await steps(trail)
    assert lines_of(path) == A + B


async def test_a_file_that_is_moved_away_is_followed_by_one_that_says_where_it_begins(
    threads: Threads, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    trail = a_trail(threads.database, path)
    await steps(trail)
    path.rename(tmp_path / "audit.jsonl.1")
    await threads.inform("thr_b", story()[:1])
    await steps(trail)
    assert lines_of(path) == [("thr_b", 3)]
    assert json.loads(path.read_text().splitlines()[0]) == {"n": 13, "kind": "file_continued"}
    found: list[Finding] = []
    with path.open() as lines:
        assert (await compare(threads.database, lines, found.append, expired=AT)).lines == 1
    assert found == []


async def test_a_file_that_is_something_else_is_not_touched(database: Database, tmp_path: Path) -> None:
    for content in ("notes", "notes\n", '{"a": 1}\n', "[]\n", "1\n"):
        path = tmp_path / "notes"
        path.write_text(content)
        with pytest.raises(ConfigError, match="is no audit log"):
            a_trail(database, path).check()
        with pytest.raises(ConfigError, match="is no audit log"):
            AuditFile(path).hold()
        assert path.read_text() == content
    with pytest.raises(ConfigError, match="AUDIT_LOG_PATH"):
        a_trail(database, tmp_path / "no" / "such").check()
    a_trail(database, tmp_path / "new").check()
    a_trail(database).check()


@pytest.mark.postgres
async def test_a_number_that_is_committed_late_is_waited_for(migrated_postgres_url: str) -> None:
    from store.connect import connect  # noqa: PLC0415 - only here

    database = connect(migrated_postgres_url)
    threads = Threads(database, FakeClock())
    await tell(threads)
    trail = a_trail(database)
    assert await steps(trail) == A + B
    _, given = make_url(migrated_postgres_url).get_dialect()().create_connect_args(make_url(migrated_postgres_url))
    async with await psycopg.AsyncConnection.connect(**given) as late:
        await late.execute("UPDATE thread SET last_seq = 3 WHERE id = 'thr_b'")
        await late.execute(
            "INSERT INTO event (thread_id, seq, kind, at, body, digest, hash) "
            "VALUES ('thr_b', 3, 'thread_closed', 0, '{}', '', '')"
        )
        await threads.inform("thr_a", story(AT)[:1])
        assert await steps(trail, 6) == []
        await late.commit()
    assert await steps(trail, 4) == [("thr_b", 3), ("thr_a", 12)]
    await database.aclose()


async def test_a_disk_that_is_full_is_told_once_and_mended_later(threads: Threads, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "audit.jsonl"
    trail = a_trail(threads.database, path)
    with pytest.raises(FileNotFoundError):
        await steps(trail, 3)
    path.parent.mkdir()
    await steps(trail)
    assert lines_of(path) == A + B
