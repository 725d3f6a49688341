"""Turns: bounds are kept, everybody is served, nobody waits for another's thousand."""

from hypothesis import given
from hypothesis import strategies as st

from bot.turns import Bounds, Turns, Whose

WIDE = Bounds(total=16, person=8)


def whose(person: str, agent: str = "support") -> Whose:
    return Whose(agent, person)


def crowd(turns: Turns, person: str, count: int, agent: str = "support") -> None:
    """So many threads of one person, offered and known."""
    names = [f"{person}{number}" for number in range(count)]
    for name in names:
        turns.offer(name)
    turns.learn(dict.fromkeys(names, whose(person, agent)))


def taken(turns: Turns) -> list[str]:
    """All that may start now."""
    found = []
    while (each := turns.take()) is not None:
        found.append(each)
    return found


def test_no_seat_is_kept_for_more_than_any_one_person_or_agent_may_have() -> None:
    turns = Turns(Bounds(total=4, person=3, agents={"support": 2}))
    assert [turns.reserve() for _ in range(3)] == [True, True, False]
    turns.seat("a")
    assert (turns.reserved, turns.reserve()) == (1, False)


def test_while_there_is_little_to_do_nobody_asks_whose_it_is() -> None:
    turns = Turns(WIDE)
    for number in range(8):
        turns.offer(str(number))
        assert turns.unknown() == []
        assert turns.take() == str(number)
    turns.offer("8")
    assert set(turns.unknown()) == {str(number) for number in range(9)}


def test_nobody_has_more_than_their_share_and_the_rest_is_for_others() -> None:
    turns = Turns(WIDE)
    crowd(turns, "ada", 1000)
    assert len(taken(turns)) == 8
    crowd(turns, "dana", 1)
    assert taken(turns) == ["dana0"]
    assert len(turns.running) == 9


def test_a_newcomer_waits_for_one_thread_of_a_thousand() -> None:
    turns = Turns(Bounds(total=4, person=4))
    crowd(turns, "ada", 1000)
    running = taken(turns)
    crowd(turns, "dana", 1)
    turns.done(running[0])
    crowd(turns, "lee", 1)
    turns.done(running[1])
    assert "dana0" in taken(turns)[:2]


def test_also_a_process_with_one_worker_serves_everybody_in_turn() -> None:
    turns = Watched(Bounds(total=1, person=1, agents={"a0": 1}))
    for number in ("0", "6", "12", "18", "1"):  # four of one person, then one of another
        turns.offer(number)
    order = []
    while (each := turns.start()) is not None:
        order.append(each)
        turns.done(each)
    assert order == ["0", "1", "6", "12", "18"]


def test_those_who_wait_are_served_in_turn() -> None:
    turns = Turns(Bounds(total=1, person=1))
    crowd(turns, "ada", 3)
    crowd(turns, "dana", 3)
    order = []
    while (each := turns.take()) is not None:
        order.append(each)
        turns.done(each)
    assert order == ["ada0", "dana0", "ada1", "dana1", "ada2", "dana2"]


def test_an_agent_may_have_a_bound_of_its_own() -> None:
    turns = Turns(Bounds(total=16, person=16, agents={"slow": 2}))
    crowd(turns, "ada", 5, agent="slow")
    crowd(turns, "dana", 5)
    assert sorted(taken(turns)) == ["ada0", "ada1", "dana0", "dana1", "dana2", "dana3", "dana4"]


def test_what_is_offered_while_it_runs_is_looked_at_again() -> None:
    turns = Turns(WIDE)
    turns.offer("a")
    assert turns.take() == "a"
    turns.offer("a")
    assert turns.take() is None
    turns.done("a")
    assert turns.take() == "a"
    turns.done("a")
    assert turns.take() is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.integers(0, 30)),
        st.tuples(st.just("take"), st.just(0)),
        st.tuples(st.just("done"), st.integers(0, 30)),
        st.tuples(st.just("reserve"), st.just(0)),
        st.tuples(st.just("seat"), st.integers(0, 30)),
    ),
    max_size=120,
)


OWNER = {str(n): Whose(f"a{n % 2}", f"p{n % 3}") for n in range(31)}


class Watched(Turns):
    """Learns what it must, and checks the bounds whenever one more has started."""

    def start(self) -> str | None:
        self.learn({each: OWNER[each] for each in self.unknown()})
        started = self.take()
        running = [OWNER[each] for each in self.running]
        assert len(running) <= self.bounds.total
        for person in ("p0", "p1", "p2"):
            assert sum(each.person == person for each in running) <= self.bounds.person
        assert sum(each.agent == "a0" for each in running) <= self.bounds.agents["a0"]
        return started


@given(steps=STEPS, total=st.integers(1, 6), person=st.integers(1, 4), agent=st.integers(1, 4))
def test_no_bound_is_ever_passed_and_nothing_offered_is_lost(
    steps: list[tuple[str, int]], total: int, person: int, agent: int
) -> None:
    turns = Watched(Bounds(total, person, {"a0": agent}))
    wanted: set[str | None] = set()
    for step, number in steps:
        name = str(number)
        match step:
            case "offer":
                turns.offer(name)
                wanted.add(name)
            case "done":
                turns.done(name)
            case "reserve":
                turns.reserve()
            case "seat" if turns.reserved and name not in turns.running:
                turns.seat(name)
                wanted.discard(name)
            case _:
                wanted.discard(turns.start())
    turns.reserved = 0
    for _ in range(200):
        wanted.discard(turns.start())
        for each in list(turns.running):
            turns.done(each)
    assert not wanted
    assert not turns.waiting
