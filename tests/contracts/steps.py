"""What the tests of the contract do first: somebody writes, somebody holds the thread, an approval is asked for."""

from datetime import timedelta

from agent.events import (
    ApprovalDecided,
    ApprovalRequested,
)
from agent.verdict import Rejected
from store.held import HeldThread
from tests.builders import AT, LEADS, PLACE, a_message
from tests.contracts.stores import Store
from tests.memory import MemoryHeld

REJECTED = ApprovalDecided(at=AT, approval_id="apr_1", decision=Rejected(reason="no"))


async def say(store: Store, key: str = "k1") -> str:
    """Somebody writes; the thread."""
    found = await store.threads.take_in(PLACE, a_message(), keys=[key], new_id="thr_1", agent="support")
    assert found
    return found


async def claim(store: Store) -> HeldThread | MemoryHeld:
    """Hold that thread."""
    held = await store.threads.claim("thr_1")
    assert held
    return held


async def length(store: Store) -> int:
    """How long its log is, without a gap."""
    entries = await store.threads.entries("thr_1")
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    return len(entries)


def asked(approval_id: str = "apr_1") -> ApprovalRequested:
    """An approval is asked for."""
    return ApprovalRequested(
        at=AT,
        approval_id=approval_id,
        about="call",
        call_id="c1",
        title="t",
        why="w",
        rule="r",
        approvers=LEADS,
        expires_at=AT + timedelta(hours=1),
        shown_on=(PLACE,),
    )
