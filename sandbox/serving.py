"""Serves an ASGI app on loopback for as long as a context lasts, in the running event loop, without signals."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"
GRACE = 1.0
"""Seconds that running requests are given at the end."""
TICK = 0.002


class _Prompt(uvicorn.Server):
    """A server that ends as soon as it may: uvicorn's own looks every 0.1 s, several times, and tests have many."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    async def start(self, sock: socket.socket) -> None:
        """Listen; answers from now on."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.startup(sockets=[sock])

    async def main_loop(self) -> None:
        """Renew the Date header each second until it is time to leave."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._leaving.wait()

    def leave(self) -> None:
        """End the main loop."""
        self.should_exit = True
        self._leaving.set()

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Take nothing new, let running requests end in their time, cancel those that do not."""
        state = self.server_state
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for connection in tuple(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE):
                while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn tells nobody when they end
                    await asyncio.sleep(TICK)
        except TimeoutError:
            for task in state.tasks:
                task.cancel()


def listen(port: int = 0) -> socket.socket:
    """A bound loopback socket; port 0 takes a free one. Raises OSError when the port is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((LOOPBACK, port))
    except OSError:
        sock.close()
        raise
    sock.listen(128)
    return sock


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve `app` and give its base URL, without a slash at the end."""
    sock = listen(port)
    base = f"http://{LOOPBACK}:{sock.getsockname()[1]}"
    server = _Prompt(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", loop="none"))
    try:
        await server.start(sock)
        running = asyncio.create_task(server.main_loop())
        try:
            yield base
        finally:
            server.leave()
            await running
            await server.shutdown([sock])
    finally:
        sock.close()


def free_port() -> int:
    """A port that was free a moment ago."""
    sock = listen()
    port = int(sock.getsockname()[1])
    sock.close()
    return port
