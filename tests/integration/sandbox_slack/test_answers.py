"""Response URLs, files, groups, several teams: the rest of what a bot may ask, straight over HTTP."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from sandbox.cast import ADA, BOT_USER, DANA, LEE, SUPPORT, TEAM
from sandbox.slack.directory import Channel, Team, User
from sandbox.slack.standin import SlackStandIn

Json = dict[str, Any]
HERE = SUPPORT.id
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
CARD = [{"type": "actions", "elements": [BUTTON]}]


@pytest.fixture
async def hook(slack: SlackStandIn, client: AsyncWebClient) -> AsyncWebhookClient:
    """The response URL of a click on a card."""
    ts = (await client.chat_postMessage(channel=HERE, text="card", blocks=CARD))["ts"]
    await slack.click(DANA.slack, HERE, ts, "go")
    return AsyncWebhookClient(slack.attempts("block_actions")[0].parcel.body["response_url"], retry_handlers=[])


async def test_a_response_url_replaces_and_deletes_what_was_clicked(
    slack: SlackStandIn, hook: AsyncWebhookClient
) -> None:
    assert (await hook.send(text="decided", replace_original=True)).body == "ok"
    assert [(m["text"], "blocks" in m) for m in slack.messages(HERE)] == [("decided", False)]
    assert (await hook.send(delete_original=True)).status_code == 200
    assert slack.messages(HERE) == []
    assert "message_not_found" in (await hook.send(delete_original=True)).body


async def test_a_response_url_speaks_to_everybody_only_when_told_to(
    slack: SlackStandIn, hook: AsyncWebhookClient
) -> None:
    await hook.send(text="for you")
    await hook.send(text="for all", response_type="in_channel")
    assert [m["text"] for m in slack.ephemerals(DANA.slack)] == ["for you"]
    assert [m["text"] for m in slack.messages(HERE)] == ["card", "for all"]


async def test_a_response_url_refuses_what_messages_refuse(slack: SlackStandIn, hook: AsyncWebhookClient) -> None:
    assert (await hook.send(blocks=[{"type": "mystery"}])).status_code == 400
    assert (await hook.send_dict({"colour": "red"})).status_code == 400
    assert (await hook.send_dict({"mrkdwn": True})).status_code == 400
    assert (await hook.send_dict({})).status_code == 400  # the SDK sends null, which is no call at all
    assert (await hook.send(replace_original=True)).status_code == 400
    assert [call.error for call in slack.calls("response_url")] == [
        "invalid_blocks",
        "invalid_arguments",
        "no_text",
        "no_text",
    ]


async def test_a_response_url_fails_on_demand(slack: SlackStandIn, hook: AsyncWebhookClient) -> None:
    slack.faults.next("response_url", "429")
    slack.faults.next("response_url", "error:no_text")
    slack.faults.next("response_url", "lost_answer")
    assert (await hook.send(text="x")).status_code == 429
    assert (await hook.send(text="x")).status_code == 400
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await hook.send(text="y")
    assert [m["text"] for m in slack.ephemerals(DANA.slack)] == ["y"]


async def test_a_file_is_refused_when_it_is_not_whole(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.grant("files:write")
    ticket = await client.files_getUploadURLExternal(filename="x", length=3)
    async with aiohttp.ClientSession() as session, session.post(ticket["upload_url"], data=b"four") as got:
        assert got.status == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": ticket["file_id"]}])
    with pytest.raises(SlackApiError, match="missing_argument"):
        await client.files_getUploadURLExternal(filename="x", length=0)


async def test_people_meet_in_a_group_conversation(slack: SlackStandIn, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="missing_scope"):
        await client.conversations_open(users=[ADA.slack, LEE.slack])
    slack.grant("mpim:write")
    first = await client.conversations_open(users=[ADA.slack, LEE.slack])
    again = await client.conversations_open(users=f"{LEE.slack},{ADA.slack}")
    assert first["channel"] == again["channel"]
    assert (await client.conversations_open(channel=first["channel"]["id"]))["channel"] == first["channel"]
    said = await slack.say(ADA.slack, first["channel"]["id"], "hi")
    assert slack.attempts("message")[0].parcel.body["event"]["channel_type"] == "mpim"
    assert said.ts


async def test_a_user_group_lists_its_members(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.workspace.directory.groups["S0LEADS"] = (DANA.slack,)
    assert (await client.usergroups_users_list(usergroup="S0LEADS"))["users"] == [DANA.slack]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S0NONE")


async def test_a_name_of_its_own_for_a_message_needs_its_own_scope(slack: SlackStandIn, client: AsyncWebClient) -> None:
    slack.grant("chat:write.customize")
    posted = await client.chat_postMessage(channel=HERE, text="x", username="Finance", icon_emoji=":bank:")
    assert posted["message"]["username"] == "Finance"


async def test_each_team_sees_its_own_with_its_own_token(slack: SlackStandIn, client: AsyncWebClient) -> None:
    other_bot = User("U0OTHERBOT", "twokey", "Twokey", "T0OTHER", is_bot=True, bot_id="B0OTHERBOT")
    slack.install(Team("T0OTHER", "Other", "other"), other_bot, "xoxb-other")
    slack.add_user(User("U0OTTO", "otto", "Otto", "T0OTHER", "otto@other.example"))
    slack.add_channel(Channel("C0OTHER", "general", "T0OTHER", members=frozenset({"U0OTTO", "U0OTHERBOT"})))
    assert (await client.auth_test(token="xoxb-other"))["team_id"] == "T0OTHER"
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.chat_postMessage(channel="C0OTHER", text="x")
    await client.chat_postMessage(channel="C0OTHER", text="x", token="xoxb-other")
    said = await slack.say("U0OTTO", "C0OTHER", "hi", mention=True)
    body = slack.attempts("app_mention")[0].parcel.body
    assert said.channel == "C0OTHER"
    assert (body["team_id"], body["authorizations"][0]["user_id"]) == ("T0OTHER", "U0OTHERBOT")
    assert [user["id"] for user in (await client.users_list(token="xoxb-other"))["members"]] == ["U0OTHERBOT", "U0OTTO"]
    await slack.dm("U0OTTO", "hello")
    assert slack.workspace.directory.channels[slack.im_of("U0OTTO")].members == {"U0OTTO", "U0OTHERBOT"}


async def test_a_form_and_a_query_carry_arguments_as_json_does(slack: SlackStandIn, client: AsyncWebClient) -> None:
    url = f"{client.base_url}chat.postMessage"
    async with aiohttp.ClientSession() as session:
        form = {"token": str(client.token), "channel": HERE, "text": "form", "blocks": '[{"type": "divider"}]'}
        async with session.post(url, data=form) as got:
            assert (await got.json())["ok"]
        query = {"channel": HERE, "text": "query", "unfurl_links": "maybe"}
        async with session.post(url, params=query, headers={"Authorization": f"Bearer {client.token}"}) as got:
            assert (await got.json())["response_metadata"]["messages"] == [
                "[ERROR] must be a boolean [json-pointer:/unfurl_links]"
            ]
        for body, kind, error in (
            ("{", "application/json", "invalid_json"),
            ("[]", "application/json", "json_not_object"),
            ("x", "text/csv", "invalid_post_type"),
        ):
            async with session.post(url, data=body, headers={"Content-Type": kind}) as got:
                assert (await got.json())["error"] == error
    assert slack.calls()[0].arguments == {"channel": HERE, "text": "form", "blocks": '[{"type": "divider"}]'}


async def test_a_mass_mention_is_noted_whatever_carries_it(slack: SlackStandIn, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=HERE, text="<!here> look")
    await client.chat_postMessage(channel=HERE, markdown_text="<!channel> look")
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "<!everyone>"}}
    await client.chat_postMessage(channel=HERE, text="x", blocks=[block])
    assert [warning["code"] for warning in slack.warnings] == ["mass_mention"] * 3


async def test_a_view_is_pushed_and_updated_by_its_own_id(slack: SlackStandIn, client: AsyncWebClient) -> None:
    view: Json = {"type": "modal", "title": {"type": "plain_text", "text": "One"}, "blocks": [{"type": "divider"}]}
    tickets = slack.workspace.tickets
    await client.views_open(trigger_id=tickets.trigger(DANA.slack, TEAM), view={**view, "external_id": "mine"})
    await client.views_push(trigger_id=tickets.trigger(DANA.slack, TEAM), view=view)
    title = {"type": "plain_text", "text": "Two"}
    await client.views_update(external_id="mine", view={**view, "external_id": "mine", "title": title})
    assert [shown["title"]["text"] for shown in slack.open_views(DANA.slack)] == ["Two", "One"]
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.api_call("views.update", json={"view": view})
    assert slack.snapshot()["modals"][DANA.slack][1]["previous_view_id"]
    assert BOT_USER not in slack.snapshot()["modals"]
