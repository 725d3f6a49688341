"""The store in three makes, as the contract sees them: threads, and the index of approvals."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from store.approvals import ApprovalIndex
from store.connect import connect
from store.threads import Threads
from tests.fakes import FakeClock
from tests.memory import MemoryThreads
from tests.memory_approvals import MemoryApprovals
from tests.memory_tables import MemoryDatabase

LEASE = 0.4
"""Seconds: short, for tests wait until it is over; long enough for what they do within one on a busy machine."""


@dataclass
class Store:
    """One store, a clock moved by hand, and what it has called back."""

    threads: Threads | MemoryThreads
    index: ApprovalIndex | MemoryApprovals
    clock: FakeClock
    woken: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Be told."""
        self.threads.wake = lambda tx, thread_id: tx.after_commit.append(lambda: self.woken.append(thread_id))
        self.threads.cards_changed = lambda: self.cards.append("changed")


@asynccontextmanager
async def store_at(url: str) -> AsyncIterator[Store]:
    """A real one, on a database with today's schema."""
    database, clock = connect(url), FakeClock()
    try:
        yield Store(Threads(database, clock, LEASE), ApprovalIndex(database, clock, LEASE), clock)
    finally:
        await database.aclose()


def store_in_memory() -> Store:
    """The one that simulations run on."""
    clock, database = FakeClock(), MemoryDatabase(lambda: time.time_ns() // 1000)
    return Store(MemoryThreads(database, clock, LEASE), MemoryApprovals(database, clock, LEASE), clock)


MAKES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres), "memory")
