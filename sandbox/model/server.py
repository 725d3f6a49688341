"""The HTTP server around the model: keys, routes, faults on demand, and a record of what was asked."""

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final, Literal

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.clock import fresh, now
from sandbox.model.answer import Answer
from sandbox.model.ask import MODEL, Ask
from sandbox.model.chat_in import read_chat
from sandbox.model.chat_out import completion, completion_chunks
from sandbox.model.faults import Fault
from sandbox.model.refused import Json, Refused, an_object
from sandbox.model.responses_in import read_responses
from sandbox.model.responses_out import response, response_events
from sandbox.model.rules import answered
from sandbox.model.script import Script, fingerprint, script_in
from sandbox.model.seal import BOUND
from sandbox.model.tokens import within
from sandbox.serving import serving

KEY: Final = "sk-sandbox"
_KEPT: Final = 1000
Api = Literal["responses", "chat"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came, and how it was answered."""

    api: Api
    body: Json
    status: int
    at: float


class ModelServer:
    """The model on loopback. Keeps no conversations; what it remembers is a record for tests, bounded."""

    def __init__(self, key: str = KEY, pause: float = 0) -> None:
        self._key = key
        self._pause = pause
        self._faults: deque[Fault] = deque()
        self._requests: deque[Request] = deque(maxlen=_KEPT)
        self._steps: dict[str, dict[str, int]] = {}
        self._attempts: dict[str, int] = {}
        self.app = Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/v1/responses", self._responses, methods=["POST"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
            ]
        )

    def serve(self, port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serve on loopback; the context gives the URL without `/v1`."""
        return serving(self.app, port)

    def requests(self) -> list[Request]:
        """The last thousand requests, oldest first."""
        return list(self._requests)

    def fail(self, *faults: Fault) -> None:
        """What goes wrong with the next requests, one each, whatever they ask."""
        self._faults.extend(faults)

    async def _models(self, request: HttpRequest) -> Response:
        try:
            self._authorize(request)
        except Refused as no:
            return _refusal(no)
        card = {"id": MODEL, "object": "model", "created": 1_700_000_000, "owned_by": "sandbox"}
        return JSONResponse({"object": "list", "data": [card]})

    async def _responses(self, request: HttpRequest) -> Response:
        return await self._answer(request, "responses", read_responses)

    async def _chat(self, request: HttpRequest) -> Response:
        return await self._answer(request, "chat", read_chat)

    async def _answer(self, request: HttpRequest, api: Api, read: Callable[[Json], Ask]) -> Response:
        body: Json = {}
        try:
            self._authorize(request)
            body = await _body(request)
            ask = read(body)
            reply = await self._reply(api, ask)
        except Refused as no:
            reply = _refusal(no)
        self._requests.append(Request(api, body, reply.status_code, now()))
        reply.headers["x-request-id"] = fresh("req_")
        return reply

    def _authorize(self, request: HttpRequest) -> None:
        if request.headers.get("authorization") != f"Bearer {self._key}":
            raise Refused("Incorrect API key provided.", code="invalid_api_key", status=401)

    async def _reply(self, api: Api, ask: Ask) -> Response:
        answer = self._next(ask)
        fault = self._faults.popleft() if self._faults else self._scripted_fault(ask, answer)
        await asyncio.sleep(self._pause + (fault.hang if fault else 0))
        if fault and fault.status:
            raise _Failing(fault)
        answer = within(ask, _with_ids(ask, answer))
        cut = bool(fault and fault.cut)
        if api == "responses":
            whole = response(ask, answer, _ids(), int(now()))
            return _streamed(response_events(whole), cut=cut) if ask.stream else _whole(whole, cut=cut)
        whole = completion(ask, answer, _ids(), int(now()))
        return _streamed(completion_chunks(ask, whole), cut=cut) if ask.stream else _whole(whole, cut=cut)

    def _next(self, ask: Ask) -> Answer:
        playing = script_in(ask)
        if playing is None:
            return answered(ask)
        at = self._position(playing, ask)
        return playing.steps[at] if at < len(playing.steps) else answered(ask)

    def _position(self, playing: Script, ask: Ask) -> int:
        seen = self._steps.setdefault(_digest(playing.key), {})
        return seen.setdefault(_digest(fingerprint(ask)), len(seen))

    def _scripted_fault(self, ask: Ask, answer: Answer) -> Fault | None:
        if not answer.faults:
            return None
        digest = _digest(fingerprint(ask))
        attempt = self._attempts[digest] = self._attempts.get(digest, 0) + 1
        return answer.faults[attempt - 1] if attempt <= len(answer.faults) else None


class _Failing(Refused):
    """A fault that was asked for."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text(), status=fault.status, code="rate_limit_exceeded" if fault.status == 429 else None)
        self.retry_after = fault.retry_after


def _refusal(no: Refused) -> Response:
    headers = {"retry-after": no.retry_after} if isinstance(no, _Failing) and no.retry_after else {}
    return JSONResponse(no.body(), no.status, headers)


async def _body(request: HttpRequest) -> Json:
    try:
        return an_object(json.loads(await request.body()), "body")
    except ValueError as wrong:
        raise Refused("We could not parse the JSON body of your request.") from wrong


def _with_ids(ask: Ask, answer: Answer) -> Answer:
    calls = answer.calls if ask.parallel else answer.calls[:1]
    start = BOUND if ask.reasoning else "call_"
    return replace(answer, calls=tuple(replace(call, call_id=call.call_id or fresh(start)) for call in calls))


def _ids() -> Iterator[str]:
    while True:
        yield fresh("")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _whole(whole: Json, *, cut: bool) -> Response:
    if cut:
        return _streamed(iter([json.dumps(whole)[:40]]), cut=True)
    return JSONResponse(whole)


def _streamed(events: Iterator[str], *, cut: bool) -> Response:
    async def body() -> AsyncIterator[str]:
        for number, event in enumerate(events):
            if cut and number == 2:
                return
            yield event
            await asyncio.sleep(0)

    headers = {"cache-control": "no-store"}
    if cut:
        headers["content-length"] = "1000000"
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)
