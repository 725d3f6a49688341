"""`/inbox/sign-in`: a link is sent to an address that people.yaml knows; the button on the page behind it signs in.

Whether an address is known is never told: the answer is the same, and it is given before anything is looked up or sent.
"""

import asyncio
from dataclasses import dataclass, field

import structlog
from fastapi import APIRouter, Request, Response

from agent.conversation import Identity
from agent.errors import ChannelError, StoreDown
from approvals.token import is_id
from bot.pages import letters
from bot.pages.browser import Browsers
from bot.pages.door import answering, form_of, leads
from bot.pages.post import Post
from bot.pages.view import View
from bot.pages.visit import TurnedAway

log = structlog.get_logger()

SENT = "If that address is one that we know, a link is on its way to it. It is good for 15 minutes, and once."
MOST_WAITING = 100
"""Links that are being sent at once; beyond that none is, lest a flood of addresses becomes one of tasks."""


@dataclass(frozen=True, slots=True)
class SigningIn:
    """The way in, and out."""

    browsers: Browsers
    post: Post | None
    view: View
    _sending: set[asyncio.Task[None]] = field(default_factory=set)

    def router(self) -> APIRouter:
        """Its routes."""
        found = APIRouter(prefix="/inbox", include_in_schema=False)
        found.add_api_route("/sign-in", answering(self.view, self.ask), methods=["GET", "HEAD"])
        found.add_api_route("/sign-in", answering(self.view, self.send), methods=["POST"])
        found.add_api_route("/sign-in/{token}", answering(self.view, self.show), methods=["GET", "HEAD"])
        found.add_api_route("/sign-in/{token}", answering(self.view, self.enter), methods=["POST"])
        found.add_api_route("/sign-out", answering(self.view, self.leave), methods=["POST"])
        return found

    # --- asking for a link ------------------------------------------------------------------------------------------

    async def ask(self, request: Request) -> Response:
        """The form for an address."""
        return await self._asked(request, 200)

    async def send(self, request: Request) -> Response:
        """Send a link, if there is somebody to send it to."""
        browser = await self.browsers.of(request)
        typed = await form_of(request, self.browsers, browser, "sign-in")
        address, approval_id = typed.get("address", "").strip()[:320], _approval(typed.get("approval", ""))
        if "@" not in address:
            return await self._asked(request, 422, trouble="Write your mail address, such as dana@example.com.")
        if self.post is not None and len(self._sending) < MOST_WAITING:
            task = asyncio.create_task(self._deliver(self.post, address, approval_id, browser.origin.address))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return await self._asked(request, 200, told=SENT)

    async def _asked(self, request: Request, status: int, *, trouble: str = "", told: str = "") -> Response:
        browser, approval_id = await self.browsers.of(request), _approval(request.query_params.get("approval"))
        more = {"trouble": trouble, "told": told, "approval": approval_id, "can_mail": self.post is not None}
        csrf, csrf_out = (self.browsers.form_token(browser, each) for each in ("sign-in", "sign-out"))
        whose = browser.session.person.name if browser.session else ""
        found = self.view.page("sign_in.html", status, csrf=csrf, csrf_out=csrf_out, whose=whose, **more)
        return self.browsers.keep(found, browser)

    async def _deliver(self, post: Post, address: str, approval_id: str, asked_from: str) -> None:
        """After the answer was given, so that it takes as long whoever was asked for. To the address as people.yaml has
        it, never as a stranger typed it: two that are one to Unicode can be two mailboxes."""
        try:
            person = self.browsers.sign_in.directory.find(Identity(channel="mail", id=address))
            link = await self.browsers.sign_in.link(person, approval_id) if person else None
            if person is not None and link is not None:
                listed = next(each for each in person.email if each.casefold() == address.casefold())
                await post.notify(listed, *letters.link_mail(link, asked_from), link)
        except (ChannelError, StoreDown) as error:
            log.warning("sign_in.not_sent", kind="link", error=str(error))

    # --- signing in, and out ----------------------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """A button. Scanners of mail see it, and do not press it."""
        browser, text = await self.browsers.of(request), request.path_params["token"]
        person = await self.browsers.sign_in.invited(text)
        if person is None:
            raise _no_good()
        csrf = self.browsers.form_token(browser, f"sign-in/{text}")
        approval_id = _approval(request.query_params.get("approval"))
        found = self.view.page("enter.html", 200, csrf=csrf, visitor=person.name, approval=approval_id)
        return self.browsers.keep(found, browser)

    async def enter(self, request: Request) -> Response:
        """Sign in, once."""
        browser, text = await self.browsers.of(request), request.path_params["token"]
        typed = await form_of(request, self.browsers, browser, f"sign-in/{text}")
        session = await self.browsers.sign_in.accept_link(text)
        if session is None:
            raise _no_good()
        if browser.session is not None:
            await self.browsers.sign_in.end(browser.session, everywhere=False)
        origin = browser.origin
        known = {"address": origin.address, "user_agent": origin.user_agent[:200]}
        log.info("sign_in.done", person=session.person.id, kind="link", **known)
        approval_id = _approval(typed.get("approval", ""))
        there = f"/inbox/approvals/{approval_id}" if approval_id else "/inbox"
        return self.browsers.sign(leads(self.browsers.prefix + there), session)

    async def leave(self, request: Request) -> Response:
        """Sign out, here or everywhere."""
        browser = await self.browsers.of(request)
        typed = await form_of(request, self.browsers, browser, "sign-out")
        if browser.session is not None:
            everywhere = typed.get("where") == "everywhere"
            await self.browsers.sign_in.end(browser.session, everywhere=everywhere)
            log.info("sign_in.ended", person=browser.session.person.id, everywhere=everywhere)
        return self.browsers.forget(leads(f"{self.browsers.prefix}/inbox/sign-in"))


def _no_good() -> TurnedAway:
    text = "It was used already, is more than 15 minutes old, or was cut short by your mail program."
    return TurnedAway(
        410, "This link does not sign in any more", text, leads_to=[("inbox/sign-in", "Have another sent")]
    )


def _approval(text: str | None) -> str:
    """An approval's id, if that is what it is: it is put into an address."""
    return text if text and is_id(text, "apr") else ""
