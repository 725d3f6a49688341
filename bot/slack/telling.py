"""Words and windows for whoever clicked: privately beside the card, or in a modal where there is no card."""

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from agent.conversation import JsonObject
from bot.slack import modals
from bot.slack.clients import TIMEOUT
from bot.slack.failures import error_of
from bot.slack.payloads import an_object, text_at
from bot.slack.text import escape

log = structlog.get_logger()


async def show(client: AsyncWebClient, trigger_id: str, view: JsonObject, *, on_top: bool) -> str:
    """Open a modal, over the one that was clicked in where there was one. Its id."""
    call = client.views_push if on_top else client.views_open
    answer = await call(trigger_id=trigger_id, view=view)
    return str(answer["view"]["id"])


async def tell(body: JsonObject, client: AsyncWebClient, text: str) -> None:
    """Words for the clicker alone: in a modal when they clicked in one or on the Home tab, else in the thread of the
    card; by the click's own address where we may not post."""
    container, view, url = an_object(body.get("container")), an_object(body.get("view")), body.get("response_url")
    if view:
        is_modal = view.get("type") == "modal"
        await show(client, text_at(body, "trigger_id"), modals.notice("Not recorded", text), on_top=is_modal)
        return
    thread = {"thread_ts": container["thread_ts"]} if container.get("thread_ts") else {}
    try:
        await client.chat_postEphemeral(
            channel=text_at(container, "channel_id"),
            user=text_at(body.get("user"), "id"),
            text=escape(text),
            **thread,  # type: ignore[arg-type]  # JSON values
        )
    except SlackApiError as error:
        if not isinstance(url, str):
            raise
        log.info("slack.told_by_response_url", error=error_of(error))
        webhook = AsyncWebhookClient(url, timeout=TIMEOUT, proxy=client.proxy, logger=client.logger)
        await webhook.send_dict(
            {"text": escape(text), "response_type": "ephemeral", "replace_original": False, **thread}
        )
