"""Old events, written by a release that knew less, are brought up to date as they are read."""

import json

import pytest
from pydantic import JsonValue

from agent.events import MessageReceived
from store import codec
from tests.builders import a_message

Body = dict[str, JsonValue]


def test_an_old_event_goes_through_every_step_to_today(monkeypatch: pytest.MonkeyPatch) -> None:
    def second(body: Body) -> Body:
        return {**{key: value for key, value in body.items() if key != "words"}, "body": body["words"], "v": 2}

    def third(body: Body) -> Body:
        return {**{key: value for key, value in body.items() if key not in {"body", "v"}}, "text": body["body"], "v": 3}

    monkeypatch.setitem(codec.UPCASTS, ("message_received", 1), second)
    monkeypatch.setitem(codec.UPCASTS, ("message_received", 2), third)
    link = codec.chained([a_message()], 0, codec.genesis("thr_1"))[0]
    body = json.loads(link.body)
    body["words"] = body.pop("text")
    event = codec.entry(1, link.kind, link.at, json.dumps(body)).event
    assert isinstance(event, MessageReceived)
    assert event.text == a_message().text
