"""Who and where: teams, people, channels, installations of the app. Values, and the look-ups made in them."""

from dataclasses import dataclass, field

from sandbox.slack.refused import Json, Refused
from sandbox.slack.schema import names

DEFAULT_SCOPES = names(
    "app_mentions:read assistant:write chat:write channels:history groups:history im:history mpim:history channels:read"
    " groups:read im:read mpim:read im:write files:read reactions:write usergroups:read users:read users:read.email"
)
"""What the manifest asks for."""

CHANNEL_SCOPES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
"""The scope family of each kind of conversation."""
LISTED_AS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace."""

    id: str
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot. One of another team is external: seen only in shared channels."""

    id: str
    name: str
    real_name: str
    team_id: str
    email: str = ""
    title: str = ""
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    bot_id: str = ""

    def as_json(self, *, home_team: str, with_email: bool) -> Json:
        """The user object, as `users.info` gives it to an app installed in `home_team`."""
        profile = {"real_name": self.real_name, "display_name": self.name, "title": self.title, "team": self.team_id}
        if with_email and self.email:
            profile["email"] = self.email
        body: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "is_bot": self.is_bot,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_app_user": False,
            "tz": "Etc/UTC",
            "tz_offset": 0,
            "profile": profile,
        }
        if self.team_id != home_team:
            body["is_stranger"] = True
        return body


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation: channel (public), group (private), im or mpim."""

    id: str
    name: str
    team_id: str
    kind: str = "channel"
    members: frozenset[str] = frozenset()
    topic: str = ""
    user: str = ""
    is_ext_shared: bool = False
    is_pending_ext_shared: bool = False
    is_archived: bool = False

    def as_json(self, created: int = 1_700_000_000) -> Json:
        """The conversation object."""
        body: Json = {
            "id": self.id,
            "created": created,
            "is_archived": self.is_archived,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_org_shared": False,
            "is_ext_shared": self.is_ext_shared,
            "is_pending_ext_shared": self.is_pending_ext_shared,
            "context_team_id": self.team_id,
        }
        if self.kind == "im":
            return {**body, "user": self.user, "is_user_deleted": False}
        return {**body, "name": self.name, "name_normalized": self.name, "topic": {"value": self.topic}}


@dataclass(frozen=True, slots=True)
class Installation:
    """The app in one team: its bot user and the token that speaks for it."""

    team_id: str
    token: str
    bot_user: str
    bot_id: str
    scopes: frozenset[str] = DEFAULT_SCOPES
    revoked: bool = False


@dataclass
class Directory:
    """All of them, by id."""

    teams: dict[str, Team] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """User groups: id to the ids of their members."""
    installations: dict[str, Installation] = field(default_factory=dict)
    """By team."""

    def user(self, user_id: str, error: str = "user_not_found") -> User:
        """The user; raises Refused."""
        if user_id not in self.users:
            raise Refused(error)
        return self.users[user_id]

    def channel(self, channel_id: object, install: Installation) -> Channel:
        """The conversation as this bot may see it: private ones only from inside. Raises Refused(channel_not_found)."""
        channel = self.channels.get(channel_id) if isinstance(channel_id, str) else None
        if channel is None or not self.visible(channel, install):
            raise Refused("channel_not_found")
        return channel

    def visible(self, channel: Channel, install: Installation) -> bool:
        """Whether the bot may know of it."""
        inside = install.bot_user in channel.members
        return inside or (channel.kind == "channel" and channel.team_id == install.team_id)

    def installation_in(self, channel: Channel) -> Installation | None:
        """The installation whose bot is in the conversation, if any."""
        inside = (one for one in self.installations.values() if one.bot_user in channel.members and not one.revoked)
        return next(inside, None)

    def im(self, user_id: str, install: Installation) -> Channel | None:
        """The direct conversation of this person with the bot, once opened."""
        both = frozenset({user_id, install.bot_user})
        return next((c for c in self.channels.values() if c.kind == "im" and c.members == both), None)
