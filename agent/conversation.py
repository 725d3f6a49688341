"""Where people talk to the agent, and who they are as that place knows them. Frozen values only."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

JsonObject: TypeAlias = dict[str, JsonValue]


class Value(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tagged(Value):
    """One of several kinds of value: its kind is written even where defaults are left out."""

    tag: ClassVar[str]

    @model_serializer(mode="wrap")
    def _with_tag(self, write: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        return {self.tag: getattr(self, self.tag), **write(self)}


class Where(Tagged):
    """A place where things are said or shown."""

    tag = "channel_kind"


class SlackThread(Where):
    """A thread in a Slack channel or DM; `thread_ts` is the ts of its root message."""

    channel_kind: Literal["slack"] = "slack"
    team: str
    channel: str
    thread_ts: str

    @property
    def key(self) -> str:
        """The one spelling under which this conversation is looked up."""
        return f"slack:{self.team}:{self.channel}:{self.thread_ts}"


class MailThread(Where):
    """A mail conversation of one of our addresses, named by the Message-ID and the sender of its first mail."""

    channel_kind: Literal["mail"] = "mail"
    mailbox: str
    root: str

    @property
    def key(self) -> str:
        """The one spelling under which this conversation is looked up."""
        return f"mail:{self.mailbox}:{self.root}"


class ApiThread(Where):
    """A thread launched over REST or from the command line; its replies are read from the thread itself."""

    channel_kind: Literal["api"] = "api"
    ref: str

    @property
    def key(self) -> str:
        """The one spelling under which this conversation is looked up."""
        return f"api:{self.ref}"


Conversation = Annotated[SlackThread | MailThread | ApiThread, Field(discriminator="channel_kind")]


class SlackUser(Where):
    """A person's DM in one Slack workspace."""

    channel_kind: Literal["slack_user"] = "slack_user"
    team: str
    user: str
    person: str

    @property
    def key(self) -> str:
        """The one spelling of this address."""
        return f"slack_user:{self.team}:{self.user}"


class MailAddress(Where):
    """A person's mailbox."""

    channel_kind: Literal["mail_address"] = "mail_address"
    address: str
    person: str

    @property
    def key(self) -> str:
        """The one spelling of this address."""
        return f"mail_address:{self.address}"


class Hook(Where):
    """The URL that is told of every approval: which one it is, the deployment says."""

    channel_kind: Literal["hook"] = "hook"

    @property
    def key(self) -> str:
        """The one spelling of this address."""
        return "hook:"


Destination: TypeAlias = SlackThread | SlackUser | MailAddress | Hook
"""Where a card can be shown."""
Address = Annotated[Destination, Field(discriminator="channel_kind")]


class Identity(Value):
    """Somebody as a channel knows them. Never proof of a person by itself: `approvals.people` looks it up."""

    channel: Literal["slack", "mail", "api", "cli"]
    id: str
    """Slack user id, mail address, or person id (api, cli: those authenticated by a token)."""
    team: str = ""
    """The Slack workspace the user belongs to."""
    name: str = ""
    verified: bool = True
    """False for a mail whose sender could not be authenticated."""

    @property
    def key(self) -> str:
        """The one spelling of this identity."""
        return f"{self.channel}:{self.team}:{self.id}"


class MailHeaders(Value):
    """What an answer must carry to land under this mail (RFC 5322 section 3.6.4)."""

    message_id: str
    subject: str = ""
    references: tuple[str, ...] = ()
    reply_address: str = ""
    """Where an answer goes: the sender, or their Reply-To where it may be trusted."""


class AttachmentNote(Value):
    """That a file came along; `note` says why it was not taken in, if it was not."""

    name: str
    media_type: str
    size: int
    note: str = ""
