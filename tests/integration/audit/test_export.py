"""What an auditor is handed: every decision and what led to it, in order, without anybody's words but reasons."""

import csv
import io
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.database import Database
from store.export import facts
from store.facts import COLUMNS, Fact, csv_head, csv_line, digest_of, json_line, safe_cell
from store.threads import Threads
from tests.audited import SECRET, tell
from tests.builders import AT
from tests.fakes import FakeClock


@pytest.fixture
async def threads(database: Database) -> Threads:
    """With a history."""
    found = Threads(database, FakeClock())
    await tell(found)
    return found


async def told(database: Database, **bounds: object) -> list[Fact]:
    return [each async for each in facts(database, page=3, **bounds)]  # type: ignore[arg-type]  # moments


async def test_the_facts_of_a_refund_in_order(threads: Threads) -> None:
    found = await told(threads.database)
    assert [(each["thread"], each["seq"], each["kind"]) for each in found] == [
        ("thr_a", 1, "message_received"),
        ("thr_a", 2, "model_responded"),
        ("thr_a", 3, "approval_requested"),
        ("thr_a", 4, "approval_decided"),
        ("thr_a", 5, "tool_started"),
        ("thr_a", 6, "tool_returned"),
        ("thr_a", 7, "model_responded"),
        ("thr_a", 8, "approval_requested"),
        ("thr_a", 9, "approval_decided"),
        ("thr_b", 1, "message_received"),
        ("thr_b", 2, "thread_cancelled"),
    ]
    asked, decided = found[2], found[3]
    arguments = digest_of({"order_id": SECRET, "amount": 20.0})
    assert asked | {"who": "slack:T0:U0ADA", "tool": "refund", "arguments": arguments, "rule": "money"} == asked
    assert asked | {"why": "It moves money.", "digest": "d1", "approval": "apr_1", "call": "c1"} == asked
    assert decided | {"who": "slack:T0:U0DANA", "person": "dana", "via": "slack", "outcome": "approved"} == decided
    assert found[1]["more"]["calls"] == [{"call": "c1", "tool": "refund", "arguments": arguments}]  # type: ignore[index, call-overload]  # an object
    assert SECRET not in json.dumps(found)


async def test_a_time_is_from_and_up_to(threads: Threads) -> None:
    second = timedelta(seconds=1)
    assert len(await told(threads.database, since=AT, before=AT + second)) == 11
    assert await told(threads.database, since=AT + second) == []
    assert await told(threads.database, before=AT) == []


async def test_a_table_says_the_same_as_the_lines(threads: Threads) -> None:
    found = await told(threads.database)
    rows = list(csv.DictReader(io.StringIO(csv_head() + "".join(map(csv_line, found)))))
    assert list(rows[0]) == list(COLUMNS)
    lines = [json.loads(json_line(each)) for each in found]
    assert [(row["thread"], row["seq"], row["hash"]) for row in rows] == [
        (each["thread"], str(each["seq"]), each["hash"]) for each in lines
    ]
    assert rows[8]["reason"] == "'=cmd|' /C calc'!A0"
    assert lines[8]["reason"] == "=cmd|' /C calc'!A0"


@given(st.text(max_size=20), st.sampled_from(["", "=", "+", "-", "@", "\t", " =", "\ufeff=", "＝", "|"]))  # noqa: RUF001 - the wide one is meant
def test_no_cell_begins_as_a_formula_does(text: str, prefix: str) -> None:
    cell = safe_cell(prefix + text)
    assert not cell.lstrip(" \u00a0\ufeff").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "＝"))  # noqa: RUF001 - as above
    assert cell.removeprefix("'") == (prefix + text).removeprefix("'")
    [row] = csv.reader(io.StringIO(csv_line({"name": prefix + text}), newline=""))
    assert len(row) == len(COLUMNS)
