"""Modals through a real Bolt app: opened, filled in, answered, closed; and how long a trigger lives."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cast import ADA, DANA, SUPPORT
from sandbox.serving import serving
from sandbox.slack.refused import NotPossible
from sandbox.slack.standin import SlackStandIn
from tests.integration.sandbox_slack.bolt_bot import MODAL, Bot, Later

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


async def test_a_modal_is_opened_filled_in_and_submitted(slack: SlackStandIn, bot: Bot, client: AsyncWebClient) -> None:
    submitted: list[Json] = []

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @bot.app.view("reject")
    async def reject(ack: AsyncAck, view: Json) -> None:
        text = view["state"]["values"]["reason"]["text"]["value"]
        submitted.append(view)
        await (ack(response_action="errors", errors={"reason": "too short"}) if text == "no" else ack())

    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD))["ts"]
    await slack.click(DANA.slack, HERE, ts, "approve")
    (view,) = slack.open_views(DANA.slack)
    for values, problem in (({}, "required"), ({"reason": "x" * 21}, "longer"), ({"other": "x"}, "no such field")):
        with pytest.raises(NotPossible, match=problem):
            await slack.submit(DANA.slack, view["id"], values)
    with pytest.raises(NotPossible):
        await slack.submit(ADA.slack, view["id"], {"reason": "not hers"})
    await slack.submit(DANA.slack, view["id"], {"reason": "no"})
    assert slack.open_views(DANA.slack)[0]["errors"] == {"reason": "too short"}
    assert (await slack.submit(DANA.slack, view["id"], {"reason": {"text": "too dear"}})).status == 200
    assert slack.open_views(DANA.slack) == []
    assert submitted[-1]["private_metadata"] == "ap_1"


async def test_the_answer_to_a_submission_may_update_push_and_clear(slack: SlackStandIn, bot: Bot) -> None:
    answers = iter(["update", "push", "update-badly", "clear"])
    second = {**MODAL, "title": {"type": "plain_text", "text": "Second"}}

    @bot.app.shortcut("start")
    async def start(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @bot.app.view("reject")
    async def reject(ack: AsyncAck) -> None:
        match next(answers):
            case "clear":
                await ack(response_action="clear")
            case "update-badly":
                await ack(response_action="update", view={**MODAL, "title": {"type": "plain_text", "text": "x" * 25}})
            case action:
                await ack(response_action=action, view=second)

    def titles() -> list[str]:
        return [view["title"]["text"] for view in slack.open_views(DANA.slack)]

    async def submit() -> None:
        await slack.submit(DANA.slack, slack.open_views(DANA.slack)[-1]["id"], {"reason": "x"})

    await slack.shortcut(DANA.slack, "start")
    assert titles() == ["Reject"]
    await submit()
    assert titles() == ["Second"]
    await submit()
    assert titles() == ["Second", "Second"]
    await submit()
    assert "trouble" in slack.open_views(DANA.slack)[-1]["errors"][""]
    await submit()
    assert titles() == []


async def test_a_trigger_is_good_for_three_seconds_and_once(
    slack: SlackStandIn, client: AsyncWebClient, later: Later
) -> None:
    triggers: list[str] = []

    async def keep(request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        triggers.append(json.loads(form["payload"][0])["trigger_id"])
        return Response()

    async with serving(Starlette(routes=[Route("/", keep, methods=["POST"])])) as url:
        slack.use_http(url)
        await slack.shortcut(DANA.slack, "a")
        await slack.shortcut(DANA.slack, "b")
    await client.views_open(trigger_id=triggers[0], view=MODAL)
    for trigger, error in ((triggers[0], "exchanged_trigger_id"), (triggers[1], "expired_trigger_id")):
        later(3.1)
        with pytest.raises(Exception, match=error):
            await client.views_open(trigger_id=trigger, view=MODAL)


async def test_closing_a_view_is_told_only_when_asked_for(slack: SlackStandIn, bot: Bot) -> None:
    closed: list[Json] = []

    @bot.app.shortcut("start")
    async def start(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view={**MODAL, "notify_on_close": not closed})

    @bot.app.view_closed("reject")
    async def close(ack: AsyncAck, body: Json) -> None:
        closed.append(body)
        await ack()

    await slack.shortcut(DANA.slack, "start")
    answer = await slack.close(DANA.slack, slack.open_views(DANA.slack)[0]["id"])
    assert answer is not None
    assert answer.ok
    assert closed[0]["is_cleared"] is False
    await slack.shortcut(DANA.slack, "start")
    assert await slack.close(DANA.slack, slack.open_views(DANA.slack)[0]["id"]) is None
