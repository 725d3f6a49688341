"""A provider on loopback that answers from a script and keeps what it was asked."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.conversation import JsonObject
from sandbox.serving import serving


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: JsonObject


@dataclass(frozen=True)
class Said:
    """One scripted answer."""

    body: JsonObject | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Rule = Callable[[Asked], Said]


@dataclass
class Provider:
    """Gives its script's answers in turn and the last for ever; a callable answers by what was asked."""

    url: str = ""
    script: list[Said | Rule] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    async def serve(self, request: Request) -> Response:
        """Any request at all."""
        asked = Asked(request.url.path, dict(request.headers), json.loads(await request.body() or b"{}"))
        self.asked.append(asked)
        rule = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        said = rule if isinstance(rule, Said) else rule(asked)
        raw = said.body if isinstance(said.body, str) else json.dumps(said.body)
        headers = {"content-type": "application/json", **said.headers}
        return Response(raw, said.status, headers=headers)


@contextmanager
def a_provider() -> Iterator[Provider]:
    """One that is up as long as the context, in a thread and an event loop of its own."""
    provider, ready, done = Provider(), threading.Event(), threading.Event()

    async def serve() -> None:
        routes = [Route("/{path:path}", provider.serve, methods=["GET", "POST"])]
        async with serving(Starlette(routes=routes)) as url:
            provider.url = f"{url}/v1"
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield provider
    finally:
        done.set()
        thread.join()


def a_refusal(status: int, message: str = "no", **headers: str) -> Said:
    """An error in OpenAI's shape."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said({"error": {"message": message, "type": "x", "param": None, "code": None}}, status, named)


HELLO: JsonObject = {
    "id": "resp_1",
    "status": "completed",
    "model": "gpt-test-1",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6},
}
HELLO_CHAT: JsonObject = {
    "model": "gpt-test-1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1},
}
