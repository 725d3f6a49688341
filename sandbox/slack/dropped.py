"""Answers that never arrive: a connection dropped after the work was done, or held open for ever."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.slack.faults import Faults

_KEY = "sandbox.transport"


def droppable(app: ASGIApp) -> ASGIApp:
    """The app, with the connection within reach of `DroppedAnswer`. ASGI has no word for breaking off; uvicorn's
    `send` belongs to an object that holds the transport."""

    async def outermost(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_KEY] = getattr(getattr(send, "__self__", None), "transport", None)
        await app(scope, receive, send)

    return outermost


class DroppedAnswer(Response):
    """Breaks the connection off instead of answering; raises RuntimeError where there is no connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Break off, and wait until the server has seen it."""
        del send
        transport = scope.get(_KEY)
        if transport is None:
            raise RuntimeError("an answer can only be lost on a real connection")
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


async def hang(request: Request, faults: Faults) -> Response:
    """Answer nothing until the caller goes away or the test lets go."""
    freed = asyncio.create_task(faults.hold())
    gone = asyncio.create_task(_disconnected(request))
    await asyncio.wait({freed, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in (freed, gone):
        task.cancel()
    await asyncio.gather(freed, gone, return_exceptions=True)
    return DroppedAnswer()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
