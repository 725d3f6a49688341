"""The stand-in itself: a Slack workspace with a person's hands and eyes, and switches for what goes wrong."""

from dataclasses import replace

from sandbox.slack.calls import Call, CallLog
from sandbox.slack.directory import DEFAULT_SCOPES, Channel, Directory, Installation, Team, User
from sandbox.slack.faults import Faults
from sandbox.slack.feed import Reader
from sandbox.slack.gestures import Gestures
from sandbox.slack.http import HttpOutlet
from sandbox.slack.messages import Clock, IdMaker, Message
from sandbox.slack.post import Answer, Attempt, Parcel, Post, Retry
from sandbox.slack.refused import Json
from sandbox.slack.snapshot import shown, snapshot
from sandbox.slack.sockets import SocketOutlet
from sandbox.slack.talking import Talking
from sandbox.slack.workspace import App, Workspace


class SlackStandIn(Talking, Gestures):
    """Hands: Talking and Gestures. Eyes: below. `use_http` or `use_socket` says how the bot is reached."""

    def __init__(
        self, *, clock: Clock, ids: IdMaker, app: App, signing_secret: str, app_token: str, post: Post | None = None
    ) -> None:
        super().__init__(Workspace(app, clock, ids, Directory()), post or Post(clock))
        self.signing_secret = signing_secret
        self.app_token = app_token
        self.faults = Faults()
        self.call_log = CallLog()
        self.socket = SocketOutlet(app.id, self.workspace.tickets, ids)
        self.post.told = lambda attempt: self.workspace.feed.tell("delivery", name=attempt.parcel.name)

    @property
    def app(self) -> App:
        """The app's settings, to be changed at will."""
        return self.workspace.app

    # How the bot is reached

    def use_http(self, url: str) -> None:
        """Send signed requests to this URL, as the app's request URLs say."""
        self.post.use(HttpOutlet(url, self.signing_secret, self.workspace.clock))

    def use_socket(self) -> None:
        """Send envelopes over the bot's own WebSocket connections."""
        self.post.use(self.socket)

    async def verify_url(self) -> Answer:
        """Ask whether the URL is the bot's, as Slack does before it accepts one: the answer repeats `challenge`."""
        challenge = self.workspace.ids("challenge-")
        body = {"token": "verification-token-not-used", "challenge": challenge, "type": "url_verification"}
        return await self.post.once(Parcel("events_api", body, "url_verification"), None)

    async def send(self, body: Json) -> Answer:
        """Deliver a whole recorded body: an event in its envelope, an interaction, or a command's fields."""
        kinds = {"event_callback": "events_api", "": "slash_commands"}
        kind = kinds.get(str(body.get("type", "")), "interactive")
        return await self.post.deliver(Parcel(kind, body, str(body.get("event", body).get("type", "command"))))

    async def repeat(self, attempt: Attempt, *, number: int = 1, reason: str = "http_timeout") -> Answer:
        """Deliver something again, marked as a retry."""
        return await self.post.once(attempt.parcel, Retry(number, reason))

    async def settled(self) -> None:
        """Wait until no event of Slack's own making and no retry is under way."""
        await self.post.settled()

    # Who and what there is

    def install(self, team: Team, bot: User, token: str, scopes: frozenset[str] = DEFAULT_SCOPES) -> Installation:
        """Add a team with the app in it."""
        directory = self.workspace.directory
        directory.teams[team.id] = team
        directory.users[bot.id] = bot
        made = Installation(team.id, token, bot.id, bot.bot_id, scopes)
        directory.installations[team.id] = made
        return made

    def add_team(self, team: Team) -> None:
        """Add a team without the app, such as a Slack Connect partner's."""
        self.workspace.directory.teams[team.id] = team

    def add_user(self, user: User) -> User:
        """Add or replace a person."""
        self.workspace.directory.users[user.id] = user
        return user

    def add_channel(self, channel: Channel) -> Channel:
        """Add or replace a conversation."""
        self.workspace.directory.channels[channel.id] = channel
        return channel

    def grant(self, *scopes: str, team_id: str = "") -> None:
        """Give the bot token more scopes."""
        install = self.installation(team_id)
        self.workspace.directory.installations[install.team_id] = replace(install, scopes=install.scopes | set(scopes))

    def withdraw(self, *scopes: str, team_id: str = "") -> None:
        """Take scopes from the bot token."""
        install = self.installation(team_id)
        self.workspace.directory.installations[install.team_id] = replace(install, scopes=install.scopes - set(scopes))

    async def revoke(self, team_id: str = "") -> Answer:
        """The team removes the app: its token is dead and the bot hears `tokens_revoked`."""
        install = self.installation(team_id)
        self.workspace.directory.installations[install.team_id] = replace(install, revoked=True)
        return await self.send_event(
            {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [install.bot_user]}}, install.team_id
        )

    # Eyes

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Json]:
        """What everybody sees there: the whole conversation in order, or one thread with its root."""
        kept = self.workspace.messages
        found = kept.thread(channel, thread_ts) if thread_ts else kept.in_channel(channel)
        return [self._with_metadata(message) for message in found]

    def ephemerals(self, user: str, channel: str = "") -> list[Json]:
        """What only this person sees."""
        return [shown(message) for message in self.workspace.messages.ephemeral(channel, user)]

    def home(self, user: str) -> Json | None:
        """This person's Home tab as published."""
        view = self.workspace.views.home_of(user)
        return self._shown(view) if view else None

    def calls(self, method: str | None = None) -> list[Call]:
        """Every Web API call in order of arrival; response URLs count as method `response_url`."""
        return self.call_log.of(method)

    def attempts(self, name: str | None = None) -> list[Attempt]:
        """Every delivery to the bot in order of its end, retries too; `name` is the event's or interaction's type."""
        return [attempt for attempt in self.post.attempts if name in {None, attempt.parcel.name}]

    @property
    def warnings(self) -> list[Json]:
        """What Slack let pass but a good bot avoids: missing_text_in_message, text_will_be_split, …"""
        return self.workspace.warnings

    def snapshot(self) -> Json:
        """All of it, JSON-able; the shape is told in `sandbox.slack.snapshot`."""
        return snapshot(self.workspace)

    def changes(self) -> Reader:
        """Every change from now on, to iterate over and to close.

        Each is `{seq, kind, …}`; kind is message, view, status, channel, call or delivery.
        """
        return self.workspace.feed.follow()

    @staticmethod
    def _with_metadata(message: Message) -> Json:
        return shown(message) | ({"metadata": message.metadata} if message.metadata else {})
