"""`/inbox`: what waits for the person who is signed in, what they had a say in, and the grants that they gave.

From here each approval is reached as that person, without a link of its own: `/inbox/approvals/{id}`. Who may what is
looked up at each request: whoever people.yaml no longer lists is signed out by that.
"""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from agent.errors import AlreadySettled, Refused
from approvals.people import Person
from approvals.token import is_id
from bot.pages import approval, words
from bot.pages.approval import Told
from bot.pages.browser import Browser, Browsers
from bot.pages.deciding import Hand, too_late
from bot.pages.door import BadForm, answering, form_of, leads
from bot.pages.view import View
from bot.pages.visit import OPEN_INBOX, Reception, TurnedAway, Visit
from bot.personal import Personal

LATEST = 30
"""Of what was decided."""


class _SignInFirst(TurnedAway):
    """Nobody is signed in."""

    def __init__(self, leads_to: str) -> None:
        text = "You are not signed in, or were not here for a while."
        super().__init__(401, "Sign in first", text, leads_to=[(leads_to, "Sign in")])


@dataclass(frozen=True, slots=True)
class ByInbox:
    """The door for whoever is signed in."""

    reception: Reception
    browsers: Browsers
    personal: Personal
    view: View

    def router(self) -> APIRouter:
        """Its routes."""
        found = APIRouter(include_in_schema=False)
        found.add_api_route("/", answering(self.view, self.front), methods=["GET", "HEAD"])
        for path in ("/inbox", "/inbox/"):
            found.add_api_route(path, answering(self.view, self.list), methods=["GET", "HEAD"])
        one = "/inbox/approvals/{approval_id}"
        found.add_api_route(one, answering(self.view, self.show), methods=["GET", "HEAD"])
        found.add_api_route(one, answering(self.view, self.take), methods=["POST"])
        found.add_api_route("/inbox/grants/{grant_id}/revoke", answering(self.view, self.revoke), methods=["POST"])
        return found

    async def front(self, request: Request) -> Response:  # noqa: ARG002 - the same for everybody
        """Where whoever typed only the host's name wants to be."""
        return leads(f"{self.browsers.prefix}/inbox")

    # --- the lists --------------------------------------------------------------------------------------------------

    async def list(self, request: Request) -> Response:
        """Everything of theirs."""
        browser = await self.browsers.of(request)
        if browser.signed_in is None:
            return leads(f"{self.browsers.prefix}/inbox/sign-in")
        return self.browsers.keep(await self._listed(browser, browser.signed_in.person, 200), browser)

    async def revoke(self, request: Request) -> Response:
        """Take a grant back."""
        browser, person = await self._signed_in(request)
        grant_id = request.path_params["grant_id"]
        if not is_id(grant_id, "grt"):
            raise TurnedAway(404, "There is no such grant", "Nothing was done.", leads_to=[OPEN_INBOX])
        try:
            await form_of(request, self.browsers, browser, "inbox")
            await self.reception.gate.revoke(grant_id, person.identity("api"), "web", browser.origin)
        except BadForm as error:
            return self.browsers.keep(await self._listed(browser, person, error.status, str(error)), browser)
        except AlreadySettled:
            pass  # it has ended, which is what was wanted
        except Refused as refusal:
            return self.browsers.keep(await self._listed(browser, person, 403, str(refusal)), browser)
        return leads(f"{self.browsers.prefix}/inbox#grants")

    async def _listed(self, browser: Browser, person: Person, status: int, trouble: str = "") -> Response:
        now, granting = self.reception.gate.clock.now(), self.reception.gate.granting
        pending = await self.personal.pending(person)
        decided = await self.personal.decided(person, LATEST)
        return self.view.page(
            "inbox.html",
            status,
            trouble=trouble,
            visitor=person.name,
            pending=[words.Line.of(each, now) for each in pending.cards],
            unseen=pending.unseen,
            decided=[words.Line.of(each, now) for each in decided],
            grants=[(each, granting.words(each.grant)) for each in await self.personal.grants(person)],
            csrf=self.browsers.form_token(browser, "inbox"),
            csrf_out=self.browsers.form_token(browser, "sign-out"),
        )

    # --- one approval -----------------------------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """The approval, as the person who is signed in."""
        browser, visit = await self._visit(request)
        return self._shown(browser, visit, Told(410 if visit.is_over(self.reception.gate.clock.now()) else 200))

    async def take(self, request: Request) -> Response:
        """Do what the form says."""
        browser, visit = await self._visit(request)
        if visit.objection:
            await self.reception.gate.refuse(visit.facts, visit.who, "web", visit.objection, browser.origin)
            return self._shown(browser, visit, Told(403, visit.objection))
        try:
            typed = await form_of(request, self.browsers, browser, visit.page)
        except BadForm as error:
            return self._shown(browser, visit, Told(error.status, str(error)))
        try:
            told = await Hand(self.reception.gate).take(visit, typed, browser.origin)
        except AlreadySettled as settled:
            _, visit = await self._visit(request)
            told = too_late(visit, str(settled))
        return leads(visit.page) if told is None else self._shown(browser, visit, told)

    async def _visit(self, request: Request) -> tuple[Browser, Visit]:
        """Raises TurnedAway for somebody who may not decide it and never had a say in it."""
        browser, person = await self._signed_in(request)
        visit = await self.reception.by_inbox(request.path_params["approval_id"], person)
        if visit.objection and not visit.had_say:
            if request.method == "POST":
                await self.reception.gate.refuse(visit.facts, visit.who, "web", visit.objection, browser.origin)
            standing = self.reception.standing(visit.facts)
            raise TurnedAway(403, "You may not decide this", visit.objection, standing, leads_to=[OPEN_INBOX])
        return browser, visit

    async def _signed_in(self, request: Request) -> tuple[Browser, Person]:
        browser = await self.browsers.of(request)
        if browser.signed_in is None:
            approval_id = request.path_params.get("approval_id", "")
            raise _SignInFirst(
                f"inbox/sign-in?approval={approval_id}" if is_id(approval_id, "apr") else "inbox/sign-in"
            )
        return browser, browser.signed_in.person

    def _shown(self, browser: Browser, visit: Visit, told: Told) -> Response:
        csrf, now = self.browsers.form_token(browser, visit.page), self.reception.gate.clock.now()
        found = approval.shown(
            self.view, visit, self.reception.gate, now, csrf=csrf, told=told, signed_in=True, mailed_to=""
        )
        return self.browsers.keep(found, browser)
