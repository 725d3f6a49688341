"""Looking back at threads, on both databases: each once, a page at a time, with its own log."""

from datetime import timedelta

from agent.conversation import ApiThread
from agent.events import ModelResponded
from store import past
from store.database import Database
from store.threads import Threads
from tests.builders import AT, a_call, a_message
from tests.fakes import FakeClock


async def _begin(database: Database, number: int, *, answered: bool = True) -> None:
    threads, place = Threads(database, FakeClock()), ApiThread(ref=str(number))
    at = AT + timedelta(hours=number)
    said = a_message(at=at, delivery_id=f"d{number}")
    await threads.take_in(place, said, keys=[f"k{number}"], new_id=f"thr_{number}", agent="support")
    if answered:
        call = a_call("look_up", order_id=str(number))
        await threads.inform(f"thr_{number}", [ModelResponded(at=at, seen=1, calls=(call,), stop="calls")])


async def test_every_thread_with_an_answer_is_found_once_however_the_pages_fall(database: Database) -> None:
    for number in range(7):
        await _begin(database, number, answered=number != 3)

    for page in (1, 2, 3, 7, 100):
        found = [each async for each in past.threads(database, page=page)]
        assert [each.id for each in found] == [f"thr_{number}" for number in (0, 1, 2, 4, 5, 6)]
        assert all(len(each.entries) == 2 and each.agent == "support" for each in found)


async def test_only_threads_with_an_answer_since_then_are_found(database: Database) -> None:
    for number in range(3):
        await _begin(database, number)

    found = [each.id async for each in past.threads(database, AT + timedelta(hours=1))]

    assert found == ["thr_1", "thr_2"]


async def test_one_thread_is_found_by_its_id(database: Database) -> None:
    await _begin(database, 1)

    found = await past.thread(database, "thr_1")

    assert found is not None
    assert (found.conversation, len(found.entries)) == (ApiThread(ref="1"), 2)
    assert await past.thread(database, "thr_2") is None
