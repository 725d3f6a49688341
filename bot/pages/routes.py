"""`/approvals/{token}`: GET and HEAD show one approval and change nothing; only a POST from that page decides.

Mail scanners open every link, so looking must be harmless; the form's token is bound to a cookie of the same browser,
so that no other site can send it. The first decision counts: whoever comes later is told what stands.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Request, Response

from agent.errors import AlreadySettled, BadArguments, Refused, StoreDown
from agent.ports import Clock
from approvals import token as tokens
from approvals.decision import Approve
from approvals.gate import Gate
from approvals.people import Directory
from bot.pages import approval, submission
from bot.pages.approval import Told
from bot.pages.submission import BadSubmission
from bot.pages.view import HEADERS, notice
from bot.pages.visit import Reception, TurnedAway, Visit
from bot.parameters import BadFields
from bot.request_body import BodyTooLarge, read_body
from bot.standing import argument_problems, refused_status

log = structlog.get_logger()

COOKIE = "twokey_form"
_NONCE = re.compile(r"form_[a-z2-7]{20}")
Endpoint = Callable[[Request, str], Awaitable[Response]]


def router(gate: Gate, directory: Directory, secrets: Sequence[str], clock: Clock, public_url: str) -> APIRouter:
    """The routes. `public_url` says under which path people reach us."""
    pages = _Pages(Reception(gate, directory, secrets, clock), public_url)
    found = APIRouter(prefix="/approvals", include_in_schema=False)
    found.add_api_route("/{token}", _answering(pages.show), methods=["GET", "HEAD"])
    found.add_api_route("/{token}", _answering(pages.decide), methods=["POST"])
    return found


def _answering(endpoint: Endpoint) -> Endpoint:
    """Turns what stops a visit into a page."""

    @wraps(endpoint)
    async def answer(request: Request, token: str) -> Response:
        try:
            return await endpoint(request, token)
        except TurnedAway as away:
            return notice(away.status, away.title, away.text, away.standing)
        except BodyTooLarge as error:
            return notice(413, "That is too much", str(error))
        except StoreDown:
            log.warning("page.unavailable")
            return notice(503, "Not available just now", "Try again in a minute; this page will show what stands.")

    return answer


class _Pages:
    def __init__(self, reception: Reception, public_url: str) -> None:
        self.reception = reception
        self.gate = reception.gate
        where = urlsplit(public_url)
        self.is_secure = where.scheme == "https"
        self.cookie_path = where.path.rstrip("/") + "/approvals"

    async def show(self, request: Request, token: str) -> Response:
        """The approval, and forms to decide it while it is open."""
        visit = await self.reception.receive(token)
        if visit.objection:
            raise self.reception.turn_away(visit, tried=False)
        now = self.reception.clock.now()
        is_over = visit.card.status == "expired" or (visit.card.is_open and not visit.is_open(now))
        return self._shown(request, visit, Told(410 if is_over else 200))

    async def decide(self, request: Request, token: str) -> Response:
        """Decide as the person the link was made for, and show what stands then."""
        visit = await self.reception.receive(token)
        if visit.objection:
            raise self.reception.turn_away(visit, tried=True)
        body = await read_body(request)
        try:
            typed = submission.parse(body)
        except BadSubmission as error:
            return self._shown(request, visit, Told(400, str(error)))
        nonce = request.cookies.get(COOKIE, "")
        if not tokens.check_csrf(typed.get("csrf", ""), nonce, token, self.reception.secrets):
            text = (
                "The form did not come from this page in this browser, or cookies are off. Check it and decide again."
            )
            return self._shown(request, visit, Told(403, text))
        return await self._settle(request, visit, dict(typed))

    async def _settle(self, request: Request, visit: Visit, typed: dict[str, str]) -> Response:
        card, proposed = visit.card, visit.facts.request.arguments
        try:
            choice = submission.choice_of(typed, card, approval.fields(visit, self.gate), proposed)
        except BadSubmission as error:
            return self._shown(request, visit, Told(422, str(error), typed))
        except BadFields as error:
            return self._shown(request, visit, Told(422, "", typed, error.problems))
        try:
            await self.gate.decide(card.approval_id, choice, visit.who, "web")
        except AlreadySettled as settled:
            return await self._second(request, visit.link, str(settled))
        except Refused as refusal:
            status = refused_status(visit.facts.request, choice, self.gate.tools.get(card.tool))
            return self._shown(request, visit, Told(status, str(refusal), typed))
        except BadArguments as error:
            changed = choice.arguments if isinstance(choice, Approve) and choice.arguments else {}
            problems = argument_problems(self.gate.tools.get(card.tool), changed)
            return self._shown(request, visit, Told(422, problems.pop("", "") or str(error), typed, problems))
        return Response(status_code=303, headers={**HEADERS, "Location": visit.link})

    async def _second(self, request: Request, link: str, settled: str) -> Response:
        """Somebody decided in the meantime, or time did: say what stands. A double click is no mistake."""
        visit = await self.reception.receive(link)
        by = visit.facts.decided.by if visit.facts.decided else None
        if by is not None and by.person and by.person == visit.person_id:
            return self._shown(request, visit, Told(200))
        is_over = visit.facts.decided is None or visit.card.status == "expired"
        return self._shown(request, visit, Told(410 if is_over else 409, settled))

    def _shown(self, request: Request, visit: Visit, told: Told) -> Response:
        """The page, with a form token for this browser's cookie; the cookie is kept while there is one."""
        nonce = request.cookies.get(COOKIE, "")
        if not _NONCE.fullmatch(nonce):
            nonce = self.gate.ids.new("form")
        csrf = tokens.csrf_token(nonce, visit.link, self.reception.secrets)
        response = approval.shown(visit, self.gate, self.reception.clock.now(), csrf, told)
        response.set_cookie(COOKIE, nonce, path=self.cookie_path, secure=self.is_secure, httponly=True, samesite="lax")
        return response
