"""Slack's side of Socket Mode: a WebSocket server on loopback that sends envelopes and waits for acknowledgements."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import WSCloseCode, WSMsgType, web

from sandbox.serving import LOOPBACK, listen
from sandbox.slack.post import Answer, Parcel, Retry
from sandbox.slack.refused import Json
from sandbox.slack.tickets import Tickets

_HEARTBEAT = 10.0
_HOST = "applink-sandbox"


class SocketOutlet:
    """The bot's open connections; envelopes go to one after the other."""

    def __init__(self, app_id: str, tickets: Tickets, ids: Callable[[str], str]) -> None:
        self.url = ""
        self._app_id = app_id
        self._tickets = tickets
        self._ids = ids
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._turn = itertools.count()
        self._changed = asyncio.Condition()

    @property
    def connections(self) -> int:
        """How many the bot holds."""
        return len(self._open)

    def link(self) -> str:
        """The URL for one connection, as `apps.connections.open` gives it."""
        return f"{self.url}/link/?ticket={self._tickets.socket()}&app_id={self._app_id}"

    async def connected(self, count: int = 1, patience: float = 10.0) -> None:
        """Wait until the bot holds this many connections; raises TimeoutError."""
        async with asyncio.timeout(patience), self._changed:
            await self._changed.wait_for(lambda: len(self._open) >= count)

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Send an envelope and wait for its acknowledgement."""
        if not self._open:
            return Answer(0, failure="connection_failed")
        envelope_id = self._ids("env-")
        waiting = self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": parcel.kind,
            "payload": parcel.body,
            "accepts_response_payload": parcel.kind != "events_api",
        }
        if parcel.kind == "events_api":
            envelope |= {"retry_attempt": retry.number if retry else 0, "retry_reason": retry.reason if retry else ""}
        try:
            await self._open[next(self._turn) % len(self._open)].send_json(envelope)
            acknowledged = await asyncio.wait_for(waiting, patience)
        except TimeoutError:
            return Answer(0, failure="timeout")
        except ConnectionError:
            return Answer(0, failure="connection_failed")
        finally:
            del self._waiting[envelope_id]
        payload = acknowledged.get("payload")
        return Answer(200, json.dumps(payload) if payload else "")

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the bot to connect anew, on every connection, then close them: `warning`, `refresh_requested`, …"""
        for socket in list(self._open):
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": _HOST}})
            if reason != "warning":
                self._open.remove(socket)

    async def cut(self) -> None:
        """Close every connection without asking first."""
        gone, self._open = self._open, []
        for socket in gone:
            await socket.close(code=WSCloseCode.INTERNAL_ERROR)

    async def close(self) -> None:
        """Close every connection."""
        for socket in list(self._open):
            await socket.close()

    async def _connection(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets.sockets:
            raise web.HTTPForbidden(text="bad ticket")
        self._tickets.sockets.discard(ticket)
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT)
        await socket.prepare(request)
        await socket.send_json(self._hello())
        await self._count(socket, here=True)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._acknowledged(json.loads(message.data))
        finally:
            await self._count(socket, here=False)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open) + 1,
            "debug_info": {"host": _HOST, "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }

    def _acknowledged(self, message: Json) -> None:
        waiting = self._waiting.get(str(message.get("envelope_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def _count(self, socket: web.WebSocketResponse, *, here: bool) -> None:
        async with self._changed:
            if here:
                self._open.append(socket)
            elif socket in self._open:
                self._open.remove(socket)
            self._changed.notify_all()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen on a free loopback port for as long as the context lasts."""
        app = web.Application()
        app.router.add_get("/link/", self._connection)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        sock = listen()
        await web.SockSite(runner, sock).start()
        self.url = f"ws://{LOOPBACK}:{sock.getsockname()[1]}"
        try:
            yield
        finally:
            await self.close()
            await runner.cleanup()
