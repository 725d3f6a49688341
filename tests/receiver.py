"""A program that is told of approvals, on a real port: it proves each request as docs/operations.md shows."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from tests.fixtures import ROOT

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

Manner = int | Literal["hang", "endless", "cut"]
"""How a request is answered: with a status; never; with a body that never ends; with a connection that breaks."""


def documented() -> Callable[..., dict[str, Any]]:
    """The function that docs/operations.md gives to whoever writes a receiver."""
    page = (ROOT / "docs" / "operations.md").read_text()
    source = next(each for each in re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - our own page
    found: Callable[..., dict[str, Any]] = names["approval"]
    return found


@dataclass
class Receiver:
    """What it was told, and how it answers."""

    port: int = 0
    manners: list[Manner] = field(default_factory=list)
    """Of the next requests; then each is accepted."""
    names: list[str] = field(default_factory=list)
    """The webhook-id of each request, also of those that it did not accept."""
    told: list[dict[str, Any]] = field(default_factory=list)
    """What it accepted."""
    kinds: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    strays: int = 0
    """Requests elsewhere."""
    secret: str = SECRET
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Of it."""
        return f"http://127.0.0.1:{self.port}/approvals/"

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer as told to."""
        if request.path != "/approvals/":
            self.strays += 1
            return web.Response(status=200)
        body, headers = await request.read(), {name.lower(): value for name, value in request.headers.items()}
        self.headers.append(headers)
        self.names.append(headers["webhook-id"])
        proved = documented()(headers, body, self.secret, now=int(headers["webhook-timestamp"]))
        manner = self.manners.pop(0) if self.manners else 204
        if isinstance(manner, int):
            return self._answer(manner, proved, body)
        if manner == "hang":
            await self.over.wait()
            return web.Response()
        if manner == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return await self._endless(request, proved, body)

    def _answer(self, status: int, proved: dict[str, Any], body: bytes) -> web.Response:
        if 200 <= status < 300:
            self._accept(proved, body)
        headers = {"Location": f"http://127.0.0.1:{self.port}/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    async def _endless(self, request: web.Request, proved: dict[str, Any], body: bytes) -> web.StreamResponse:
        self._accept(proved, body)
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self.over.is_set():
                await answer.write(b"x" * 65536)
                await asyncio.sleep(0.01)
        return answer

    def _accept(self, proved: dict[str, Any], body: bytes) -> None:
        self.told.append(proved)
        self.kinds.append(re.findall(rb'"type": "([a-z.]+)"', body)[0].decode())


@asynccontextmanager
async def a_receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """One that listens, on that port if it is named."""
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver.take), handle_signals=False, shutdown_timeout=0)  # type: ignore[arg-type]  # a request of its own kind
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    await site.start()
    receiver.port = int(runner.addresses[0][1])
    try:
        yield receiver
    finally:
        receiver.over.set()
        await runner.cleanup()
