"""`/approvals/{token}`: GET and HEAD show one approval and change nothing; only a POST from that page does anything.

Mail scanners open every link, so looking must be harmless; the form's token is bound to a cookie of the same browser,
so that no other site can send it. Mails are forwarded, so a link alone decides nothing: in a browser that is not known
to be its person's the page asks for a code that is mailed to them; where somebody else is signed in it refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from fastapi import APIRouter, Request, Response

from agent.errors import AlreadySettled, ChannelError
from bot.pages import approval, letters, words
from bot.pages.approval import Told
from bot.pages.browser import Browser, Browsers
from bot.pages.deciding import Hand, too_late
from bot.pages.door import BadForm, answering, form_of, leads
from bot.pages.post import Post
from bot.pages.view import View
from bot.pages.visit import OPEN_INBOX, Reception, TurnedAway, Visit

log = structlog.get_logger()

NOT_KNOWN = "This browser is not known to be yours yet."


@dataclass(frozen=True, slots=True)
class ByLink:
    """The door for whoever holds a link."""

    reception: Reception
    browsers: Browsers
    post: Post | None
    view: View

    def router(self) -> APIRouter:
        """Its routes."""
        found = APIRouter(prefix="/approvals", include_in_schema=False)
        found.add_api_route("/{token}", answering(self.view, self.show), methods=["GET", "HEAD"])
        found.add_api_route("/{token}", answering(self.view, self.take), methods=["POST"])
        return found

    async def show(self, request: Request) -> Response:
        """The approval, and forms to decide it while it is open."""
        browser, visit = await self._received(request)
        if visit.objection:
            raise self._objects(visit)
        self._check_settled(visit)
        return self._shown(browser, visit, Told(self._status(visit)))

    async def take(self, request: Request) -> Response:
        """Do what the form says, as the person the link was made for, and show what stands then."""
        browser, visit = await self._received(request)
        if visit.objection:
            await self.reception.gate.refuse(visit.facts, visit.who, "web", visit.objection, browser.origin)
            raise self._objects(visit)
        try:
            typed = await form_of(request, self.browsers, browser, visit.page)
        except BadForm as error:
            self._check_settled(visit)
            return self._shown(browser, visit, Told(error.status, str(error)))
        if not visit.is_confirmed:
            return await self._confirm(browser, visit, typed)
        try:
            told = await Hand(self.reception.gate).take(visit, typed, browser.origin)
        except AlreadySettled as settled:
            return await self._second(request, str(settled))
        return leads(visit.page) if told is None else self._shown(browser, visit, told)

    async def _received(self, request: Request) -> tuple[Browser, Visit]:
        """Raises TurnedAway where the link is no good, or is somebody else's than the one who is signed in."""
        browser = await self.browsers.of(request)
        visit = await self.reception.by_link(request.path_params["token"], browser)
        known = {"approval_id": visit.card.approval_id, "person": visit.who.id, "method": request.method}
        log.info("link.used", **known, address=browser.origin.address, user_agent=browser.origin.user_agent[:200])
        other = browser.session.person if browser.session and not visit.is_confirmed else None
        if other is None:
            return browser, visit
        text = (
            f"It was mailed to {visit.who.name}, and this is the browser of {other.name}. A link that was passed on "
            "decides for nobody else."
        )
        if request.method == "POST":
            who = visit.who.model_copy(update={"id": other.id, "name": other.name, "verified": True})
            await self.reception.gate.refuse(visit.facts, who, "web", text, browser.origin)
        may_not = await self.reception.gate.objection(visit.facts.request, other)
        own = (f"inbox/approvals/{visit.card.approval_id}", f"Look at it as {other.name}")
        not_mine = ("inbox/sign-in", f"This browser is not {other.name}'s any more")
        onward, standing = (OPEN_INBOX if may_not else own, not_mine), self.reception.standing(visit.facts)
        raise TurnedAway(403, "This link is for somebody else", text, standing, leads_to=onward)

    async def _confirm(self, browser: Browser, visit: Visit, typed: Mapping[str, str]) -> Response:
        """Mail a code, or take it; whatever else is sent from an unknown browser is refused, and on record."""
        match typed.get("decision"):
            case "code":
                return await self._send_code(browser, visit)
            case "confirm" if visit.person is not None:
                sign_in, given = typed.get("sign_in", ""), typed.get("code", "")
                session = await self.browsers.sign_in.accept_code(sign_in, visit.person, given, browser.nonce)
                if session is None:
                    text = "That code is not right, was used, or is too old. Try again, or have a new one mailed."
                    return self._shown(browser, visit, Told(403, text, code_for=sign_in))
                log.info("sign_in.done", person=session.person.id, kind="code", address=browser.origin.address)
                return self.browsers.sign(leads(visit.page), session)
            case _:
                await self.reception.gate.refuse(visit.facts, visit.who, "web", NOT_KNOWN, browser.origin)
                return self._shown(browser, visit, Told(403, f"{NOT_KNOWN} Have a code mailed first."))

    async def _send_code(self, browser: Browser, visit: Visit) -> Response:
        person = visit.person
        if person is None or not person.email or self.post is None:
            return self._shown(browser, visit, Told(409, "There is no address to mail a code to. Decide elsewhere."))
        made = await self.browsers.sign_in.code(person, browser.nonce)
        if made is None:
            text = (
                "Several codes were mailed in the last minutes. Type the latest into the browser that asked for it, or "
                "sign in by a link. If it was not you who asked, somebody has a link that was mailed to you."
            )
            return self._shown(browser, visit, Told(429, text))
        sign_in, code = made
        subject, text = letters.code_mail(code, browser.origin.address)
        try:
            await self.post.notify(person.email[0], subject, text, sign_in)
        except ChannelError as error:
            log.warning("sign_in.not_sent", person=person.id, kind="code", error=str(error))
            return self._shown(
                browser, visit, Told(503, "The code could not be mailed just now. Try again in a minute.")
            )
        return self._shown(browser, visit, Told(200, code_for=sign_in))

    async def _second(self, request: Request, settled: str) -> Response:
        """Somebody decided in the meantime, or time did: say what stands. A double click is no mistake."""
        browser, visit = await self._received(request)
        return self._shown(browser, visit, too_late(visit, settled))

    def _status(self, visit: Visit) -> int:
        return 410 if visit.is_over(self.reception.gate.clock.now()) else 200

    def _check_settled(self, visit: Visit) -> None:
        """Whoever holds the link of what is over, and is not known to be its person, is told where it stands only."""
        if not visit.is_confirmed and not visit.is_open(self.reception.gate.clock.now()):
            text = "Sign in to see all of it."
            standing, title = self.reception.standing(visit.facts), visit.card.title
            onward = [(f"inbox/sign-in?approval={visit.card.approval_id}", "Sign in")]
            raise TurnedAway(self._status(visit), title, text, standing, leads_to=onward)

    def _objects(self, visit: Visit) -> TurnedAway:
        return TurnedAway(403, "You may not decide this", visit.objection, self.reception.standing(visit.facts))

    def _shown(self, browser: Browser, visit: Visit, told: Told) -> Response:
        """The page, with a form token for this browser."""
        csrf, now = self.browsers.form_token(browser, visit.page), self.reception.gate.clock.now()
        mailed_to = words.masked(visit.person.email[0]) if visit.person and visit.person.email and self.post else ""
        more = {"signed_in": browser.signed_in is not None, "mailed_to": mailed_to}
        return self.browsers.keep(
            approval.shown(self.view, visit, self.reception.gate, now, csrf=csrf, told=told, **more), browser
        )
