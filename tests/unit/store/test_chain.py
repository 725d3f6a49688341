"""Whatever one hand does to the rows of a random log is found, and named by thread, place and kind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import codec
from store.chain import Finding, Row, Walk
from tests.builders import AT, a_message

NAME = "thr_1"


def a_log(length: int) -> list[Row]:
    """Rows as the store writes them."""
    events = [a_message(f"Line {n}", at=AT + timedelta(seconds=n), delivery_id=f"d{n}") for n in range(1, length + 1)]
    links = codec.chained(events, 0, codec.genesis(NAME))
    return [Row(each.seq, each.kind, each.at, each.body, each.digest, each.hash) for each in links]


def verdict(rows: list[Row], length: int | None = None, head: bytes | None = None) -> list[Finding]:
    """What is found, when the thread's row names this length and last hash."""
    walk = Walk(NAME)
    for row in rows:
        walk.see(row)
    return walk.end(len(rows) if length is None else length, rows[-1].hash if head is None else head)


def places(found: list[Finding]) -> set[tuple[int, str]]:
    return {(each.seq, each.what) for each in found}


LENGTHS = st.integers(1, 30)


@given(LENGTHS)
def test_a_log_that_nobody_touched_is_whole(length: int) -> None:
    assert verdict(a_log(length)) == []


@given(LENGTHS, st.data())
@settings(max_examples=200)
def test_one_changed_field_is_found_where_it_is(length: int, draw: st.DataObject) -> None:
    rows = a_log(length)
    place = draw.draw(st.integers(1, length))
    row = rows[place - 1]
    change = draw.draw(
        st.sampled_from(
            [
                {"body": row.body.replace("Line", "Lime")},
                {"kind": "thread_closed"},
                {"at": row.at + 1},
                {"digest": bytes(32)},
                {"hash": bytes(31) + b"1"},
            ]
        )
    )
    rows[place - 1] = replace(row, **change)  # type: ignore[arg-type]  # names are those of Row
    assert places(verdict(rows, head=a_log(length)[-1].hash)) == {(place, "changed")}


@given(LENGTHS, st.data())
def test_an_event_forged_with_its_digest_and_hash_is_found_there_or_right_behind_it(
    length: int, draw: st.DataObject
) -> None:
    rows = a_log(length)
    place = draw.draw(st.integers(1, length))
    row, before = rows[place - 1], rows[place - 2].hash if place > 1 else codec.genesis(NAME)
    body = row.body.replace("Line", "Lime")
    digest = codec.digest_of(body)
    forged = codec.link_hash(before, place, row.kind, row.at, digest)
    rows[place - 1] = replace(row, body=body, digest=digest, hash=forged)
    [found] = verdict(rows, head=a_log(length)[-1].hash)
    assert (found.thread, found.what) == (NAME, "changed")
    assert found.seq == min(place + 1, length)


@given(st.integers(2, 30), st.data())
@settings(max_examples=200)
def test_a_removed_event_is_found_whether_or_not_the_later_ones_are_numbered_anew(
    length: int, draw: st.DataObject
) -> None:
    rows, place = a_log(length), draw.draw(st.integers(1, length))
    head = rows[-1].hash
    del rows[place - 1]
    if draw.draw(st.booleans()):
        rows = [replace(row, seq=seq) for seq, row in enumerate(rows, start=1)]
    found = verdict(rows, length, head)
    assert found
    assert found[0].seq == place
    assert found[0].what in ({"cut"} if place == length else {"removed", "changed", "cut"})
    if place < length - 1:
        assert places(found) == {(place, "removed")}


@given(st.integers(2, 30), st.data())
@settings(max_examples=300)
def test_two_that_have_changed_places_are_named_and_no_other(length: int, draw: st.DataObject) -> None:
    rows = a_log(length)
    one, other = sorted(draw.draw(st.lists(st.integers(1, length), min_size=2, max_size=2, unique=True)))
    head = rows[-1].hash
    first, second = rows[one - 1], rows[other - 1]
    rows[one - 1], rows[other - 1] = replace(second, seq=one), replace(first, seq=other)
    found = verdict(rows, head=head)
    assert {each.seq for each in found} >= {one, other}
    assert places(found) == {(one, "moved"), (other, "moved")}


@given(LENGTHS, st.data())
@settings(max_examples=200)
def test_an_event_put_in_is_found_with_or_without_a_fitting_hash(length: int, draw: st.DataObject) -> None:
    rows, place = a_log(length), draw.draw(st.integers(1, length + 1))
    head = rows[-1].hash
    before = rows[place - 2].hash if place > 1 else codec.genesis(NAME)
    body = codec.body_of(a_message("Put in"))
    digest = codec.digest_of(body)
    at = codec.micros(AT)
    link = codec.link_hash(before, place, "message_received", at, digest) if draw.draw(st.booleans()) else bytes(32)
    moved = [replace(row, seq=row.seq + 1) for row in rows[place - 1 :]]
    rows = [*rows[: place - 1], Row(place, "message_received", at, body, digest, link), *moved]
    length_told = draw.draw(st.sampled_from([length, length + 1]))
    found = verdict(rows, length_told, head)
    assert found[0].seq == place
    assert found[0].what in {"inserted", "changed"}
    if length_told == length and place < length:
        assert places(found) == {(place, "inserted")}


@given(st.integers(2, 30), st.data())
def test_a_cut_tail_is_found(length: int, draw: st.DataObject) -> None:
    rows, left = a_log(length), draw.draw(st.integers(1, length - 1))
    assert places(verdict(rows[:left], length, rows[-1].hash)) == {(left + 1, "cut")}
    assert {each.seq for each in verdict(rows[:left], left, rows[-1].hash)} == {left}


def test_a_gap_tells_its_ends() -> None:
    rows = a_log(9)
    [found] = verdict(rows[:2] + rows[5:], 9)
    assert (found.seq, found.what) == (3, "removed")
    assert "up to 5" in found.said


def test_a_log_that_is_all_wrong_is_told_in_bounded_time() -> None:
    rows = [replace(row, hash=bytes(32)) for row in a_log(2_000)]
    assert len(verdict(rows)) >= 1_900


@pytest.mark.parametrize("digest", [None, b""])
def test_a_row_without_a_digest_has_that_of_its_body(digest: bytes | None) -> None:
    rows = [replace(row, digest=digest) for row in a_log(3)]
    assert verdict(rows) == []
    rows[1] = replace(rows[1], body=rows[1].body.replace("Line", "Lime"))
    assert places(verdict(rows)) == {(2, "changed")}
