"""Clicks on cards, and the modals that come back: to the gate, and an answer to whoever clicked.

Every click gets one. A decision is committed before Slack is answered; the card itself is brought up to date by the
card worker. A modal is opened at once, for a trigger is good for three seconds, and filled in later when the look-up
is slow.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from slack_bolt.async_app import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from agent.conversation import Identity, JsonObject
from agent.errors import AlreadySettled, BadArguments, Refused
from agent.verdict import Surface
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from bot.parameters import BadFields
from bot.slack import modals
from bot.slack.clients import TIMEOUT
from bot.slack.errands import Errands
from bot.slack.failures import error_of
from bot.slack.form import fields_of
from bot.slack.payloads import Click, Submission, click_of, submission_of
from bot.slack.text import escape
from bot.slack.typed import arguments_of, problems_by_field

log = structlog.get_logger()

LOOK_UP_PATIENCE = 1.0
"""Seconds to wait for a look-up before a stand-in is shown."""
GONE = "There is no such approval any more."
UNREADABLE = "This form cannot be read any more. Close it and open it again."
NOT_RECORDED = "Something went wrong and nothing was recorded. Please try again."
OLD_BUTTON = "This button does nothing any more."

_Listener = Callable[..., Awaitable[BoltResponse]]


class View(Protocol):
    """An approval, for a surface that lets people decide."""

    @property
    def card(self) -> Card:
        """As people see it."""
        ...

    @property
    def arguments(self) -> JsonObject:
        """As proposed."""
        ...

    @property
    def parameters(self) -> JsonObject:
        """The JSON schema of the arguments."""
        ...


class Gate(Protocol):
    """Where approvals are looked up and decided."""

    async def view(self, approval_id: str) -> View | None:
        """The approval as it stands."""
        ...

    async def decide(self, approval_id: str, choice: Choice, who: Identity, via: Surface) -> Card:
        """Settle it. Raises Refused, AlreadySettled or BadArguments, each with words for whoever tried."""
        ...


class Clicks:
    """The listeners for buttons and modals."""

    def __init__(self, gate: Gate, errands: Errands) -> None:
        self.gate = gate
        self.errands = errands

    async def on_click(self, ack: AsyncAck, body: JsonObject, client: AsyncWebClient) -> BoltResponse:
        """A button of a card."""
        answer = await ack()
        click = click_of(body)
        if click is None:
            self.errands.start("tell", _tell(body, client, OLD_BUTTON))
        elif click.deed in {"approve", "choose"}:
            await self._decide(click, body, client)
        else:
            self.errands.start("modal", self._open(click, client))
        return answer

    async def on_submit(self, ack: AsyncAck, body: JsonObject) -> BoltResponse:
        """A modal: closed when the decision stands, else it says what is wrong."""
        submission = submission_of(body)
        carried = modals.read_metadata(submission.metadata)
        view = await self.gate.view(carried[0]) if carried else None
        if carried is None or view is None:
            return await _notice(ack, UNREADABLE if carried is None else GONE)
        try:
            choice = _choice(submission, view)
            await self.gate.decide(carried[0], choice, submission.who, "slack")
        except BadFields as error:
            return await ack(response_action="errors", errors=error.problems)
        except BadArguments as error:
            problems = problems_by_field(fields_of(view.parameters, view.arguments), str(error))
            return await (ack(response_action="errors", errors=problems) if problems else _notice(ack, str(error)))
        except (Refused, AlreadySettled) as error:
            return await _notice(ack, str(error))
        return await ack()

    async def _decide(self, click: Click, body: JsonObject, client: AsyncWebClient) -> None:
        try:
            choice = _chosen(click, await self.gate.view(click.approval_id))
            await self.gate.decide(click.approval_id, choice, click.who, "slack")
        except (Refused, AlreadySettled, BadArguments) as error:
            self.errands.start("tell", _tell(body, client, str(error)))
        except Exception:
            self.errands.start("tell", _tell(body, client, NOT_RECORDED))
            raise

    async def _open(self, click: Click, client: AsyncWebClient) -> None:
        looking = asyncio.create_task(self._modal(click))
        done, _ = await asyncio.wait({looking}, timeout=LOOK_UP_PATIENCE)
        if done:
            await client.views_open(trigger_id=click.trigger_id, view=await looking)
            return
        opened = await client.views_open(trigger_id=click.trigger_id, view=modals.loading())
        await client.views_update(view_id=opened["view"]["id"], view=await looking)

    async def _modal(self, click: Click) -> JsonObject:
        """The modal for a click; a few words when it cannot be made."""
        try:
            view = await self.gate.view(click.approval_id)
        except Exception:
            log.exception("slack.look_up_failed", approval_id=click.approval_id)
            return modals.notice("Sorry", NOT_RECORDED)
        if view is None:
            return modals.notice("Sorry", GONE)
        card, carried = view.card, modals.metadata(click.approval_id, click.place)
        if not card.is_open and click.deed != "details":
            return modals.notice("Decided", f"This was {card.status} already.")
        match click.deed:
            case "edit":
                return modals.edit_modal(card, fields_of(view.parameters, view.arguments), carried)
            case "reject":
                return modals.reject_modal(card, carried)
            case "answer":
                return modals.answer_modal(card, carried)
            case "details" | "approve" | "choose":
                return modals.details_modal(card)


def _chosen(click: Click, view: View | None) -> Choice:
    """What the button means, by the card as the log has it. Raises Refused for what is not there."""
    if view is None:
        raise Refused(GONE)
    if click.deed == "approve":
        return Approve(digest=view.card.digest)
    if click.choice >= len(view.card.choices):
        raise Refused(OLD_BUTTON)
    return Answer(view.card.choices[click.choice])


def _choice(submission: Submission, view: View) -> Choice:
    """What the modal means. Raises BadFields for a form that cannot be read, Refused for a modal that is not ours."""
    match submission.callback_id:
        case modals.EDIT_VIEW:
            fields = fields_of(view.parameters, view.arguments)
            return Approve(view.card.digest, arguments_of(fields, view.arguments, submission.values))
        case modals.REJECT_VIEW:
            return Reject(modals.typed_words(submission.values))
        case modals.ANSWER_VIEW:
            return Answer(modals.typed_words(submission.values))
        case _:
            raise Refused(UNREADABLE)


async def _notice(ack: AsyncAck, text: str) -> BoltResponse:
    return await ack(response_action="update", view=modals.notice("Not recorded", text))


async def _tell(body: JsonObject, client: AsyncWebClient, text: str) -> None:
    """Words for the clicker alone, in the thread of the card; by the click's own address where we may not post."""
    container, user, url = body.get("container"), body.get("user"), body.get("response_url")
    place = container if isinstance(container, dict) else {}
    who = user if isinstance(user, dict) else {}
    thread = {"thread_ts": place["thread_ts"]} if place.get("thread_ts") else {}
    try:
        await client.chat_postEphemeral(
            channel=str(place.get("channel_id") or ""),
            user=str(who.get("id") or ""),
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
