"""What every hand of a person stands on: the workspace, the post, and how an event gets from one to the other."""

from dataclasses import dataclass

from sandbox.slack import events
from sandbox.slack.directory import Channel, Installation, Team, User
from sandbox.slack.messages import Message
from sandbox.slack.post import Answer, Parcel, Post
from sandbox.slack.refused import Json, NotPossible
from sandbox.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it was said, and what the bot answered to each event about it, in order of delivery."""

    ts: str
    channel: str
    answers: tuple[Answer, ...] = ()

    @property
    def ok(self) -> bool:
        """Every event was answered 2xx in time."""
        return all(answer.ok for answer in self.answers)


class Desk:
    """The workspace and the post."""

    def __init__(self, workspace: Workspace, post: Post) -> None:
        self.workspace = workspace
        self.post = post
        workspace.echo = self._echo

    async def send_event(self, event: Json, team_id: str = "", *, shared: bool = False) -> Answer:
        """Deliver any event, signed and wrapped; also one that the hands would never make."""
        return await self.post.deliver(self.event_parcel(event, self.installation(team_id), shared=shared))

    async def send_interaction(self, payload: Json) -> Answer:
        """Deliver any interaction, also a forged one."""
        return await self.post.deliver(Parcel("interactive", payload, str(payload.get("type", ""))))

    def event_parcel(self, event: Json, install: Installation, *, shared: bool = False) -> Parcel:
        """An event in its envelope, with an id of its own."""
        body = events.envelope(
            event,
            install,
            self.workspace.app.id,
            event_id=self.workspace.ids("Ev"),
            at=int(self.workspace.clock()),
            shared=shared,
        )
        return Parcel("events_api", body, str(event["type"]))

    def installation(self, team_id: str = "") -> Installation:
        """The app in that team; without a name, in the first."""
        installations = self.workspace.directory.installations
        return installations[team_id] if team_id else next(iter(installations.values()))

    def person(self, user_id: str) -> User:
        """An active person; raises NotPossible."""
        user = self.workspace.directory.users.get(user_id)
        if user is None or user.deleted:
            raise NotPossible(f"no active person {user_id}")
        return user

    def place(self, user_id: str, channel_id: str) -> Channel:
        """A conversation this person is in; raises NotPossible."""
        channel = self.workspace.directory.channels.get(channel_id)
        if channel is None or user_id not in channel.members:
            raise NotPossible(f"{user_id} is not in {channel_id}")
        return channel

    def seen(self, user_id: str, channel_id: str, ts: str) -> Message:
        """A message this person sees; raises NotPossible."""
        self.place(user_id, channel_id)
        message = self.workspace.messages.get(channel_id, ts)
        if message is None or message.seen_by not in {"", user_id}:
            raise NotPossible(f"{user_id} sees no message {ts}")
        return message

    def actor(self, user_id: str, team_id: str) -> Json:
        """Who acts and where the app is installed, for an interaction."""
        team = self.workspace.directory.teams.get(team_id, Team(team_id, "", ""))
        return events.actor(self.person(user_id), team) | {"api_app_id": self.workspace.app.id}

    def install_for(self, channel: Channel) -> Installation:
        """The installation whose bot is there, else the one of the channel's team."""
        return self.workspace.directory.installation_in(channel) or self.installation()

    def parcels(self, told: list[Json], channel: Channel) -> list[Parcel]:
        """Those of these events that the app would get: subscribed, and its bot is in the conversation."""
        install = self.workspace.directory.installation_in(channel)
        if install is None:
            return []
        wanted = [event for event in told if events.subscription_of(event) in self.workspace.app.subscriptions]
        return [self.event_parcel(event, install, shared=channel.is_ext_shared) for event in wanted]

    def _ts(self) -> str:
        return self.workspace.messages.next_ts()

    def _echo(self, event: Json, channel: Channel) -> None:
        for parcel in self.parcels([event], channel):
            self.post.later(self.post.deliver(parcel))
