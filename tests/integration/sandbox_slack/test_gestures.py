"""Clicks, ephemeral messages, response URLs, the Home tab, the stop button, commands, over HTTP, to a real Bolt app."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncBoltContext, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.cast import ADA, BOT, DANA, SUPPORT, TEAM
from sandbox.slack.refused import NotPossible
from sandbox.slack.standin import SlackStandIn
from tests.integration.sandbox_slack.bolt_bot import Bot, Later

Json = dict[str, Any]


HERE = SUPPORT.id


CARD: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "Refund?"}},
    {
        "type": "actions",
        "block_id": "approval:ap_1",
        "elements": [
            {
                "type": "button",
                "action_id": "approve",
                "text": {"type": "plain_text", "text": "Approve"},
                "value": "ap_1",
                "visible_to_user_ids": [DANA.slack],
            },
            {
                "type": "static_select",
                "action_id": "pick",
                "options": [{"text": {"type": "plain_text", "text": "One"}, "value": "1"}],
            },
        ],
    },
]


async def test_a_click_carries_what_recorded_clicks_carry(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    bodies: list[Json] = []

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, body: Json) -> None:
        bodies.append(body)
        await ack()

    root = (await slack.say(ADA.slack, HERE, "root")).ts
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD, thread_ts=root))["ts"]
    assert (await slack.click(DANA.slack, HERE, ts, "approve")).status == 200
    body = bodies[0]
    assert body["actions"][0]["value"] == "ap_1"
    assert body["actions"][0]["block_id"] == "approval:ap_1"
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": HERE,
        "is_ephemeral": False,
        "thread_ts": root,
    }
    assert (body["user"]["id"], body["user"]["team_id"], body["team"]["id"]) == (DANA.slack, TEAM, TEAM)
    assert (body["message"]["ts"], body["message"]["bot_id"], body["channel"]["id"]) == (ts, BOT, HERE)


async def test_people_can_only_click_what_they_see(slack: SlackStandIn, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD))["ts"]
    with pytest.raises(NotPossible, match="does not see"):
        await slack.click(ADA.slack, HERE, ts, "approve")
    with pytest.raises(NotPossible, match="there is no shrug"):
        await slack.click(DANA.slack, HERE, ts, "shrug")
    with pytest.raises(NotPossible, match="no option 7"):
        await slack.click(DANA.slack, HERE, ts, "pick", "7")
    await client.chat_update(channel=HERE, ts=ts, text="decided")
    with pytest.raises(NotPossible, match="there is no approve"):
        await slack.click(DANA.slack, HERE, ts, "approve")
    await slack.click_stale(DANA.slack, HERE, ts, "approve")
    assert slack.attempts("block_actions")[0].parcel.body["actions"][0]["value"] == "ap_1"


async def test_an_ephemeral_message_is_for_one_reader_and_its_click_has_no_message(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    bodies: list[Json] = []

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        bodies.append(body)
        await ack()
        await respond(text="done", replace_original=True)

    ts = (await client.chat_postEphemeral(channel=HERE, user=DANA.slack, text="card", blocks=CARD))["message_ts"]
    assert slack.messages(HERE) == []
    with pytest.raises(NotPossible):
        await slack.click(ADA.slack, HERE, ts, "approve")
    await slack.click(DANA.slack, HERE, ts, "approve")
    assert "message" not in bodies[0]
    assert bodies[0]["container"]["is_ephemeral"] is True
    assert [m["text"] for m in slack.ephemerals(DANA.slack)] == ["done"]


async def test_a_response_url_works_five_times_within_half_an_hour(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient, later: Later
) -> None:
    responds: list[AsyncRespond] = []

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, respond: AsyncRespond) -> None:
        responds.append(respond)
        await ack()

    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD))["ts"]
    await slack.click(DANA.slack, HERE, ts, "approve")
    statuses = [(await responds[0](text=str(number))).status_code for number in range(6)]
    assert statuses == [200] * 5 + [404]
    assert slack.calls("response_url")[-1].error == "used_url"
    assert [m["text"] for m in slack.ephemerals(DANA.slack)] == ["0", "1", "2", "3", "4"]
    await slack.click(DANA.slack, HERE, ts, "approve")
    later(1801)
    assert (await responds[1](text="late")).status_code == 404
    assert slack.calls("response_url")[-1].error == "expired_url"


async def test_the_home_tab_is_opened_published_and_used(slack: SlackStandIn, bot: Bot) -> None:
    clicks: list[Json] = []
    button = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}

    @bot.app.event("app_home_opened")
    async def opened(event: Json, client: AsyncWebClient) -> None:
        bot.seen.append(event)
        if event["tab"] == "home":
            await client.views_publish(user_id=event["user"], view=home)

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, body: Json) -> None:
        clicks.append(body)
        await ack()

    assert (await slack.open_home(DANA.slack)).ok
    assert (await slack.open_home(DANA.slack, "messages")).ok
    shown = slack.home(DANA.slack)
    assert shown is not None
    assert (await slack.click_view(DANA.slack, shown["id"], "approve")).ok
    assert clicks[0]["container"] == {"type": "view", "view_id": shown["id"]}
    await slack.open_home(DANA.slack)
    assert ["view" in event for event in bot.seen] == [False, False, True]


async def test_the_stop_button_is_there_while_a_session_is_processing(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    contexts: list[tuple[str | None, str, str | None]] = []

    @bot.app.event("agent_session_stopped")
    async def stopped(context: AsyncBoltContext, event: Json) -> None:
        contexts.append((context.channel_id, event["thread_ts"], context.user_id))

    root = (await slack.say(ADA.slack, HERE, "hello")).ts
    with pytest.raises(NotPossible, match="no stop button"):
        await slack.stop_session(ADA.slack, HERE, root)
    stream = await client.chat_startStream(
        channel=HERE, thread_ts=root, recipient_team_id=TEAM, recipient_user_id=ADA.slack
    )
    assert (await slack.stop_session(ADA.slack, HERE, root)).ok
    assert contexts == [(HERE, root, ADA.slack)]
    with pytest.raises(Exception, match="stopped_by_user"):
        await client.chat_appendStream(channel=HERE, ts=stream["ts"], markdown_text="x")


async def test_commands_and_message_shortcuts_arrive(slack: SlackStandIn, bot: Bot) -> None:
    @bot.app.command("/twokey")
    async def command(ack: AsyncAck, body: Json) -> None:
        bot.seen.append(body)
        await ack("on it")

    @bot.app.shortcut("ask")
    async def ask(ack: AsyncAck, body: Json) -> None:
        await ack()
        bot.seen.append(body)

    assert (await slack.slash(ADA.slack, HERE, "/twokey", "help me")).ok
    said = await slack.say(ADA.slack, HERE, "hello")
    assert (await slack.message_shortcut(ADA.slack, HERE, said.ts, "ask")).ok
    assert (bot.seen[0]["text"], bot.seen[1]["message"]["text"]) == ("help me", "hello")
    assert [m["text"] for m in slack.ephemerals(ADA.slack)] == ["on it"]


async def test_an_action_nobody_listens_to_is_a_404_and_is_not_tried_again(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    assert bot.url
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD))["ts"]
    assert (await slack.click(DANA.slack, HERE, ts, "approve")).status == 404
    assert len(slack.attempts("block_actions")) == 1
