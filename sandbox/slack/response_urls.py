"""What a response URL takes: five answers within half an hour, each a message or a change of the one clicked."""

from dataclasses import replace

from sandbox.slack import events
from sandbox.slack.blocks import check_message
from sandbox.slack.messages import Message
from sandbox.slack.refused import Json, Refused
from sandbox.slack.schema import names
from sandbox.slack.stored import stored
from sandbox.slack.tickets import ResponseUrl
from sandbox.slack.workspace import Workspace

_TAKEN = names(
    "text blocks attachments response_type replace_original delete_original thread_ts unfurl_links unfurl_media"
    " metadata mrkdwn"
)


def answer_with(workspace: Workspace, secret: str, body: Json) -> None:
    """Do what the body says; raises Refused. A body that is refused still uses the URL up by one."""
    url = workspace.tickets.answer_with(secret)
    unknown = sorted(body.keys() - _TAKEN)
    if unknown:
        raise Refused("invalid_arguments", *(f"[ERROR] unknown argument: {key}" for key in unknown))
    blocks = stored(check_message(body.get("blocks") or []), workspace.ids)
    original = workspace.messages.get(url.channel, url.message_ts)
    if body.get("delete_original"):
        _delete(workspace, original)
    elif body.get("replace_original") and original is not None:
        _replace(workspace, original, str(body.get("text", "")), blocks)
    elif body.get("text") or blocks:
        _say(workspace, url, body, blocks)
    else:
        raise Refused("no_text")


def _delete(workspace: Workspace, original: Message | None) -> None:
    if original is None:
        raise Refused("message_not_found")
    workspace.messages.drop(original)
    workspace.feed.tell("message", channel=original.channel, ts=original.ts)
    if not original.seen_by:
        channel = workspace.directory.channels[original.channel]
        workspace.echo(events.deleted(original, channel, workspace.messages.next_ts()), channel)


def _replace(workspace: Workspace, original: Message, text: str, blocks: tuple[Json, ...]) -> None:
    if not text and not blocks:
        raise Refused("no_text")
    now = workspace.messages.change(original, text=text or original.text, blocks=blocks)
    workspace.feed.tell("message", channel=now.channel, ts=now.ts)
    if not now.seen_by:
        channel = workspace.directory.channels[now.channel]
        workspace.echo(events.changed(now, original, channel, workspace.messages.next_ts()), channel)


def _say(workspace: Workspace, url: ResponseUrl, body: Json, blocks: tuple[Json, ...]) -> None:
    """Words to the person alone unless `in_channel`; in the thread only when the body names it, as at Slack."""
    install = workspace.directory.installations[url.team_id]
    message = Message(
        workspace.messages.next_ts(),
        url.channel,
        install.bot_user,
        str(body.get("text", "")),
        blocks,
        str(body.get("thread_ts", "")),
        team=install.team_id,
        bot_id=install.bot_id,
        app_id=workspace.app.id,
    )
    if body.get("response_type") != "in_channel":
        workspace.show(replace(message, seen_by=url.user))
        return
    workspace.show(message)
    channel = workspace.directory.channels[url.channel]
    workspace.echo(events.said(message, channel, None), channel)
