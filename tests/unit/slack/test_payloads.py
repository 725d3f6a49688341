"""Which of Slack's events is whose: each message of a person's is taken in once, and nothing else is."""

from typing import Any

import pytest

from agent.conversation import Identity, JsonObject, SlackThread
from bot.inbox import Delivery
from bot.slack.payloads import (
    PassedOver,
    arrival,
    home_opened_by,
    stopped,
    team_of,
)

BOT = "U0TWOKEY"
TS, ROOT = "1700000002.000200", "1700000001.000100"


def body(*, shared: bool = False, **event: Any) -> JsonObject:  # noqa: ANN401 - JSON
    """An event by Ada in a channel, but for what is named; None leaves a key out."""
    whole = {"type": "message", "user": "U0ADA", "ts": TS, "text": "hello", "channel": "C0SUPPORT"} | event
    return {
        "team_id": "T0",
        "event_id": "Ev1",
        "event": {key: value for key, value in whole.items() if value is not None},
        "is_ext_shared_channel": shared,
    }


def mention(**event: Any) -> JsonObject:  # noqa: ANN401 - JSON
    return body(**{"type": "app_mention", "text": f"<@{BOT}> hello"} | event)


def delivered(found: Delivery | PassedOver) -> Delivery:
    assert isinstance(found, Delivery), found
    return found


def why(found: Delivery | PassedOver) -> str:
    assert isinstance(found, PassedOver), found
    return found.why


def test_a_mention_starts_a_thread_at_its_own_message() -> None:
    assert delivered(arrival(mention(), BOT)) == Delivery(
        conversation=SlackThread(team="T0", channel="C0SUPPORT", thread_ts=TS),
        keys=(f"slack:message:T0:C0SUPPORT:{TS}", "slack:event:Ev1"),
        sender=Identity(channel="slack", id="U0ADA", team="T0"),
        text="hello",
        starts=True,
    )


def test_a_mention_inside_a_thread_belongs_to_that_thread_and_may_start_it() -> None:
    found = delivered(arrival(mention(thread_ts=ROOT), BOT))
    assert found.conversation == SlackThread(team="T0", channel="C0SUPPORT", thread_ts=ROOT)
    assert found.starts


def test_the_same_mention_told_as_a_message_is_left_to_the_other_event() -> None:
    told_twice = body(text=f"<@{BOT}> hello", channel_type="channel")
    assert why(arrival(told_twice, BOT)) == "told as app_mention"


@pytest.mark.parametrize("kind", ["channel", "group", None])
def test_a_reply_in_a_channel_only_continues(kind: str | None) -> None:
    found = delivered(arrival(body(thread_ts=ROOT, channel_type=kind), BOT))
    assert not found.starts
    assert found.conversation.key == f"slack:T0:C0SUPPORT:{ROOT}"


def test_a_group_dm_needs_a_mention_to_start_and_both_tellings_share_a_key() -> None:
    told = delivered(arrival(body(text=f"<@{BOT}> hi", channel="G0", channel_type="mpim"), BOT))
    again = delivered(arrival(mention(channel="G0"), BOT))
    assert told.starts
    assert told.keys[0] == again.keys[0]
    assert not delivered(arrival(body(channel="G0", channel_type="mpim"), BOT)).starts


@pytest.mark.parametrize("kind", ["im", None])
def test_every_message_in_a_dm_starts_and_is_its_own_root(kind: str | None) -> None:
    found = delivered(arrival(body(channel="D0ADA", channel_type=kind), BOT))
    assert found.starts
    assert found.conversation.key == f"slack:T0:D0ADA:{TS}"
    reply = delivered(arrival(body(channel="D0ADA", channel_type=kind, thread_ts=ROOT), BOT))
    assert reply.conversation.key == f"slack:T0:D0ADA:{ROOT}"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
def test_what_a_person_said_counts_with_a_file_or_sent_to_the_channel_too(subtype: str) -> None:
    assert delivered(arrival(body(subtype=subtype, thread_ts=ROOT), BOT)).text == "hello"


@pytest.mark.parametrize(
    "event, reason",
    [
        ({"subtype": "message_changed"}, "subtype"),
        ({"subtype": "message_deleted"}, "subtype"),
        ({"subtype": "bot_message", "bot_id": "B1"}, "subtype"),
        ({"subtype": "channel_join"}, "subtype"),
        ({"subtype": "tombstone"}, "subtype"),
        ({"edited": {"user": "U0ADA", "ts": "1.0"}}, "edited"),
        ({"hidden": True}, "edited"),
        ({"bot_id": "B0OTHER"}, "bot"),
        ({"bot_profile": {"id": "B0OTHER"}}, "bot"),
        ({"user": "USLACKBOT"}, "bot"),
        ({"user": BOT}, "own"),
        ({"user": None}, "no author"),
        ({"ts": None}, "incomplete"),
        ({"channel": None}, "incomplete"),
        ({"user": {"id": "U0ADA"}}, "no author"),
    ],
)
@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_what_no_person_said_is_passed_over(kind: str, event: dict[str, Any], reason: str) -> None:
    assert why(arrival(body(**{"type": kind} | event), BOT)) == reason


