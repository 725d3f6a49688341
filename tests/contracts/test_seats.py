"""What any store promises to a process that has room: what it takes in there is held from that transaction on."""

from dataclasses import dataclass, field

import pytest

from agent.errors import AlreadySeen, AlreadySettled
from store.held import HeldThread
from tests.builders import ADA, a_message
from tests.contracts.steps import REJECTED, asked, claim, length, say
from tests.contracts.stores import Store


@dataclass
class Room:
    """Any number of seats."""

    held: list[HeldThread] = field(default_factory=list)
    freed: int = 0

    def fill(self, held: HeldThread) -> None:
        """As `store.threads.Seat`."""
        self.held.append(held)

    def free(self) -> None:
        """As `store.threads.Seat`."""
        self.freed += 1


async def test_what_is_taken_in_where_there_is_room_is_held_and_nobody_is_woken(store: Store) -> None:
    room = Room()
    store.threads.seat = lambda: room
    await say(store)
    assert store.woken == []
    assert await store.threads.claim("thr_1") is None
    assert [each.thread_id for each in room.held] == ["thr_1"]
    assert (room.held[0].agent, room.held[0].attempts) == ("support", 0)
    assert [entry.seq for entry in await room.held[0].load()] == [1]
    await room.held[0].append([a_message()], 1)
    await room.held[0].release([], 2, None)
    assert await store.threads.due() == []
    await store.threads.inform("thr_1", [asked(), REJECTED])
    assert [entry.seq for entry in await room.held[1].load()] == [1, 2, 3, 4]
    await room.held[1].release([], 4, None)
    await store.threads.cancel("thr_1", ADA, "never mind")
    assert len(room.held) == 3
    assert store.woken == []


async def test_what_others_hold_is_theirs_and_its_worker_is_woken(store: Store) -> None:
    await say(store)
    other, room = await claim(store), Room()
    store.woken.clear()
    store.threads.seat = lambda: room
    await say(store, "k2")
    assert (room.held, room.freed, store.woken) == ([], 1, ["thr_1"])
    assert len(await other.load(0)) == 1
    assert await other.renew() is True


async def test_a_seat_is_free_again_when_nothing_was_taken_in(store: Store) -> None:
    await say(store)
    await store.threads.inform("thr_1", [asked(), REJECTED])
    room = Room()
    store.threads.seat = lambda: room
    with pytest.raises(AlreadySeen):
        await say(store)
    with pytest.raises(AlreadySettled):
        await store.threads.inform("thr_1", [REJECTED])
    assert (room.held, room.freed) == ([], 2)
    assert await length(store) == 3
    assert await claim(store)
