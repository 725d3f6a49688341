"""A log that grows is a value: what one holder adds, no other sees; and growing costs the same however long it is."""

from hypothesis import given
from hypothesis import strategies as st

from agent.entries import Entries, Entry
from tests.builders import a_message

MESSAGE = a_message()


def grown(log: Entries, *places: int) -> Entries:
    for place in places:
        log = log.plus(Entry(place, MESSAGE))
    return log


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 99)), max_size=40))
def test_whatever_grows_from_whatever_each_is_what_was_put_into_it(steps: list[tuple[int, int]]) -> None:
    logs: list[tuple[Entries, list[int]]] = [(Entries(), [])]
    for which, place in steps:
        log, written = logs[which % len(logs)]
        logs.append((log.plus(Entry(place, MESSAGE)), [*written, place]))

    for log, written in logs:
        assert [each.seq for each in log] == written
        assert [each.seq for each in reversed(log)] == written[::-1]
        assert [log[place].seq for place in range(-len(log), len(log))] == written * 2
        assert [each.seq for each in log[1:-1]] == written[1:-1]
        assert (len(log), bool(log)) == (len(written), bool(written))
        assert log == Entries(Entry(place, MESSAGE) for place in written)


def test_two_that_differ_are_not_equal() -> None:
    base = grown(Entries(), 1, 2)

    assert grown(base, 3) != grown(base, 4)
    assert grown(base, 3) != base
    assert base != (Entry(1, MESSAGE), Entry(2, MESSAGE))


def test_growing_copies_nothing_unless_somebody_else_grew_from_there() -> None:
    base = grown(Entries(), *range(1, 1000))
    first = grown(base, 1000)

    assert first._shared is base._shared
    assert grown(base, 1000)._shared is not base._shared
