"""After an outage of ours: what Slack gave up on is taken in once, by age, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.conversation import JsonObject
from agent.errors import ChannelDown, StoreDown
from agent.events import MessageReceived
from bot.inbox import Inbox
from bot.slack import catch_up as module
from bot.slack.app import SlackApp, SlackOptions
from bot.slack.catch_up import CatchUp, Place, as_event
from bot.slack.history import History
from bot.slack.payloads import PassedOver, arrival
from sandbox import cast
from sandbox.clock import now
from sandbox.slack.scenery import APP_TOKEN
from sandbox.slack.standin import SlackStandIn
from store import schema
from store.connect import connect
from store.database import Database
from store.deliveries import Deliveries
from store.threads import Threads
from tests.fakes import CountingIds
from tests.integration.slack.conftest import WallClock, by_http
from tests.integration.slack.doubles import RecordingGate

SUPPORT, RANDOM = cast.SUPPORT.id, cast.RANDOM.id
ADA, DANA = cast.ADA.slack, cast.DANA.slack


@dataclass
class Office:
    """A store and a door in, the Slack that they are reached from, and what reads its history."""

    slack: SlackStandIn
    options: SlackOptions
    inbox: Inbox
    database: Database

    async def reader(self) -> CatchUp:
        """What catches up."""
        app = SlackApp(self.options, self.inbox, RecordingGate(), WallClock())
        await app.start()
        place = Place(cast.TEAM, cast.BOT_USER, app.client)
        return CatchUp(place, self.inbox, Deliveries(self.database), WallClock(), History(app.client, pace=0))

    async def texts(self) -> list[str]:
        """What was taken in, in order."""
        rows = await self.inbox.threads.recent()
        logs = [await self.inbox.threads.entries(str(row["id"])) for row in rows]
        said = [each.event for log in logs for each in log if isinstance(each.event, MessageReceived)]
        return [each.text for each in sorted(said, key=lambda each: each.at)]


@pytest.fixture
async def office(slack: SlackStandIn, options: SlackOptions, tmp_path: Path) -> AsyncIterator[Office]:
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'office.db'}")
    await schema.migrate(database)
    inbox = Inbox(Threads(database, WallClock()), WallClock(), CountingIds(), "support")
    yield Office(slack, options, inbox, database)
    await database.aclose()


async def listening(office: Office) -> str:
    """A first message, taken in live; its ts."""
    async with by_http(office.slack, office.options, office.inbox, RecordingGate()):
        said = await office.slack.say(ADA, SUPPORT, "one", mention=True)
    return said.ts


async def test_what_was_said_while_we_were_away_is_taken_in_once_and_in_order(office: Office) -> None:
    slack = office.slack
    root = await listening(office)
    await slack.say(ADA, SUPPORT, "two", thread_ts=root)
    other = await slack.say(DANA, RANDOM, "three", mention=True)
    await slack.say(DANA, RANDOM, "four", thread_ts=other.ts)
    direct = await slack.dm(ADA, "five")
    await slack.dm(ADA, "six", thread_ts=direct.ts)
    await slack.say(DANA, RANDOM, "to nobody")
    await slack.settled()  # Slack has given up by now
    assert all(each.retry is not None for each in slack.post.attempts[-3:])
    reader = await office.reader()
    assert await reader.once(away=True) == 5
    texts = await office.texts()
    assert sorted(texts) == ["five", "four", "one", "six", "three", "two"]
    for first, second in (("one", "two"), ("three", "four"), ("five", "six")):
        assert texts.index(first) < texts.index(second)
    assert await reader.once(away=True) == 0
    assert await (await office.reader()).once(away=True) == 0


async def test_what_is_caught_up_is_dropped_when_slack_brings_it_after_all(office: Office) -> None:
    await listening(office)
    await office.slack.say(ADA, SUPPORT, "two", mention=True)
    await (await office.reader()).once(away=True)
    late = office.slack.post.attempts[-1]
    async with by_http(office.slack, office.options, office.inbox, RecordingGate()):
        await office.slack.repeat(late)
    assert sorted(await office.texts()) == ["one", "two"]


async def test_a_mention_in_a_thread_of_other_people_is_found_and_what_came_before_it_is_not(office: Office) -> None:
    slack = office.slack
    await listening(office)
    root = await slack.say(DANA, RANDOM, "a thread of people")
    await slack.say(ADA, RANDOM, "before", thread_ts=root.ts)
    await slack.say(ADA, RANDOM, "you there?", thread_ts=root.ts, mention=True)
    await slack.say(DANA, RANDOM, "after", thread_ts=root.ts)
    await slack.settled()
    reader = await office.reader()
    assert await reader.once(away=True) == 2
    assert await reader.once(away=True) == 0
    assert sorted(await office.texts()) == ["after", "one", "you there?"]


async def test_a_database_that_has_taken_in_nothing_has_missed_nothing(office: Office) -> None:
    await office.slack.say(ADA, SUPPORT, "long ago", mention=True)
    await office.slack.settled()
    assert await (await office.reader()).once(away=True) == 0
    assert await office.texts() == []
    await office.slack.say(ADA, SUPPORT, "now", mention=True)
    await office.slack.settled()
    assert await (await office.reader()).once(away=True) == 2  # by then we had been there, and the margin is wide


async def test_what_was_edited_before_we_saw_it_counts_only_when_we_were_away(office: Office) -> None:
    await listening(office)
    reader = await office.reader()
    await reader.once(away=True)
    said = await office.slack.say(ADA, SUPPORT, "two", mention=True)
    await office.slack.edit(ADA, SUPPORT, said.ts, f"<@{cast.BOT_USER}> two, mended")
    await office.slack.settled()
    assert await reader.once(away=False) == 0
    await office.database.write(
        lambda tx: tx.connection.execute(text("DELETE FROM delivery WHERE key LIKE 'read:%'")).close()
    )
    assert await reader.once(away=True) == 1
    assert "two, mended" in await office.texts()


async def test_a_channel_that_we_may_not_read_keeps_no_other_from_being_read(office: Office) -> None:
    await listening(office)
    await office.slack.dm(ADA, "two")
    await office.slack.settled()
    office.slack.faults.next("conversations.history", "error:missing_scope")
    assert await (await office.reader()).once(away=True) == 1


async def test_a_slack_that_goes_away_half_way_is_read_again_from_the_beginning(office: Office) -> None:
    await listening(office)
    await office.slack.dm(ADA, "two")
    await office.slack.settled()
    reader = await office.reader()
    office.slack.faults.next("conversations.history", "500", times=9)
    with pytest.raises(ChannelDown):
        await reader.once(away=True)
    office.slack.faults._queues.clear()
    assert await reader.once(away=True) == 1


async def test_a_call_that_is_told_to_wait_waits(office: Office) -> None:
    await listening(office)
    await office.slack.dm(ADA, "two")
    await office.slack.settled()
    office.slack.faults.next("conversations.history", "429", times=3, retry_after=0)
    assert await (await office.reader()).once(away=True) == 1


async def test_nothing_older_than_a_day_is_read(office: Office) -> None:
    await listening(office)
    reader = await office.reader()
    day = 86_400
    ancient = Deliveries(office.database)
    await office.database.write(lambda tx: tx.connection.execute(text("UPDATE delivery SET at = 0")).close())
    assert await ancient.read_until("slack:" + cast.TEAM) is not None
    await reader.once(away=True)
    oldest = [float(str(call.arguments["oldest"])) for call in office.slack.calls("conversations.history")]
    assert oldest
    assert all(now() - each <= day + 5 for each in oldest)


async def test_the_reader_runs_again_when_it_is_due_and_after_a_failure(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY", 0.05)
    monkeypatch.setattr(module, "AFTER_LOSS", 0.05)
    await listening(office)
    reader = await office.reader()
    office.slack.faults.next("users.conversations", "500", times=1)
    running = asyncio.create_task(reader.run())
    try:
        await office.slack.dm(ADA, "two")
        await until(office, "two")
        await office.slack.dm(ADA, "three")
        reader.due()
        await until(office, "three")
        await office.slack.dm(ADA, "four")
        reader.due_after_loss()
        await until(office, "four")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(office: Office, text: str) -> None:
    async with asyncio.timeout(5):
        while text not in await office.texts():
            await asyncio.sleep(0.02)


async def test_a_message_that_could_not_be_taken_in_makes_the_reader_due(office: Office) -> None:
    class Down:
        async def deliver(self, delivery: object) -> None:
            raise StoreDown

        async def cancel(self, *args: object) -> bool:
            return False

    told = asyncio.Event()
    async with by_http(office.slack, office.options, Down(), RecordingGate()) as app:
        app.on_failure = told.set
        said = await office.slack.say(ADA, SUPPORT, "two", mention=True)
    assert not said.ok
    assert told.is_set()


async def test_each_new_socket_makes_the_reader_due(office: Office) -> None:
    greeted = asyncio.Event()
    options = SlackOptions(office.options.bot_token, app_token=APP_TOKEN, api_url=office.options.api_url)
    app = SlackApp(options, office.inbox, RecordingGate(), WallClock())
    assert app.socket is not None
    app.socket.on_connect = greeted.set
    await app.start()
    try:
        async with asyncio.timeout(5):
            await greeted.wait()
            greeted.clear()
            await office.slack.socket.disconnect("refresh_requested")
            await greeted.wait()
    finally:
        await app.stop()


@pytest.mark.parametrize(
    "message, taken",
    [
        ({"team": cast.TEAM}, False),  # a shared channel, as long as it is not named
        ({"team": "T0OTHER"}, False),
        ({}, False),
    ],
)
def test_a_shared_channel_is_as_closed_in_the_past_as_live(message: dict[str, str], taken: bool) -> None:
    channel: JsonObject = {"id": SUPPORT, "is_ext_shared": True}
    said: JsonObject = {"user": ADA, "ts": "1700000000.000100", "text": f"<@{cast.BOT_USER}> hello", **message}
    found = arrival(as_event(cast.TEAM, cast.BOT_USER, channel, said), cast.BOT_USER)
    assert isinstance(found, PassedOver) is not taken


def test_in_a_named_shared_channel_only_our_own_people_count() -> None:
    channel: JsonObject = {"id": SUPPORT, "is_ext_shared": True}
    said: JsonObject = {"user": ADA, "ts": "1700000000.000100", "text": f"<@{cast.BOT_USER}> hello"}
    for home, taken in ((cast.TEAM, True), ("T0OTHER", False), ("", False)):
        event = as_event(cast.TEAM, cast.BOT_USER, channel, {**said, "team": home})
        assert isinstance(arrival(event, cast.BOT_USER, {SUPPORT}), PassedOver) is not taken
