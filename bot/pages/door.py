"""What stands around every page: what stops a visit becomes a page, and a form is read and known to be ours."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps

import structlog
from fastapi import Request, Response

from agent.errors import StoreDown
from bot.pages import submission
from bot.pages.browser import FOREIGN, Browser, Browsers
from bot.pages.submission import BadSubmission
from bot.pages.view import HEADERS, View
from bot.pages.visit import TurnedAway
from bot.request_body import BodyTooLarge, read_body

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]


class BadForm(BadSubmission):
    """A form that was not read; `status` says why."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


def answering(view: View, endpoint: Endpoint) -> Endpoint:
    """Turns what stops a visit into a page."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except TurnedAway as away:
            return view.notice(away.status, away.title, away.text, standing=away.standing, leads_to=away.leads_to)
        except BadForm as error:
            return view.notice(error.status, "Nothing was done", str(error))
        except BodyTooLarge as error:
            return view.notice(413, "That is too much", str(error))
        except StoreDown:
            log.warning("page.unavailable")
            return view.notice(503, "Not available just now", "Try again in a minute; this page will show what stands.")

    return answer


async def form_of(request: Request, browsers: Browsers, browser: Browser, page: str) -> Mapping[str, str]:
    """What was sent from that page. Raises BadForm, and BodyTooLarge."""
    body = await read_body(request)
    try:
        typed = submission.parse(body)
    except BadSubmission as error:
        raise BadForm(400, str(error)) from None
    if not browsers.is_ours(request, browser, page, typed):
        raise BadForm(403, FOREIGN)
    return typed


def leads(to: str) -> Response:
    """The answer to a form that was taken: look at this now."""
    return Response(status_code=303, headers={**HEADERS, "Location": to})
