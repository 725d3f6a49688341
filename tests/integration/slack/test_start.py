"""Starting: a wrong token is one clear line, a Slack that is away is another thing, and nothing hangs."""

import asyncio
from dataclasses import replace

import pytest

from agent.errors import ChannelDown, ConfigError
from bot.slack import socket as socket_mode
from bot.slack.app import SlackApp, SlackOptions
from sandbox import cast
from sandbox.slack.scenery import APP_TOKEN
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.conftest import WallClock, by_socket
from tests.integration.slack.doubles import RecordingGate, RecordingInbox


def an_app(options: SlackOptions) -> SlackApp:
    return SlackApp(options, RecordingInbox(), RecordingGate(), WallClock())


async def test_the_start_says_where_we_are_and_who(options: SlackOptions) -> None:
    installed = await an_app(options).start()
    assert (installed.team, installed.bot_user, installed.bot_id) == (cast.TEAM, cast.BOT_USER, cast.BOT)
    assert installed.team_name == cast.TEAM_NAME


async def test_a_wrong_bot_token_is_named(options: SlackOptions) -> None:
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN: Slack says invalid_auth") as caught:
        await an_app(replace(options, bot_token="xoxb-wrong")).start()
    assert "xoxb-wrong" not in str(caught.value)


async def test_a_wrong_app_token_is_named_and_nothing_hangs(options: SlackOptions) -> None:
    with pytest.raises(ConfigError, match="SLACK_APP_TOKEN: Slack says invalid_auth"):
        await an_app(replace(options, app_token="xapp-wrong")).start()


def test_neither_secret_nor_app_token_is_refused(options: SlackOptions) -> None:
    with pytest.raises(ConfigError, match="SLACK_SIGNING_SECRET"):
        an_app(replace(options, signing_secret=""))


@pytest.mark.parametrize("fault", ["500", "429", "error:internal_error", "lost_answer"])
async def test_a_slack_that_is_away_may_come_back(slack: SlackStandIn, options: SlackOptions, fault: str) -> None:
    slack.faults.next("auth.test", fault, times=3, retry_after=30)
    app = an_app(options)
    with pytest.raises(ChannelDown):
        await app.start()
    assert not app.is_healthy
    slack.faults._queues.clear()
    await app.start()
    assert app.is_healthy


async def test_a_slack_that_cannot_be_connected_to_is_away() -> None:
    with pytest.raises(ChannelDown, match="cannot be reached"):
        await an_app(SlackOptions("xoxb-1", signing_secret="s", api_url="http://127.0.0.1:9/api/")).start()


async def test_a_socket_that_does_not_open_is_given_up(
    slack: SlackStandIn, options: SlackOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "CONNECT_PATIENCE", 0.3)
    monkeypatch.setattr(slack.socket, "link", lambda: "ws://127.0.0.1:9/")
    app = an_app(replace(options, app_token=APP_TOKEN))
    with pytest.raises(ChannelDown, match="Socket Mode cannot be reached"):
        await app.start()
    assert not app.is_healthy


async def test_slack_may_ask_to_connect_anew(slack: SlackStandIn, options: SlackOptions) -> None:
    inbox = RecordingInbox()
    async with by_socket(slack, options, inbox, RecordingGate()):
        await slack.socket.disconnect("refresh_requested")
        await slack.socket.connected()
        assert (await slack.dm(cast.ADA.slack, "hello")).ok
    assert inbox.texts == ["hello"]
    assert slack.socket.connections == 0


async def test_a_connection_that_went_deaf_is_seen_and_mended(slack: SlackStandIn, options: SlackOptions) -> None:
    inbox = RecordingInbox()
    app = SlackApp(replace(options, app_token=APP_TOKEN, signing_secret=""), inbox, RecordingGate(), WallClock())
    assert app.socket is not None
    app.socket.ping_interval = 0.05
    await app.start()
    slack.use_socket()
    try:
        adapter = app.socket._adapter
        assert adapter is not None
        before = adapter.client.current_session
        app.socket.deaf_after = -1
        assert not app.is_healthy
        async with asyncio.timeout(20):
            while adapter.client.current_session is before:
                await asyncio.sleep(0.01)
        app.socket.deaf_after = 60
        await slack.socket.connected()
        assert app.is_healthy
        assert (await slack.dm(cast.ADA.slack, "hello")).ok
        assert inbox.texts == ["hello"]
    finally:
        await app.stop()


async def test_stopping_twice_or_before_the_start_is_harmless(slack: SlackStandIn, options: SlackOptions) -> None:
    del slack
    app = an_app(replace(options, app_token=APP_TOKEN))
    await app.stop()
    await app.start()
    await app.stop()
    await app.stop()
    assert not app.is_healthy


async def test_a_persons_token_is_refused(slack: SlackStandIn, options: SlackOptions) -> None:
    installations = slack.workspace.directory.installations
    installations[cast.TEAM] = replace(installations[cast.TEAM], bot_id="")
    with pytest.raises(ConfigError, match="belongs to a person"):
        await an_app(options).start()


async def test_a_socket_mode_that_is_away_for_a_moment_is_no_wrong_token(
    slack: SlackStandIn, options: SlackOptions
) -> None:
    slack.faults.next("apps.connections.open", "error:internal_error")
    app = an_app(replace(options, app_token=APP_TOKEN))
    with pytest.raises(ChannelDown):
        await app.start()
    await app.start()
    assert app.is_healthy
    await app.stop()
