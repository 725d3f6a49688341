"""The whole state of the stand-in: one object that API methods change, hands act in and the page reads. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack import limits
from sandbox.slack.directory import Channel, Directory, Installation
from sandbox.slack.feed import Feed
from sandbox.slack.messages import Clock, IdMaker, Message, Messages
from sandbox.slack.refused import Json
from sandbox.slack.schema import names
from sandbox.slack.tickets import Tickets
from sandbox.slack.views import Views

SUBSCRIPTIONS = names(
    "app_mention message.im message.channels message.groups message.mpim app_home_opened app_context_changed"
    " agent_session_stopped tokens_revoked app_uninstalled"
)
"""What the manifest subscribes to."""


@dataclass
class App:
    """The bot's app as its manifest would make it. `rate_limited` allows one message a second in each channel."""

    id: str
    name: str
    subscriptions: frozenset[str] = SUBSCRIPTIONS
    rate_limited: bool = False
    stream_life: float = limits.STREAM_LIFE


@dataclass(frozen=True, slots=True)
class Status:
    """The line "… is thinking" of one thread."""

    text: str
    loading_messages: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Session:
    """An agent session of one thread: processing, active, suspended or closed."""

    status: str
    title: str = ""
    initiator: str = ""


@dataclass
class Workspace:
    """Everything that is. `echo` is called with each event that Slack would send the app because of a change."""

    app: App
    clock: Clock
    ids: IdMaker
    directory: Directory
    base_url: str = ""
    echo: Callable[[Json, Channel], None] = lambda _event, _channel: None
    warnings: list[Json] = field(default_factory=list)
    statuses: dict[tuple[str, str], Status] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    prompts: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    posted: dict[str, float] = field(default_factory=dict)
    feed: Feed = field(default_factory=Feed)

    def __post_init__(self) -> None:
        self.messages = Messages(self.clock)
        self.views = Views(self.ids)
        self.tickets = Tickets(self.clock, self.ids)

    def warn(self, code: str, **details: Any) -> None:  # noqa: ANN401 - any JSON value
        """Keep something that Slack lets pass but a good bot avoids."""
        self.warnings.append({"code": code, **details})

    def status(self, channel: str, thread_ts: str) -> Status | None:
        """The status line of a thread while it lasts: two minutes."""
        status = self.statuses.get((channel, thread_ts))
        expired = status is not None and self.clock() - status.at > limits.STATUS_LIFE
        return None if expired else status

    def set_status(self, channel: str, thread_ts: str, status: Status | None) -> None:
        """Set or clear it."""
        self.statuses.pop((channel, thread_ts), None)
        if status is not None:
            self.statuses[(channel, thread_ts)] = status
        self.feed.tell("status", channel=channel, thread_ts=thread_ts)

    def set_session(self, channel: str, thread_ts: str, session: Session) -> None:
        """Move an agent session."""
        self.sessions[(channel, thread_ts)] = session
        self.feed.tell("status", channel=channel, thread_ts=thread_ts)

    def open_im(self, user_id: str, install: Installation) -> Channel:
        """The direct conversation of a person with the bot, made at need."""
        known = self.directory.im(user_id, install)
        if known is not None:
            return known
        both = frozenset({user_id, install.bot_user})
        channel = Channel(self.ids("D").upper(), "", install.team_id, "im", both, user=user_id)
        self.directory.channels[channel.id] = channel
        self.feed.tell("channel", channel=channel.id)
        return channel

    def show(self, message: Message) -> Message:
        """Put a message where its readers see it."""
        self.messages.put(message)
        self.feed.tell("message", channel=message.channel, ts=message.ts)
        return message
