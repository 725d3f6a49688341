"""The rows of the store in memory, and transactions on them: plain functions, run at once, whole or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from agent.conversation import ApiThread, Destination, MailThread, SlackThread
from agent.entries import Entry
from agent.events import Event
from store import codec

Conversation = SlackThread | MailThread | ApiThread
K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """As `store.tables.ThreadRow`."""

    id: str
    conversation: Conversation
    agent: str
    head: bytes
    last_seq: int = 0
    done_seq: int = 0
    epoch: int = 0
    lease_until: int = 0
    wake_at: int | None = None
    not_before: int = 0
    attempts: int = 0
    status: str = "active"


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """As `store.tables.ApprovalRow`."""

    thread_id: str
    status: str
    asked_seq: int
    expires_at: int
    decided_seq: int | None = None
    outcome_seq: int | None = None
    version: int = 0
    noted_seq: int | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """As `store.tables.GrantRow`."""

    tool: str
    thread_id: str
    given_by: str
    seq: int
    until: int
    uses: int | None
    used: int = 0
    revoked_seq: int | None = None


@dataclass(frozen=True, slots=True)
class CardRow:
    """As `store.tables.CardRow`."""

    address: Destination
    wanted: int = 1
    shown: int = 0
    receipt: str = ""
    tried: bool = False
    attempts: int = 0
    not_before: int = 0
    lease_until: int = 0


@dataclass
class Tables:
    """All rows."""

    threads: dict[str, ThreadRow] = field(default_factory=dict)
    by_conversation: dict[str, str] = field(default_factory=dict)
    events: dict[tuple[str, int], tuple[codec.Link, Event]] = field(default_factory=dict)
    deliveries: dict[str, str] = field(default_factory=dict)
    landmarks: dict[str, str] = field(default_factory=dict)
    approvals: dict[str, ApprovalRow] = field(default_factory=dict)
    cards: dict[tuple[str, str], CardRow] = field(default_factory=dict)
    grants: dict[str, GrantRow] = field(default_factory=dict)
    says: dict[tuple[str, str], int] = field(default_factory=dict)
    """By person and approval, when they last had a say."""

    def entries(self, thread_id: str, after: int) -> tuple[Entry, ...]:
        """The log from there on."""
        row = self.threads.get(thread_id)
        places = range(after + 1, row.last_seq + 1) if row else range(0)
        return tuple(Entry(seq, self.events[thread_id, seq][1]) for seq in places)


@dataclass
class MemoryTx:
    """A running transaction: its moment by the database's clock, and how to take it back."""

    tables: Tables
    now: int
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)

    def put(self, table: dict[K, V], key: K, value: V) -> None:
        """Write a row."""
        before = table.get(key)
        self.undo.append(lambda: table.pop(key) if before is None else table.update({key: before}))
        table[key] = value


class MemoryDatabase:
    """Runs transactions, each at once and whole. `now` is its clock, in microseconds since 1970."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.tables = Tables()
        self.now = now

    def transact(self, work: Callable[[MemoryTx], T]) -> tuple[T, list[Callable[[], None]]]:
        """The result, and what is to be called once that is known."""
        tx = MemoryTx(self.tables, self.now())
        try:
            return work(tx), tx.after_commit
        except Exception:
            for step in reversed(tx.undo):
                step()
            raise

    def look(self, work: Callable[[MemoryTx], T]) -> T:
        """Without writing."""
        return work(MemoryTx(self.tables, self.now()))

    async def write(self, work: Callable[[MemoryTx], T]) -> T:
        """As `store.database.Database.write`."""
        result, callbacks = self.transact(work)
        for callback in callbacks:
            callback()
        return result

    async def read(self, work: Callable[[MemoryTx], T]) -> T:
        """As `store.database.Database.read`."""
        return self.look(work)
