"""Clicks on cards, and the modals that come back: to the gate, and an answer to whoever clicked.

Every click gets one. A decision is committed before Slack is answered; the card itself is brought up to date by the
card worker. A modal is opened at once, for a trigger is good for three seconds, and filled in later when the look-up
is slow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

import structlog
from slack_bolt.async_app import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from agent.conversation import Identity, JsonObject
from agent.errors import AlreadySettled, BadArguments, Refused
from agent.ports import Clock
from agent.verdict import Surface
from approvals.attempt import settled_text
from approvals.card import Card
from approvals.decision import Approve, Choice
from bot.parameters import BadFields
from bot.slack import grant_modals, meaning, metadata, modals
from bot.slack.details import details_modal
from bot.slack.errands import Errands
from bot.slack.form import fields_of
from bot.slack.interactions import Click, Submission, click_of, submission_of
from bot.slack.meaning import GONE, OLD_BUTTON, UNREADABLE, View
from bot.slack.metadata import Carried
from bot.slack.telling import show, tell
from bot.slack.typed import problems_by_field
from bot.slack.windows import modal_for

log = structlog.get_logger()

LOOK_UP_PATIENCE = 1.0
"""Seconds to wait for a look-up before a stand-in is shown."""
NOT_RECORDED = "Something went wrong and nothing was recorded. Please try again."
DECIDES = frozenset({"approve", "choose", "approve_all"})
LOOKS = frozenset({"details", "open"})

_Listener = Callable[..., Awaitable[BoltResponse]]
SignInLink = Callable[[Identity], Awaitable[str]]
"""An address that signs them in to the inbox, once. Raises Refused, with words for them."""


class Gate(Protocol):
    """Where approvals are looked up and decided."""

    @property
    def clock(self) -> Clock:
        """The time by which approvals and grants end."""
        ...

    async def view(self, approval_id: str) -> View | None:
        """The approval as it stands."""
        ...

    async def decide_plan(self, choices: Mapping[str, Choice], who: Identity, via: Surface) -> Card:
        """Have somebody's say on one approval, or on several of one plan. Raises Refused, AlreadySettled or
        BadArguments, each with words for whoever tried."""
        ...

    async def remark(self, approval_id: str, text: str, who: Identity, via: Surface) -> Card:
        """Ask the agent something. Raises Refused and AlreadySettled."""
        ...

    async def revoke(self, grant_id: str, who: Identity, via: Surface) -> object:
        """Take a grant back. Raises Refused and AlreadySettled."""
        ...

    async def grant_words(self, approval_id: str, choice: Approve) -> str:
        """What the grant of this choice would let run. Raises Refused when it cannot be given."""
        ...


class Clicks:
    """The listeners for buttons and modals."""

    def __init__(self, gate: Gate, errands: Errands, sign_in_link: SignInLink) -> None:
        self.gate = gate
        self.errands = errands
        self.sign_in_link = sign_in_link

    async def on_click(self, ack: AsyncAck, body: JsonObject, client: AsyncWebClient) -> BoltResponse:
        """A button of a card."""
        answer = await ack()
        click = click_of(body)
        if click is None:
            self.errands.start("tell", tell(body, client, OLD_BUTTON))
        elif click.deed in DECIDES | {"revoke"}:
            await self._decide(click, body, client)
        else:
            self.errands.start("modal", self._open(click, client))
        return answer

    async def on_submit(self, ack: AsyncAck, body: JsonObject) -> BoltResponse:
        """A modal: closed when what it says stands, else it says what is wrong."""
        submission = submission_of(body)
        carried = metadata.read(submission.metadata)
        view = await self.gate.view(carried.approval_id) if carried else None
        if carried is None or view is None:
            return await _notice(ack, UNREADABLE if carried is None else GONE)
        try:
            following = await self._record(submission, carried, view)
        except BadFields as error:
            return await ack(response_action="errors", errors=error.problems)
        except BadArguments as error:
            problems = problems_by_field(fields_of(view.parameters, view.arguments), str(error))
            return await (ack(response_action="errors", errors=problems) if problems else _notice(ack, str(error)))
        except (Refused, AlreadySettled) as error:
            return await _notice(ack, str(error))
        if following:
            return await ack(response_action="update", view=following)
        return await (ack(response_action="clear") if submission.is_on_top else ack())

    async def _record(self, submission: Submission, carried: Carried, view: View) -> JsonObject | None:
        """What was submitted, on record; or the modal that comes next."""
        match submission.callback_id:
            case modals.REMARK_VIEW:
                text = modals.typed_words(submission.values)
                await self.gate.remark(carried.approval_id, text, submission.who, "slack")
            case grant_modals.TERMS_VIEW:
                return await self._in_words(submission, carried, view)
            case _:
                await self.gate.decide_plan(meaning.submitted(submission, carried, view), submission.who, "slack")
        return None

    async def _in_words(self, submission: Submission, carried: Carried, view: View) -> JsonObject:
        """What these terms of a grant would let run, to be read before it is given."""
        terms = grant_modals.chosen_terms(submission.values, self.gate.clock.now())
        digest = meaning.shown_digest(carried.shown, view.card)
        try:
            told = await self.gate.grant_words(carried.approval_id, Approve(digest, grant=terms))
        except Refused as refusal:
            place = grant_modals.SCOPE if terms.exact else grant_modals.CONDITION
            raise BadFields({place: str(refusal)}) from None
        shown = replace(carried, shown=digest, terms=grant_modals.as_json(terms))
        return grant_modals.confirm_modal(view.card, told, metadata.written(shown))

    async def _decide(self, click: Click, body: JsonObject, client: AsyncWebClient) -> None:
        try:
            card = await self._decided(click)
        except (Refused, AlreadySettled, BadArguments) as error:
            self.errands.start("tell", tell(body, client, str(error)))
        except Exception:  # whatever it is, whoever clicked must not think that it counted
            self.errands.start("tell", tell(body, client, NOT_RECORDED))
            raise
        else:
            if card and click.is_modal:
                self.errands.start("modal", _bring_up_to_date(client, click, card))

    async def _decided(self, click: Click) -> Card | None:
        """The card as it is after the click; None when it was no card that was clicked on."""
        if click.deed == "revoke":
            await self.gate.revoke(click.approval_id, click.who, "slack")
            return None
        choices = meaning.clicked(click, await self.gate.view(click.approval_id))
        return await self.gate.decide_plan(choices, click.who, "slack")

    async def _open(self, click: Click, client: AsyncWebClient) -> None:
        looking = asyncio.create_task(self._modal(click))
        done, _ = await asyncio.wait({looking}, timeout=LOOK_UP_PATIENCE)
        if done:
            await show(client, click.trigger_id, await looking, on_top=click.is_modal)
            return
        opened = await show(client, click.trigger_id, modals.loading(), on_top=click.is_modal)
        await client.views_update(view_id=opened, view=await looking)

    async def _modal(self, click: Click) -> JsonObject:
        """The modal for a click; a few words when it cannot be made."""
        try:
            if click.deed == "inbox":
                return modals.sign_in_modal(await self.sign_in_link(click.who))
            view = await self.gate.view(click.approval_id)
        except Refused as refusal:
            return modals.notice("Sorry", str(refusal))
        except Exception:  # a modal that stands open must say that nothing will come
            log.exception("slack.look_up_failed", approval_id=click.approval_id)
            return modals.notice("Sorry", NOT_RECORDED)
        if view is None:
            return modals.notice("Sorry", GONE)
        is_open = view.card.is_pending if click.deed in {"reject_all", "choose_each"} else view.card.is_open
        if not is_open and click.deed not in LOOKS:
            return modals.notice("Not open any more", settled_text(view.card))
        return modal_for(click, view)


async def _bring_up_to_date(client: AsyncWebClient, click: Click, card: Card) -> None:
    await client.views_update(view_id=click.view_id, view=details_modal(card, with_buttons=True))


async def _notice(ack: AsyncAck, text: str) -> BoltResponse:
    return await ack(response_action="update", view=modals.notice("Not recorded", text))
