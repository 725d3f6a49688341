"""The web process: FastAPI over a running Service. Routes only; what they do is elsewhere."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from agent.errors import StoreDown
from bot import api, pages
from bot.mail import route as mail_route
from bot.personal import Personal
from bot.service import Service
from store import schema

log = structlog.get_logger()


def create(service: Service) -> FastAPI:
    """The application. Its lifespan starts and stops the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(service)
            if service.settings.slack_mode != "off":
                from bot.slack.connection import connected  # noqa: PLC0415 - Bolt is slow to import, if it is needed

                app.state.slack = await stack.enter_async_context(connected(service))
            await service.work()
            yield

    app = FastAPI(
        title="Twokey",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,  # they would lead to whatever host a request names, and not below PUBLIC_URL's path
    )
    app.add_exception_handler(StoreDown, _store_is_down)
    _add_health(app, service)
    _add_people(app, service)
    _add_slack(app)
    _add_mail(app, service)
    return app


async def _store_is_down(request: Request, error: Exception) -> JSONResponse:
    """Not acknowledged, so that whoever sent it sends it again."""
    log.error("store.down", path=request.url.path, error_type=type(error).__name__)
    body = {"error": {"code": "unavailable", "message": "The store cannot be reached."}}
    return JSONResponse(body, status_code=503, headers={"Retry-After": "5"})


def _add_health(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["health"])
    async def healthz() -> dict[str, str]:
        """The process runs."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"])
    async def readyz() -> JSONResponse:
        """Whether it can work: started, not stopping, store reachable, schema current."""
        slack = getattr(app.state, "slack", None)
        found = {"started": service.is_ready, "store": False, "schema": False}
        if slack is not None:
            found["slack"] = slack.is_healthy
        if service.is_ready and await service.database.is_reachable():
            found |= {"store": True, "schema": await schema.is_current(service.database)}
        is_ready = all(found.values())
        return JSONResponse({"ready": is_ready, **found}, status_code=200 if is_ready else 503)


def _add_people(app: FastAPI, service: Service) -> None:
    """The approval page and the inbox, and the REST API."""
    settings, directory = service.settings, service.deployment.directory
    app.include_router(
        api.router(
            service.gate,
            service.index,
            service.threads,
            service.inbox,
            directory,
            service.ids,
            agents=service.deployment.agents,
        )
    )
    if settings.secret_keys:
        personal = Personal(service.gate, service.index)
        app.include_router(pages.router(service.gate, personal, service.sign_in, service.mail))


def _add_slack(app: FastAPI) -> None:
    @app.post("/slack/events", tags=["slack"], include_in_schema=False)
    async def slack_events(request: Request) -> Response:
        """Events, interactivity and commands of Slack, over HTTP."""
        slack = getattr(app.state, "slack", None)
        return Response(status_code=404) if slack is None else await slack.handle(request)


def _add_mail(app: FastAPI, service: Service) -> None:
    settings, desk = service.settings, service.mail_desk
    if desk is not None and settings.email_inbound_secret is not None:
        secret = settings.email_inbound_secret.get_secret_value()
        app.include_router(mail_route.router(settings.email_inbound_provider, secret, desk.receive, service.clock))
