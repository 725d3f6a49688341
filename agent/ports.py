"""What the loop needs of the world. `store`, `approvals` and `bot` provide it; nothing here knows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from agent.conversation import ApiThread, JsonObject, MailHeaders, MailThread, SlackThread
from agent.effects import RequestApproval
from agent.entries import Entry
from agent.events import ApprovalEscalated, ApprovalRequested, Event, GrantUsed, PromptStamp, ToolCall, Usage
from agent.state import ThreadState
from agent.tool import Tool


@dataclass(frozen=True, slots=True)
class UserTurn:
    """Something that people, or the engine, tell the model."""

    text: str


@dataclass(frozen=True, slots=True)
class ModelTurn:
    """What the model said before."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    api: Literal["responses", "chat"] = "responses"
    items: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultTurn:
    """What came of a call."""

    call: ToolCall
    text: str


Turn = UserTurn | ModelTurn | ResultTurn


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """All that the model is shown. It remembers nothing else."""

    model: str
    instructions: str
    prompt: PromptStamp
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...]
    may_call: bool = True
    """Whether it may answer with calls. The tools are shown all the same, since what came before speaks of them."""


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model said, in our words. Calls have no id of ours yet."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    stop: Literal["end", "calls", "length", "refusal"] = "end"
    model: str = ""
    api: Literal["responses", "chat"] = "responses"
    items: tuple[JsonObject, ...] = ()
    usage: Usage = Usage()  # noqa: RUF009 - frozen


class Model(Protocol):
    """Answers a request. Raises ModelUnavailable (after its own retries) or ModelRefused."""

    async def respond(self, request: ModelRequest) -> ModelAnswer:
        """One answer."""
        ...


class Claim(Protocol):
    """One thread, held by one worker, until it is let go or the lease runs out."""

    @property
    def thread_id(self) -> str:
        """Which thread."""
        ...

    @property
    def conversation(self) -> SlackThread | MailThread | ApiThread:
        """Where it lives."""
        ...

    @property
    def agent(self) -> str:
        """Which agent of agents.yaml works on it."""
        ...

    async def load(self, after: int = 0) -> tuple[Entry, ...]:
        """The entries after that place, in order."""
        ...

    def ensure_held(self) -> None:
        """To be called just before anything is begun that others would see. Raises Fenced when the lease may have run
        out by now, as it has in a process that was frozen."""
        ...

    async def append(self, events: Sequence[Event], after: int) -> None:
        """Write these as the next entries after `after`. Raises Conflict when there are others by now, Fenced when
        the thread is no longer held, AlreadySettled when one of them decides a decided approval."""
        ...

    async def release(self, events: Sequence[Event], after: int, wake_at: datetime | None) -> None:
        """Write these, say when to look again, and let go, all at once. Raises Conflict, and holds on, when there are
        other entries by now."""
        ...

    async def hand_back(self) -> None:
        """Let go with work left to do: another worker takes it up at once."""
        ...


class Approvals(Protocol):
    """Prepares what people are asked: its id, preview, time limit, and where its card is shown."""

    async def request(self, effect: RequestApproval, state: ThreadState) -> ApprovalRequested | GrantUsed:
        """The event to append; once a request is appended its cards are shown. A grant, where one covers the call."""
        ...

    async def escalate(self, approval_id: str, state: ThreadState) -> ApprovalEscalated:
        """The event that has more people asked, as the request itself says."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """Words on their way out."""

    thread_id: str
    reply_id: str
    text: str
    """Markdown."""
    mail: MailHeaders | None = None
    """The mail that is answered, in a mail conversation."""
    fresh: bool = True
    """False when an earlier try may have arrived: the channel looks before it sends."""
    at: datetime | None = None
    """When it was made: the same at each try, so that a mail is the same to the byte."""

    @property
    def key(self) -> str:
        """What the channel marks the message with, so that it can be found again."""
        return f"{self.thread_id}.{self.reply_id}"


Presence = Literal["working", "waiting", "idle"]


class Outbox(Protocol):
    """The one door out."""

    async def send(self, conversation: SlackThread | MailThread | ApiThread, reply: Reply) -> tuple[str, ...]:
        """The channel's ids of the message(s). Raises ChannelDown or ChannelRefused."""
        ...

    async def show_presence(self, conversation: SlackThread | MailThread | ApiThread, presence: Presence) -> None:
        """A sign in the conversation that the agent works, or waits for people. Decoration: never raises."""
        ...


class Prompt(Protocol):
    """A prompt of the deployment."""

    def render(self, variables: Mapping[str, str]) -> tuple[str, PromptStamp]:
        """The text, and what to record of it."""
        ...


class Clock(Protocol):
    """The time; a fake one in tests."""

    def now(self) -> datetime:
        """Now, in UTC."""
        ...


class Ids(Protocol):
    """Makes ids; a counting one in tests."""

    def new(self, prefix: str) -> str:
        """A new id, `<prefix>_<random>`."""
        ...
