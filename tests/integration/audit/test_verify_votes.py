"""What was said of an approval cannot be hidden by its row: votes and changes are read up to where that says."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from agent.events import ApprovalAmended, ApprovalDecided, ApprovalRemarked, ApprovalVoted, DecisionRefused, Event
from agent.verdict import Approved, Decider
from store.chain import Finding
from store.database import Database
from store.threads import Threads
from store.verify import Verifier
from tests.audited import asked
from tests.builders import AT, DANA, LEADS, PLACE, a_message
from tests.fakes import FakeClock

BY = Decider(person="dana", identity=DANA, via="slack")
CHANGE = ApprovalAmended(
    at=AT,
    approval_id="apr_1",
    version=1,
    arguments={},
    digest="d2",
    title="t",
    why="w",
    rule="r",
    approvers=LEADS,
    by=BY,
)
SAID: list[Event] = [
    asked("apr_1", "c1", AT),
    asked("apr_2", "c2", AT).model_copy(update={"plan": "apr_1"}),
    ApprovalVoted(at=AT, approval_id="apr_1", version=0, vote="approve", digest="d1", by=BY),
    CHANGE,
    ApprovalRemarked(at=AT, approval_id="apr_2", text="Why?", by=BY),
    DecisionRefused(at=AT, approval_id="apr_2", attempt="approve", reason="no", by=BY),
    ApprovalDecided(at=AT, approval_id="apr_2", decision=Approved(digest="d1"), by=BY),
]


@pytest.fixture
async def threads(database: Database) -> Threads:
    """A plan of two: the first was voted on and changed, the second asked about and approved."""
    found = Threads(database, FakeClock())
    await found.take_in(PLACE, a_message(), keys=["k"], new_id="thr_v", agent="support")
    await found.inform("thr_v", SAID)
    return found


async def verify(threads: Threads) -> list[Finding]:
    found: list[Finding] = []
    await Verifier(threads.database, 3, AT + timedelta(0)).run(found.append)
    return found


async def test_what_nobody_touched_is_whole(threads: Threads) -> None:
    assert await verify(threads) == []


@pytest.mark.parametrize(
    "row, seq, words",
    [
        ("version = 0, noted_seq = NULL WHERE id = 'apr_1'", 2, "leaves out what was said"),
        ("noted_seq = 4 WHERE id = 'apr_1'", 2, "leaves out what was said"),
        ("version = 1 WHERE id = 'apr_1'", 2, "leaves out what was said"),
        ("noted_seq = NULL WHERE id = 'apr_2'", 8, "leaves out what was said"),
        ("plan = NULL WHERE id = 'apr_2'", 8, "another plan or end"),
        ("expires_at = expires_at + 1 WHERE id = 'apr_1'", 2, "another plan or end"),
    ],
)
async def test_a_row_that_hides_what_was_said_is_named(threads: Threads, row: str, seq: int, words: str) -> None:
    await threads.database.write(lambda tx: tx.connection.execute(text(f"UPDATE approval SET {row}")).close())  # noqa: S608 - from this file

    (found,) = await verify(threads)
    assert (found.thread, found.seq, found.what) == ("thr_v", seq, "contradicted")
    assert words in found.said


async def test_a_row_of_before_refused_attempts_were_noted_is_whole(threads: Threads) -> None:
    sql = "UPDATE approval SET noted_seq = 6 WHERE id = 'apr_2'"
    await threads.database.write(lambda tx: tx.connection.execute(text(sql)).close())

    assert await verify(threads) == []
