"""Runs one process: the web server around the service, or a worker alone. Ends in good order on SIGTERM."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import structlog
import uvicorn

from agent.errors import ConfigError
from bot import logs
from bot.service import Role, Service
from bot.settings import Settings
from bot.wiring import build

log = structlog.get_logger()


def run(settings: Settings, role: Role) -> None:
    """Serve until told to stop. Raises ConfigError when it cannot even start."""
    logs.configure(settings.log_level, settings.log_format, settings.secrets())
    settings.check_model()
    service = build(settings, role=role)
    for doubt in (*settings.doubts(), *service.deployment.warnings):
        log.warning("config.doubt", doubt=doubt)
    if role == "worker":
        asyncio.run(_work(service))
    else:
        _serve(service)


def _serve(service: Service) -> None:
    from bot import web  # noqa: PLC0415 - a worker needs no web framework

    settings = service.settings
    config = uvicorn.Config(
        web.create(service),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_grace)),
        lifespan="on",
    )
    server = _Server(config)
    log.info("service.listening", host=settings.host, port=settings.port)
    server.run()
    if server.failure is not None:
        raise server.failure


class _Server(uvicorn.Server):
    """A server whose failed start is an error with our words, not uvicorn's traceback."""

    failure: ConfigError | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End in good order on SIGTERM and SIGINT, and with status 0: uvicorn would raise the signal again."""
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # wider than theirs
        """Start; remember why not."""
        await super().startup(sockets)  # type: ignore[arg-type]  # as above
        if self.should_exit:
            self.failure = ConfigError("the start failed; the lines above say why")


async def _work(service: Service) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(service)
        if service.settings.slack_mode != "off":
            from bot.slack.connection import connected  # noqa: PLC0415 - Bolt is slow to import, if it is needed

            await stack.enter_async_context(connected(service))
        await service.work()
        await stop.wait()
