"""What is the case on a thread: frozen values, all of them derived from its events by `agent.thread`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from agent.approval import ApprovalRecord
from agent.conversation import ApiThread, Identity, JsonObject, MailHeaders, MailThread, SlackThread
from agent.entries import Entries, Entry
from agent.events import ApprovalRequested, CallScored, MessageReceived, ModelResponded, ToolCall


@dataclass(frozen=True, slots=True)
class CallState:
    """Where one tool call of the current answer stands."""

    call: ToolCall
    status: Literal["proposed", "asked", "approved", "started", "settled"] = "proposed"
    approval_id: str = ""
    approved_digest: str = ""
    approved_arguments: JsonObject | None = None
    approved_by: str = ""
    plan: str = ""
    """The approval that its card shows it with: calls of one plan go on together."""
    grant_id: str = ""
    """The grant that it runs under, if it does."""
    scored: CallScored | None = None
    """What a judge found of it."""
    stopped: bool = False
    """Somebody stopped the work after it had started."""

    @property
    def to_run(self) -> ToolCall:
        """The call with the arguments that were approved, when they differ from those proposed."""
        if self.approved_arguments is None:
            return self.call
        return self.call.model_copy(update={"arguments": self.approved_arguments})


@dataclass(frozen=True, slots=True)
class PendingReply:
    """Words that are to be said and have not been."""

    reply_id: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenApproval:
    """An approval that nobody has decided yet."""

    seq: int
    record: ApprovalRecord
    reminded: int = 0
    overdue: int = 0
    """How many escalations' time has come; the record says how many were made."""

    @property
    def request(self) -> ApprovalRequested:
        """As it stands."""
        return self.record.request

    @property
    def plan(self) -> str:
        """The approval whose card shows it: another's, or its own."""
        return self.request.plan or self.request.approval_id


NO_CALLS: Mapping[str, CallState] = MappingProxyType({})
NO_APPROVALS: Mapping[str, OpenApproval] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ThreadState:
    """What is the case on a thread."""

    thread_id: str
    conversation: SlackThread | MailThread | ApiThread
    agent: str = ""
    entries: Entries = field(default_factory=Entries)
    calls: Mapping[str, CallState] = field(default_factory=lambda: NO_CALLS)
    """Of the latest answer that had calls, by call id, in the model's order."""
    approvals: Mapping[str, OpenApproval] = field(default_factory=lambda: NO_APPROVALS)
    """Open ones, by approval id."""
    reply: PendingReply | None = None
    unseen: tuple[Entry, ...] = ()
    """Messages that the model has not been shown."""
    news: bool = False
    """Something else happened that the model has not been shown."""
    taint: tuple[str, ...] = ()
    """Where outsiders' words on this thread came from: senders and tools, each once. Never empties again."""
    requester: Identity | None = None
    """Whoever wrote last."""
    asked_by: tuple[Identity, ...] = ()
    """Everybody who wrote since the work began, each once: all of them had a part in asking for what is done now."""
    steps: int = 0
    """Model calls since a person last had a say."""
    errors: int = 0
    """Failures in a row that the model was left to mend."""
    last_error: str = ""
    model_failures: int = 0
    retry_at: datetime | None = None
    tokens: int = 0
    """What the model's answers have taken so far: to the thread, to approvers, and about calls that it judged."""
    cancelled: bool = False
    stopped_seq: int = 0
    """Place of the latest cancellation: an answer of the model's to what was before is void."""
    closed: bool = False

    def proposal(self, call_id: str) -> ModelResponded | None:
        """The answer in which the model proposed a call."""
        for entry in reversed(self.entries):
            if isinstance(entry.event, ModelResponded) and any(each.id == call_id for each in entry.event.calls):
                return entry.event
        return None

    def requester_of(self, call_id: str) -> Identity | None:
        """Whoever wrote last of what the model had been shown when it proposed a call: a word that came after makes it
        nobody else's."""
        proposed = self.proposal(call_id)
        seen = proposed.seen if proposed else self.seq
        for entry in reversed(self.entries):
            if isinstance(entry.event, MessageReceived) and entry.seq <= seen:
                return entry.event.sender
        return self.requester

    @property
    def latest_mail(self) -> MailHeaders | None:
        """Of the latest message that was a mail."""
        mails = (e.event.mail for e in reversed(self.entries) if isinstance(e.event, MessageReceived) and e.event.mail)
        return next(mails, None)

    @property
    def seq(self) -> int:
        """Place of the latest event; 0 for an empty thread."""
        return self.entries[-1].seq if self.entries else 0
