"""The stand-in furnished with the sandbox's own cast: the workspace the demo shows and most tests use."""

from typing import Final

from sandbox import cast
from sandbox.slack.directory import Channel, Team, User
from sandbox.slack.messages import Clock, IdMaker
from sandbox.slack.post import Post
from sandbox.slack.standin import SlackStandIn
from sandbox.slack.workspace import App

BOT_TOKEN: Final = "xoxb-sandbox-bot"  # noqa: S105 - opens nothing but the stand-in
APP_TOKEN: Final = "xapp-sandbox-app"  # noqa: S105 - as above
SIGNING_SECRET: Final = "sandbox-signing-secret"  # noqa: S105 - as above


def furnished(clock: Clock, ids: IdMaker, post: Post | None = None) -> SlackStandIn:
    """A stand-in with the cast's team, people, bot and channels, everybody in every channel."""
    app = App(cast.APP, cast.BOT_NAME)
    standin = SlackStandIn(clock=clock, ids=ids, app=app, signing_secret=SIGNING_SECRET, app_token=APP_TOKEN, post=post)
    bot = User(cast.BOT_USER, cast.BOT_NAME.lower(), cast.BOT_NAME, cast.TEAM, is_bot=True, bot_id=cast.BOT)
    standin.install(Team(cast.TEAM, cast.TEAM_NAME, "acme"), bot, BOT_TOKEN)
    people = [person for person in cast.PEOPLE if person.slack]
    for person in people:
        user = User(person.slack, person.id, person.name, cast.TEAM, person.email, person.title)
        standin.add_user(user)
    everybody = frozenset(person.slack for person in people) | {bot.id}
    for place in cast.PLACES:
        standin.add_channel(Channel(place.id, place.name, cast.TEAM, members=everybody, topic=place.topic))
    return standin