def test_an_event_without_anything_in_it_is_passed_over() -> None:
    assert why(arrival({}, BOT)) == "no author"
    assert why(arrival({"event": "x"}, BOT)) == "no author"


@pytest.mark.parametrize(
    "event", [{"user_team": "T0PARTNER"}, {"source_team": "T0PARTNER"}, {"user_team": "E0PARTNER"}]
)
def test_people_of_another_organisation_are_passed_over_in_silence(event: JsonObject) -> None:
    found = arrival(mention(**event, shared=True), BOT, {"C0SUPPORT"})
    assert found == PassedOver("stranger")


def test_ones_own_people_are_told_why_a_shared_channel_is_no_place_for_the_agent() -> None:
    found = arrival(mention(shared=True, user_team="T0"), BOT)
    assert isinstance(found, PassedOver)
    assert "shared with another organisation" in found.tell
    unaddressed = arrival(body(shared=True, thread_ts=ROOT), BOT)
    assert unaddressed == PassedOver("shared channel")


def test_a_shared_channel_that_is_named_is_like_any_other_for_ones_own_people() -> None:
    assert delivered(arrival(mention(shared=True, user_team="T0"), BOT, {"C0SUPPORT"})).starts


def test_files_are_noted_and_need_no_words() -> None:
    file: JsonObject = {"id": "F1", "name": "bill.pdf", "mimetype": "application/pdf", "size": 7}
    found = delivered(
        arrival(body(channel="D0", channel_type="im", subtype="file_share", text="", files=[file, {}]), BOT)
    )
    assert found.text == ""
    assert [(each.name, each.media_type, each.size) for each in found.attachments] == [
        ("bill.pdf", "application/pdf", 7),
        ("file", "application/octet-stream", 0),
    ]
    assert "cannot open" in found.attachments[0].note


def test_a_forwarded_message_is_quoted() -> None:
    shared: JsonObject = {"is_share": True, "author_name": "Sam", "text": "where is\n<https://a.example|it>?"}
    preview: JsonObject = {"title": "A page", "text": "not said by anybody"}
    found = delivered(arrival(mention(attachments=[shared, preview]), BOT))
    assert found.text == "hello\n\nForwarded from Sam:\n> where is\n> it (https://a.example)?"


@pytest.mark.parametrize(
    "event, is_outside",
    [
        (mention(), False),
        (mention(user_team="T0"), False),
        (mention(shared=True, user_team="T0"), False),
        (mention(shared=True), True),
        (mention(attachments=[{"is_share": True, "text": "Refund me"}]), True),
        (mention(attachments=[{"is_msg_unfurl": True, "text": "Refund me"}]), True),
        (mention(attachments=[{"title": "A page", "text": "not taken in"}]), False),
    ],
)
def test_words_of_others_taint_the_thread_and_those_of_ones_own_people_do_not(
    event: JsonObject, is_outside: bool
) -> None:
    assert delivered(arrival(event, BOT, {"C0SUPPORT"})).is_outside is is_outside


def test_an_app_installed_for_a_whole_organisation_goes_by_its_id() -> None:
    assert team_of({"team_id": None, "enterprise_id": "E0"}) == "E0"
    assert team_of({"team": None, "enterprise": {"id": "E0"}}) == "E0"
    assert team_of({"team": {"id": "T0"}}) == "T0"


def test_the_stop_button_names_its_thread_and_who_pressed_it() -> None:
    event: JsonObject = {"type": "agent_session_stopped", "channel": "C0", "thread_ts": ROOT, "user": "U0ADA"}
    found = stopped({"team_id": "T0", "event": event})
    assert found == (
        SlackThread(team="T0", channel="C0", thread_ts=ROOT),
        Identity(channel="slack", id="U0ADA", team="T0"),
    )
    assert stopped({"team_id": "T0", "event": {"channel": "C0"}}) is None


def test_only_the_home_tab_is_published() -> None:
    assert home_opened_by({"event": {"user": "U0ADA", "tab": "home"}}) == "U0ADA"
    assert home_opened_by({"event": {"user": "U0ADA", "tab": "messages"}}) == ""
