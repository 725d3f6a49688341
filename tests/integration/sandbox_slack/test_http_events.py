"""Events and interactions over signed HTTP, to a real Bolt app: each of the hands, the retries, the mention's pair."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.async_app import AsyncAck, AsyncBoltContext, AsyncRespond
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.cast import ADA, BOT, BOT_USER, DANA, SUPPORT, TEAM
from sandbox.serving import serving
from sandbox.slack.directory import Channel, Team, User
from sandbox.slack.refused import NotPossible
from sandbox.slack.standin import SlackStandIn
from sandbox.slack.talking import MentionOrder
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
MODAL = {
    "type": "modal",
    "callback_id": "reject",
    "private_metadata": "ap_1",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
        }
    ],
}


async def note_events(bot: Bot) -> None:
    """Take every event, and keep it."""

    @bot.app.event({"type": "app_mention"})
    async def mention(event: Json) -> None:
        bot.seen.append(event)

    @bot.app.event("message")
    async def message(event: Json) -> None:
        bot.seen.append(event)


async def test_a_signed_url_verification_is_answered_with_the_challenge(slack: SlackStandIn, bot: Bot) -> None:
    answer = await slack.verify_url()
    sent = slack.attempts("url_verification")[0].parcel.body["challenge"]
    assert (answer.status, answer.json()) == (200, {"challenge": sent})
    slack.signing_secret = "another"
    slack.use_http(bot.url)
    assert (await slack.verify_url()).status == 401


async def test_the_signature_is_slacks(slack: SlackStandIn) -> None:
    verdicts: list[bool] = []

    async def check(request: Request) -> Response:
        verifier = SignatureVerifier(slack.signing_secret)
        verdicts.append(verifier.is_valid_request(await request.body(), dict(request.headers)))
        return Response()

    async with serving(Starlette(routes=[Route("/", check, methods=["POST"])])) as url:
        slack.use_http(url)
        assert (await slack.say(ADA.slack, HERE, "hello ✓")).ok
        assert (await slack.slash(ADA.slack, HERE, "/twokey", "a & b")).ok
        await slack.send_interaction({"type": "block_actions"})
    assert verdicts == [True, True, True]


@pytest.mark.parametrize(
    "order,expected",
    [("mention_first", ["app_mention", "message"]), ("message_first", ["message", "app_mention"])],
)
async def test_a_mention_comes_as_two_events_in_either_order(
    slack: SlackStandIn, bot: Bot, order: MentionOrder, expected: list[str]
) -> None:
    await note_events(bot)
    slack.mention_order = order
    said = await slack.say(ADA.slack, HERE, "refund order 1001", mention=True)
    assert said.ok
    assert [event["type"] for event in bot.seen] == expected
    first, second = (attempt.parcel.body for attempt in slack.attempts())
    assert first["event_id"] != second["event_id"]
    assert first["event"]["ts"] == second["event"]["ts"] == said.ts
    assert bot.seen[0]["text"] == f"<@{BOT_USER}> refund order 1001"


async def test_a_mention_may_come_as_two_events_at_once(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    slack.mention_order = "together"
    assert (await slack.say(ADA.slack, HERE, "hi", mention=True)).ok
    assert sorted(event["type"] for event in bot.seen) == ["app_mention", "message"]


async def test_a_direct_message_has_no_thread_of_its_own(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    said = await slack.dm(ADA.slack, "hello")
    (event,) = bot.seen
    assert (event["channel_type"], event["channel"], event["user"]) == ("im", said.channel, ADA.slack)
    assert "thread_ts" not in event
    await slack.dm(ADA.slack, "more", thread_ts=said.ts)
    assert (bot.seen[1]["thread_ts"], bot.seen[1]["parent_user_id"]) == (said.ts, ADA.slack)


async def test_edits_previews_deletes_files_and_broadcasts_have_their_subtypes(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    said = await slack.say(ADA.slack, HERE, "see https://example.com")
    await slack.edit(ADA.slack, HERE, said.ts, "see that")
    await slack.preview(HERE, said.ts)
    await slack.broadcast(ADA.slack, HERE, "everybody!", said.ts)
    await slack.share_file(ADA.slack, HERE, "scan.pdf", b"%PDF")
    await slack.other_bot_says(HERE, "build failed")
    await slack.delete(ADA.slack, HERE, said.ts)
    assert [event.get("subtype") for event in bot.seen] == [
        None,
        "message_changed",
        "message_changed",
        "thread_broadcast",
        "file_share",
        "bot_message",
        "message_deleted",
    ]
    edit, preview, file, deletion = bot.seen[1], bot.seen[2], bot.seen[4], bot.seen[6]
    assert (edit["message"]["text"], edit["previous_message"]["text"]) == ("see that", "see https://example.com")
    assert preview["message"]["text"] == preview["previous_message"]["text"]
    assert (file["text"], file["files"][0]["name"]) == ("", "scan.pdf")
    assert deletion["deleted_ts"] == said.ts


async def test_an_edited_mention_comes_again_marked_as_edited(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    said = await slack.say(ADA.slack, HERE, "refnd", mention=True)
    await slack.edit(ADA.slack, HERE, said.ts, f"<@{BOT_USER}> refund")
    again = [event for event in bot.seen if event["type"] == "app_mention"]
    assert ["edited" in event for event in again] == [False, True]


async def test_the_bots_own_posts_come_back_to_it_and_bolt_drops_them(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    await note_events(bot)
    ts = (await client.chat_postMessage(channel=HERE, text="mine"))["ts"]
    await client.chat_update(channel=HERE, ts=ts, text="changed")
    await client.chat_delete(channel=HERE, ts=ts)
    await slack.settled()
    told = sorted(attempt.parcel.body["event"].get("subtype", "") for attempt in slack.attempts())
    assert told == ["", "message_changed", "message_deleted"]
    assert all(attempt.answer.ok for attempt in slack.attempts())
    assert bot.seen == []


async def test_without_a_listener_bolt_answers_404_and_slack_tries_three_times_more(
    slack: SlackStandIn, bot: Bot
) -> None:
    said = await slack.say(ADA.slack, HERE, "hello")
    assert [answer.status for answer in said.answers] == [404]
    await slack.settled()
    attempts = slack.attempts("message")
    assert len({attempt.parcel.body["event_id"] for attempt in attempts}) == 1
    assert bot.retries == ["", "1", "2", "3"]
    assert [attempt.retry.reason for attempt in attempts if attempt.retry] == ["http_error"] * 3


async def test_a_slow_bot_is_tried_again_for_a_timeout_and_a_200_ends_it(slack: SlackStandIn) -> None:
    tried: list[str] = []

    async def slow_once(request: Request) -> Response:
        tried.append(request.headers.get("x-slack-retry-reason", ""))
        if len(tried) == 1:
            while (await request.receive())["type"] != "http.disconnect":
                pass
        return Response()

    async with serving(Starlette(routes=[Route("/", slow_once, methods=["POST"])])) as url:
        slack.use_http(url)
        said = await slack.say(ADA.slack, HERE, "hello")
        await slack.settled()
    assert (said.answers[0].status, said.answers[0].failure) == (0, "http_timeout")
    assert tried == ["", "http_timeout"]


async def test_x_slack_no_retry_ends_it_too(slack: SlackStandIn) -> None:
    async def never(request: Request) -> Response:
        del request
        return Response(status_code=500, headers={"x-slack-no-retry": "1"})

    async with serving(Starlette(routes=[Route("/", never, methods=["POST"])])) as url:
        slack.use_http(url)
        await slack.say(ADA.slack, HERE, "hello")
        await slack.settled()
    assert len(slack.attempts()) == 1


async def test_an_event_is_repeated_on_demand_with_retry_headers(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    await slack.say(ADA.slack, HERE, "hello")
    assert (await slack.repeat(slack.attempts()[0])).ok
    assert len(bot.seen) == 2  # Bolt does not drop repeats; whoever uses it must
    assert bot.retries == ["", "1"]


async def test_a_connect_partner_is_marked_as_of_another_team(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    slack.add_team(Team("T0PARTNER", "Partner", "partner"))
    slack.add_user(User("U0PARTNER", "pat", "Pat", "T0PARTNER"))
    slack.add_channel(
        Channel("C0SHARED", "shared", TEAM, members=frozenset({"U0PARTNER", BOT_USER}), is_ext_shared=True)
    )
    await slack.say("U0PARTNER", "C0SHARED", "hi", mention=True)
    body = slack.attempts("app_mention")[0].parcel.body
    assert (body["is_ext_shared_channel"], body["team_id"], body["event"]["user_team"]) == (True, TEAM, "T0PARTNER")


async def test_only_subscribed_events_of_conversations_with_the_bot_are_sent(slack: SlackStandIn, bot: Bot) -> None:
    await note_events(bot)
    slack.add_channel(Channel("C0OTHER", "other", TEAM, members=frozenset({ADA.slack})))
    assert (await slack.say(ADA.slack, "C0OTHER", "hi")).answers == ()
    slack.app.subscriptions = frozenset({"app_mention"})
    await slack.say(ADA.slack, HERE, "hi", mention=True)
    assert [event["type"] for event in bot.seen] == ["app_mention"]


async def test_a_click_carries_what_recorded_clicks_carry(
    slack: SlackStandIn, bot: Bot, client: AsyncWebClient
) -> None:
    bodies: list[Json] = []

    @bot.app.action("approve")
    async def approve(ack: AsyncAck, body: Json) -> None:
        await ack()
        bodies.append(body)

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
        await ack()
        bodies.append(body)
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
        await ack()
        responds.append(respond)

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
        await ack()
        closed.append(body)

    await slack.shortcut(DANA.slack, "start")
    answer = await slack.close(DANA.slack, slack.open_views(DANA.slack)[0]["id"])
    assert answer is not None
    assert answer.ok
    assert closed[0]["is_cleared"] is False
    await slack.shortcut(DANA.slack, "start")
    assert await slack.close(DANA.slack, slack.open_views(DANA.slack)[0]["id"]) is None


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
        await ack()
        clicks.append(body)

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


async def test_who_watches_sees_each_change(slack: SlackStandIn, client: AsyncWebClient) -> None:
    changes = slack.changes()
    await client.chat_postMessage(channel=HERE, text="x")
    change = await anext(changes)
    assert (change["kind"], change["channel"]) == ("message", HERE)
    assert (await anext(changes))["kind"] == "call"
    changes.close()
    json.dumps(slack.snapshot())
