"""Serves the page, its data, its changes as they happen, and the gestures made on it. Loopback only.

A gesture is refused when it comes from another web page: the browser names the origin, and it must be ours.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.feed import Feed
from sandbox.mail import MailStandIn
from sandbox.page.hands import Hands, Impossible
from sandbox.page.shown import Json, cast_shown, delivery_shown, letter_shown
from sandbox.serving import LOOPBACK, serving
from sandbox.slack.standin import SlackStandIn

STATIC: Final = Path(__file__).with_name("static")
_HEADERS: Final = {
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_LOG: Final = "log"
_END: Final = "end"


@dataclass(frozen=True, slots=True)
class Model:
    """What answers the agent, and whether it is only a script."""

    name: str
    scripted: bool = True


class PageServer:
    """The page. `feed_log` gives it a line of the agent's log."""

    def __init__(self, slack: SlackStandIn, mail: MailStandIn, model: Model) -> None:
        self._slack = slack
        self._mail = mail
        self._model = model
        self._hands = Hands(slack, mail)
        self._feed: Feed[tuple[str, str]] = Feed()
        routes = [
            Route("/", self._index),
            Route("/api/cast", self._cast),
            Route("/api/slack", self._workspace),
            Route("/api/mail", self._letters),
            Route("/api/changes", self._changes),
            Route("/api/{gesture}", self._gesture, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[LOOPBACK, "localhost"])
        self.app = Starlette(routes=routes, middleware=[hosts])

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on loopback for as long as the context lasts; gives the URL."""
        async with serving(self.app, port) as url:
            pumps = [
                asyncio.create_task(self._pump("slack", self._slack.changes())),
                asyncio.create_task(self._pump("mail", self._mail.changes())),
            ]
            try:
                yield url
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                self._feed.tell((_END, ""))

    def feed_log(self, line: str) -> None:
        """Show a line of the agent's log; one that is no JSON object is shown as the text it is."""
        if not line.strip():
            return
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            entry = {"event": line.rstrip()}
        self._feed.tell((_LOG, json.dumps(entry)))

    async def _pump(self, kind: str, changes: AsyncIterator[object]) -> None:
        async for _ in changes:
            self._feed.tell((kind, "{}"))

    async def _index(self, request: Request) -> Response:
        del request
        return FileResponse(STATIC / "index.html", headers=_HEADERS)

    async def _cast(self, request: Request) -> Response:
        del request
        return _json(cast_shown(self._model.name, scripted=self._model.scripted))

    async def _workspace(self, request: Request) -> Response:
        del request
        return _json(self._slack.snapshot())

    async def _letters(self, request: Request) -> Response:
        del request
        letters = [letter for box in self._mail.addresses() for letter in self._mail.everything(box)]
        deliveries = [delivery_shown(delivery) for delivery in self._mail.deliveries()]
        return _json({"letters": [letter_shown(letter) for letter in letters], "deliveries": deliveries})

    async def _changes(self, request: Request) -> Response:
        seen = request.headers.get("last-event-id", "")
        return StreamingResponse(
            self._stream(int(seen) if seen.isdigit() else None),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _stream(self, seen: int | None) -> AsyncIterator[str]:
        """Without a last number: the log so far, then what happens. With one: what happened since."""
        yield "retry: 800\n\n"
        start = self._feed.last if seen is None else min(seen, self._feed.last)
        for number, (kind, body) in self._feed.since(0) if seen is None else []:
            if kind == _LOG and number <= start:
                yield _event(number, kind, body)
        async for number, (kind, body) in self._feed.listen(start):
            if kind == _END:
                return
            yield _event(number, kind, body)

    async def _gesture(self, request: Request) -> Response:
        if not _from_our_page(request.headers):
            return _json({"error": "this comes from another page"}, 403)
        try:
            given = json.loads(await request.body())
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return _json({"error": "a JSON object is expected"}, 400)
        try:
            return _json(await self._hands.do(request.path_params["gesture"], given))
        except Impossible as no:
            return _json({"error": str(no)}, 409)


def _from_our_page(headers: Mapping[str, str]) -> bool:
    is_json = headers.get("content-type", "").partition(";")[0] == "application/json"
    origin = headers.get("origin")
    return is_json and (origin is None or origin == f"http://{headers.get('host', '')}")


def _event(number: int, kind: str, body: str) -> str:
    return f"id: {number}\nevent: {kind}\ndata: {body}\n\n"


def _json(body: Json | dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(body, status, headers={"cache-control": "no-store"})
