"""A Service's connection to Slack: made at start, kept trying while Slack is away, closed at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

import structlog

from agent.conversation import Identity
from agent.errors import ChannelDown, ConfigError, Refused
from agent.ports import Clock
from approvals.gate import Gate
from approvals.standing import RememberedGroups
from bot.outbox import Channel
from bot.personal import Personal
from bot.settings import Settings
from bot.sign_in import SignIn
from bot.slack.app import SlackApp, SlackOptions
from bot.slack.catch_up import CatchUp
from bot.slack.catch_up import Place as Team
from bot.slack.history import PACE, History
from bot.slack.home_keeper import HomeKeeper
from bot.slack.listeners import Inbox
from store.approvals import ApprovalIndex
from store.database import Database
from store.deliveries import Deliveries
from store.homes import Homes
from store.trail import Trail

log = structlog.get_logger()

RETRY = 5.0


class Host(Protocol):
    """What is needed of the process's service."""

    @property
    def settings(self) -> Settings:
        """Its settings."""
        ...

    @property
    def role(self) -> str:
        """Which work it does."""
        ...

    @property
    def inbox(self) -> Inbox:
        """The door in."""
        ...

    @property
    def gate(self) -> Gate:
        """Where decisions go."""
        ...

    @property
    def sign_in(self) -> SignIn:
        """How people get into the inbox."""
        ...

    @property
    def index(self) -> ApprovalIndex:
        """Where approvals and grants are found."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def database(self) -> Database:
        """The store."""
        ...

    @property
    def channels(self) -> dict[str, Channel]:
        """Where the channel back is put."""
        ...


@asynccontextmanager
async def connected(host: Host) -> AsyncIterator[SlackApp]:
    """The app, started, with its channel in the service's outbox. Raises ConfigError for a token that Slack refuses;
    while Slack cannot be reached it goes on trying, and events are not acknowledged."""
    slack = SlackApp(options(host.settings, receives=host.role != "worker"), host.inbox, host.gate, host.clock)
    host.channels["slack"] = slack.channel
    keeper = home_keeper(host, slack)
    slack.on_home, slack.on_sign_in = keeper.opened, partial(sign_in_link, host)
    keeping = [asyncio.create_task(keeper.run(), name="slack homes")] if host.role != "web" else []
    beside: asyncio.Task[None] | None = None
    try:
        await slack.start()
        if slack.options.receives:
            beside = asyncio.create_task(catch_up(host, slack).run(), name="slack catch-up")
    except ChannelDown as error:
        log.warning("slack.unreachable", error=str(error), retry_in=RETRY)
        beside = asyncio.create_task(_keep_trying(host, slack))
    try:
        yield slack
    finally:
        tasks = [*keeping, *([beside] if beside is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await slack.stop()


def home_keeper(host: Host, slack: SlackApp) -> HomeKeeper:
    """What publishes Home tabs, and keeps them up to date in a process that shows cards."""
    gate = replace(host.gate, standing=RememberedGroups(host.gate.standing, host.clock))
    personal = Personal(gate, host.index)
    has_inbox = bool(host.sign_in.secrets)
    return HomeKeeper(Homes(host.database, host.clock), Trail(host.database), personal, slack.client_for, has_inbox)


async def sign_in_link(host: Host, who: Identity) -> str:
    """An address that signs in whoever clicked, by Slack's own word on who that is. Raises Refused."""
    person = host.gate.directory.find(who)
    if person is None:
        raise Refused("You are not in this deployment's list of people.")
    if reason := await host.gate.standing.check(who):
        raise Refused(reason)
    found = await host.sign_in.link(person, asked_by="themselves")
    if found is None:
        raise Refused("You have asked for several links already. Use the latest of them, or wait a quarter of an hour.")
    return found


def catch_up(host: Host, slack: SlackApp, pace: float = PACE) -> CatchUp:
    """What reads the history of a started app's team; told from now on when something may have been missed."""
    assert slack.installed is not None  # noqa: S101 - it is started
    installed = slack.installed
    team = Team(installed.team, installed.bot_user, slack.client, slack.options.shared_channels)
    history = History(slack.client, pace)
    found = CatchUp(team, host.inbox, Deliveries(host.database), host.clock, history)
    slack.on_failure = found.due_after_loss
    if slack.socket is not None:
        slack.socket.on_connect = found.due
    return found


def options(settings: Settings, *, receives: bool) -> SlackOptions:
    """The app's options. A worker sends and does not receive: in Socket Mode it must not open a socket."""
    token, secret, app_token = settings.slack_bot_token, settings.slack_signing_secret, settings.slack_app_token
    return SlackOptions(
        bot_token=token.get_secret_value() if token else "",
        signing_secret=secret.get_secret_value() if secret and app_token is None else "",
        app_token=app_token.get_secret_value() if app_token and receives else "",
        api_url=settings.slack_api_url,
        receives=receives,
    )


async def _keep_trying(host: Host, slack: SlackApp) -> None:
    while True:
        await asyncio.sleep(RETRY)
        try:
            await slack.start()
        except ChannelDown:
            continue
        except ConfigError as error:
            log.error("slack.refused", error=str(error))  # noqa: TRY400 - the message says it all
            return
        if slack.options.receives:
            await catch_up(host, slack).run()
        return
