"""What real workspaces sent, replayed: nothing recorded is answered with what Slack would count as a failure."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.app import SlackOptions
from sandbox.slack.post import Parcel
from sandbox.slack.standin import SlackStandIn
from tests.fixtures import fixture_dir
from tests.integration.slack.conftest import by_http, by_socket
from tests.integration.slack.doubles import RecordingGate, RecordingInbox


def recorded() -> Iterator[tuple[str, Parcel]]:
    """Our user id in the workspace a payload was recorded in, and the payload."""
    for path in sorted(fixture_dir("slack").glob("recordings/*.json")):
        recording = json.loads(path.read_text())
        for name, payload in recording.items():
            if isinstance(payload, dict) and "type" in payload:
                kind = "events_api" if payload["type"] == "event_callback" else "interactive"
                yield recording["botUserId"], Parcel(kind, payload, f"{path.stem}/{name}")


@pytest.mark.parametrize("way", [by_http, by_socket])
async def test_every_recording_is_answered(slack: SlackStandIn, options: SlackOptions, way: Any) -> None:  # noqa: ANN401 - either of two
    inbox, gate = RecordingInbox(), RecordingGate()
    async with way(slack, options, inbox, gate) as app:
        for bot_user, parcel in recorded():
            if "response_url" in parcel.body:
                parcel.body["response_url"] = f"{slack.workspace.base_url}/response/none"
            app.installed = replace(app.installed, bot_user=bot_user)
            answer = await slack.post.once(parcel, None)
            assert answer.ok, (parcel.name, answer)
        await app.errands.drain(5)
    assert len(slack.attempts()) >= 20
    assert {"Hey", "Test", "testing", "DM me", "hello hello", "cool!!"} <= set(inbox.texts)
    assert gate.decided == []
    assert all(each.text or each.attachments for each in inbox.taken)
