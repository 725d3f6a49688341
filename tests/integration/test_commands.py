"""What operators type: a stalled thread is seen and revived, what is old is counted and taken out."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from agent.conversation import MailThread, SlackThread
from agent.errors import ConfigError, Refused
from agent.events import MessageReceived
from bot.cli import app
from bot.shell import age
from store.connect import connect
from store.threads import Threads
from tests.builders import ADA
from tests.fakes import FakeClock
from tests.fixtures import ROOT
from tests.migrated import sqlite_at

OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one old, stalled thread, and the settings that lead to it."""
    made = sqlite_at(tmp_path / "twokey.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", made)
    monkeypatch.setenv("CONFIG_DIR", str(ROOT))
    asyncio.run(_stall(made))
    return made


async def _stall(url: str) -> None:
    database = connect(url)
    threads = Threads(database, FakeClock(OLD))
    event = MessageReceived(at=OLD, delivery_id="d", sender=ADA, text="Hi")
    await threads.take_in(
        SlackThread(team="T", channel="C", thread_ts="1"), event, keys=["k"], new_id="thr_1", agent="a"
    )
    await database.write(lambda tx: tx.connection.execute(text("UPDATE thread SET status = 'stalled'")).close())
    await database.aclose()


def run(*words: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.usefixtures("url")
def test_a_stalled_thread_is_seen_and_revived_once() -> None:
    assert "stalled" in run("threads", "list")
    assert "thr_1" in run("threads", "list", "--stalled")
    assert "revived thr_1" in run("threads", "revive", "thr_1")
    assert "thr_1" not in run("threads", "list", "--stalled")
    with pytest.raises(Refused, match="thr_1 is not stalled: it is active"):
        run("threads", "revive", "thr_1")
    with pytest.raises(Refused, match="there is no thread thr_2"):
        run("threads", "revive", "thr_2")


def test_the_name_that_a_stranger_gave_a_conversation_does_not_reach_the_terminal_as_it_is(url: str) -> None:
    async def mailed() -> None:
        database = connect(url)
        place = MailThread(mailbox="agent@acme.example", root="<\x1b[2J\u202e@evil.example> sam@evil.example")
        event = MessageReceived(at=OLD, delivery_id="e", sender=ADA, text="Hi")
        await Threads(database, FakeClock(OLD)).take_in(place, event, keys=["m"], new_id="thr_2", agent="a")
        await database.aclose()

    asyncio.run(mailed())
    shown = run("threads", "list")

    assert "<[U+001B][2J[U+202E]@evil.example> sam@evil.example" in shown
    assert "\x1b" not in shown


@pytest.mark.usefixtures("url")
def test_a_dry_run_counts_and_a_purge_deletes() -> None:
    words = ("admin", "purge", "--older-than", "52w")
    assert "would delete 1 deliveries" in run(*words, "--dry-run")
    assert "deleted 1 deliveries" in run(*words)
    assert "deleted 0 deliveries" in run(*words, "--threads")
    assert "thr_1" in run("threads", "list")  # it has something to do: nobody but an operator may give it up


@pytest.mark.parametrize(
    "words, found", [("90d", timedelta(days=90)), ("12w", timedelta(weeks=12)), ("720h", timedelta(days=30))]
)
def test_an_age_is_a_number_and_a_unit(words: str, found: timedelta) -> None:
    assert age(words) == found


@pytest.mark.parametrize("words", ["", "d", "90", "-9d", "1.5d", "90m", "6d", "٩d", "999999d"])
def test_anything_else_is_refused_and_so_is_what_is_needed_yet(words: str) -> None:
    with pytest.raises(ConfigError, match="--older-than"):
        age(words)
