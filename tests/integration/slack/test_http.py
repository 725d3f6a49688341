"""The door that stands open to the internet: nothing gets past it that is not Slack's, and nothing breaks it."""

import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.slack.app import SlackApp, SlackOptions
from sandbox import cast
from sandbox.clock import now
from sandbox.slack.http import HttpOutlet, signature
from sandbox.slack.post import Answer
from sandbox.slack.scenery import BOT_TOKEN, SIGNING_SECRET
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.conftest import by_http
from tests.integration.slack.doubles import RecordingGate, RecordingInbox

MEBI = 1024 * 1024
FORM = "application/x-www-form-urlencoded"


FOREIGN = (
    {"x_slack_signature": "v0=" + "0" * 64},
    {"x_slack_signature": ""},
    {"x_slack_signature": "v0=é"},
    {"x_slack_request_timestamp": "1500000000"},
    {"x_slack_request_timestamp": "soon"},
    {"x_slack_request_timestamp": "²"},
    {"x_slack_request_timestamp": ""},
    {"x_slack_request_timestamp": "9" * 400},
)
SENSELESS = (
    *(b"\xff\xfe", b"{", b"[1]", b'"x"', b"payload=%7B", b"payload=[1]", b""),
    *(b"[" * 100_000, b'{"a":' * 50_000),
)


def files_in(path: Path) -> list[Path]:
    return list(path.iterdir())


@pytest.fixture
async def app(
    slack: SlackStandIn, options: SlackOptions, inbox: RecordingInbox, gate: RecordingGate
) -> AsyncIterator[SlackApp]:
    async with by_http(slack, options, inbox, gate) as made:
        yield made


async def post(slack: SlackStandIn, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
    """A request with a right signature, unless a header says otherwise."""
    stamp = str(int(now()))
    whole = {
        "content-type": kind,
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": signature(SIGNING_SECRET, headers.get("x_slack_request_timestamp", stamp), body),
    }
    whole |= {name.replace("_", "-"): value for name, value in headers.items()}
    assert isinstance(slack.post.outlet, HttpOutlet)
    return await slack.post.outlet.post(body, whole, 2)


@pytest.mark.usefixtures("app")
async def test_slack_can_verify_the_address(slack: SlackStandIn) -> None:
    answer = await slack.verify_url()
    assert answer.ok
    assert "challenge-" in answer.body


@pytest.mark.usefixtures("app")
async def test_what_is_not_signed_by_slack_is_refused_and_leaves_no_words_in_the_log(
    slack: SlackStandIn,
    inbox: RecordingInbox,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    for headers in FOREIGN:
        answer = await post(slack, b'{"type": "event_callback", "secret": "hush hush"}', **headers)
        assert answer.status == 401, headers
    assert inbox.taken == []
    assert "hush hush" not in caplog.text + capsys.readouterr().out


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("size, status", [(MEBI + 1, 413), (MEBI, 401)])
async def test_a_body_that_says_it_is_too_large_is_not_read(slack: SlackStandIn, size: int, status: int) -> None:
    assert isinstance(slack.post.outlet, HttpOutlet)
    body = io.BytesIO(b"x" * size)
    async with aiohttp.ClientSession() as session, session.post(slack.post.outlet.url, data=body) as answer:
        assert answer.status == status


async def test_a_body_that_turns_out_too_large_is_cut_off(slack: SlackStandIn, app: SlackApp) -> None:
    del app
    assert isinstance(slack.post.outlet, HttpOutlet)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * (MEBI // 16)

    async with aiohttp.ClientSession() as session, session.post(slack.post.outlet.url, data=endless()) as answer:
        assert answer.status == 413


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("kind", ["application/json", FORM])
async def test_what_is_signed_and_makes_no_sense_is_the_senders_fault(slack: SlackStandIn, kind: str) -> None:
    for body in SENSELESS:
        answer = await post(slack, body, kind)
        assert 400 <= answer.status < 500, body[:20]


@pytest.mark.usefixtures("app")
async def test_slacks_certificate_check_is_answered_unsigned(slack: SlackStandIn) -> None:
    assert (await post(slack, b"ssl_check=1&token=x", FORM, x_slack_signature="")).status == 200
    assert (await post(slack, b"ssl_check=2", FORM, x_slack_signature="")).status == 401


async def test_no_words_of_anybodys_are_logged_on_the_way_through(
    slack: SlackStandIn, app: SlackApp, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await slack.dm(cast.ADA.slack, "hush hush")
    await app.client.chat_postMessage(channel=cast.SUPPORT.id, text="hush hush")
    await slack.settled()
    written = caplog.text + capsys.readouterr().out
    assert "hush hush" not in written
    assert BOT_TOKEN not in written


async def test_a_process_that_only_sends_has_no_door(slack: SlackStandIn, options: SlackOptions) -> None:
    sender = SlackOptions(options.bot_token, api_url=options.api_url, receives=False)
    async with by_http(slack, sender, RecordingInbox(), RecordingGate()):
        assert (await slack.dm(cast.ADA.slack, "hello")).answers[0].status == 404


async def test_nothing_is_taken_from_the_environment(
    slack: SlackStandIn, options: SlackOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "SIGNING_SECRET", "APP_TOKEN", "SCOPES"):
        monkeypatch.setenv(f"SLACK_{name}", "another")
    inbox = RecordingInbox()
    async with by_http(slack, options, inbox, RecordingGate()) as app:
        assert (await slack.dm(cast.ADA.slack, "hello")).ok
        assert (await slack.open_home(cast.ADA.slack)).ok
        await app.errands.drain(2)
    assert inbox.texts == ["hello"]
    assert slack.home(cast.ADA.slack) is not None
    assert files_in(tmp_path) == []


async def test_before_the_start_nothing_is_acknowledged(slack: SlackStandIn, options: SlackOptions) -> None:
    async with by_http(slack, options, RecordingInbox(), RecordingGate()) as app:
        installed, app.installed = app.installed, None
        assert not app.is_healthy
        assert not (await slack.dm(cast.ADA.slack, "hello")).ok
        app.installed = installed
        await slack.settled()
        assert app.is_healthy
