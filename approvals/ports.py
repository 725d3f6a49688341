"""What the gate needs of the world; `store` provides it."""

from collections.abc import Sequence
from typing import Protocol

from agent.approval import ApprovalRecord
from agent.conversation import ApiThread, MailThread, SlackThread
from agent.entries import Entry
from agent.events import ApprovalDecided, ApprovalRequested, Event, ToolFailed, ToolReturned
from agent.grant import GrantFacts

Conversation = SlackThread | MailThread | ApiThread


class Facts(Protocol):
    """What the log says of one approval."""

    @property
    def approval_id(self) -> str:
        """Which."""
        ...

    @property
    def thread_id(self) -> str:
        """Where it was asked."""
        ...

    @property
    def record(self) -> ApprovalRecord:
        """All of it."""
        ...

    @property
    def request(self) -> ApprovalRequested:
        """What is asked, as it stands."""
        ...

    @property
    def decided(self) -> ApprovalDecided | None:
        """What was decided."""
        ...

    @property
    def outcome(self) -> ToolReturned | ToolFailed | None:
        """What came of it."""
        ...

    @property
    def mates(self) -> Sequence["Facts"]:
        """The others of its plan, when its card shows them, too."""
        ...


class Index(Protocol):
    """Finds approvals and grants."""

    async def facts(self, approval_id: str) -> Facts | None:
        """What the log says of it."""
        ...

    async def grant(self, grant_id: str) -> GrantFacts | None:
        """One grant."""
        ...

    async def grants_for(self, tool: str) -> Sequence[GrantFacts]:
        """Those that stand for calls of this tool."""
        ...


class Log(Protocol):
    """The threads, as far as the gate needs them."""

    async def entries(self, thread_id: str, after: int = 0) -> tuple[Entry, ...]:
        """The log of a thread."""
        ...

    async def inform(self, thread_id: str, events: Sequence[Event]) -> None:
        """Append these and wake the thread. Raises AlreadySettled, and Conflict when others had their say first."""
        ...

    async def conversation(self, thread_id: str) -> Conversation | None:
        """Where a thread lives."""
        ...

    async def owners(self, thread_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """The agent and the person who began it, of each of these threads."""
        ...
