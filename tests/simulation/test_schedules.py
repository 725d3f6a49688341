"""Thousands of worlds in which everything goes wrong in another order; no promise may be broken in any of them.

Hypothesis draws the tape that all chance comes from, and makes a failing one short; the message tells it in words and
says how to see it again. Longer runs: `python -m tests.simulation --schedules 10000 --seed 7`.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import memory_projection
from tests.memory import MemoryHeld, MemoryThreads
from tests.memory_tables import MemoryTx, ThreadRow
from tests.simulation.__main__ import drawn, told
from tests.simulation.schedule import play
from tests.simulation.tape import CHUNK, Tape, shortest

FIXED = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
CHUNKS = st.binary(min_size=CHUNK, max_size=CHUNK)


@settings(FIXED, max_examples=200)
@given(st.data())
def test_every_promise_is_kept_whatever_fails_and_in_whatever_order(data: st.DataObject) -> None:
    verdict = play(Tape(lambda: data.draw(CHUNKS)))
    assert not verdict.problems, told(verdict.tape, is_memory=True)


@settings(FIXED, max_examples=50)
@given(st.data())
def test_every_promise_is_kept_by_the_statements_of_the_real_store(data: st.DataObject) -> None:
    verdict = play(Tape(lambda: data.draw(CHUNKS)), is_memory=False)
    assert not verdict.problems, told(verdict.tape, is_memory=False)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("is_memory", [True, False])
def test_a_schedule_can_be_seen_again_exactly(number: int, is_memory: bool) -> None:
    first = play(drawn(11, number), is_memory=is_memory, tells=True)
    again = play(Tape.of(first.tape), is_memory=is_memory, tells=True)
    assert again == first


def test_a_store_without_a_fence_is_found_out_and_the_story_is_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def anybody(self: MemoryHeld, tx: MemoryTx) -> ThreadRow:
        return tx.tables.threads[self.thread_id]

    monkeypatch.setattr(MemoryHeld, "_held", anybody)
    failed = next(verdict for verdict in map(play, (drawn(3, number) for number in range(500))) if verdict.problems)
    tape = shortest(failed.tape, lambda each: bool(play(Tape.of(each)).problems), tries=25)
    assert play(Tape.of(tape)).problems
    assert len(tape) <= len(failed.tape)


def test_a_lost_timer_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    release = MemoryHeld.release
    monkeypatch.setattr(MemoryHeld, "release", lambda self, events, after, _: release(self, events, after, None))
    assert any(play(drawn(3, number)).problems for number in range(100))


def test_a_message_taken_in_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in = MemoryThreads.take_in
    monkeypatch.setattr(
        MemoryThreads, "take_in", lambda self, *args, keys, **rest: take_in(self, *args, keys=[], **rest)
    )
    assert any(play(drawn(3, number)).problems for number in range(100))


def test_a_use_that_is_not_counted_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_projection, "_change_grant", lambda *_: None)
    assert any("was used" in problem for n in range(200) for problem in play(drawn(3, n)).problems)
