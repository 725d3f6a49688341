"""`POST /email/inbound/{provider}`: bounded while read, authenticated before parsed, kept before it counts."""

from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from agent.ports import Clock
from bot.mail.email import RawInbound
from bot.mail.errors import BadWebhook, TooLarge, Unauthenticated
from bot.mail.providers import PROVIDERS
from bot.mail.webhook import MAX_BODY, WebhookRequest

log = structlog.get_logger()


def router(provider: str, secret: str, receive: Callable[[RawInbound], Awaitable[str]], clock: Clock) -> APIRouter:
    """The route for the one provider that is set up; any other name is not found."""
    routes = APIRouter()
    adapter = PROVIDERS[provider]

    @routes.post(f"/email/inbound/{provider}", tags=["email"])
    async def inbound(request: Request) -> JSONResponse:
        """Take in one mail. 200 once it is committed; 401 unsigned or stale, 413 too large, 400 without a mail."""
        try:
            webhook = WebhookRequest(
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await _bounded(request),
                content_type=request.headers.get("content-type", ""),
                now=clock.now().timestamp(),
            )
            adapter.authenticate(webhook, secret)
            raw = adapter.extract(webhook)
        except TooLarge as error:
            return _refused(413, error)
        except Unauthenticated as error:
            return _refused(401, error)
        except BadWebhook as error:
            return _refused(400, error)
        return JSONResponse({"result": await receive(raw)})

    return routes


async def _bounded(request: Request) -> bytes:
    """The body, never more of it than may be."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise TooLarge(f"the request is larger than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _refused(status: int, error: Exception) -> JSONResponse:
    log.warning("mail.refused", status=status, reason=str(error))
    return JSONResponse({"error": str(error)}, status_code=status)
