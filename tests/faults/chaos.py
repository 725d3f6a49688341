"""What goes wrong at the ports: Slack, the model, SMTP and what comes in. Seeded; counted when it happens."""

import asyncio
import contextlib
import random
from collections import Counter, deque
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.mail.smtp import SmtpFault
from sandbox.slack.faults import Fault, Faults
from sandbox.slack.post import Answer, Outlet, Parcel, Retry

KEPT_WELL = frozenset({"auth.test", "apps.connections.open"})
"""What a process asks at its start: failing that says nothing about threads."""
ENOUGH = 10.0
"""Seconds after which a model that hangs gives up itself; the agent is told to wait for less."""
LET_GO = 0.7
"""Seconds after which what hangs at Slack is cut."""


@dataclass
class Trouble:
    """How much goes wrong: a die, the chances, and the count of what did. `calm` ends it."""

    dice: random.Random
    chance: float
    """That one request, delivery or mail is interfered with."""
    count: Counter[str] = field(default_factory=Counter)
    is_calm: bool = False

    def strikes(self) -> bool:
        """Whether something goes wrong now."""
        return not self.is_calm and self.dice.random() < self.chance

    def one_of(self, *kinds: str) -> str:
        """Which, counted."""
        kind = self.dice.choice(kinds)
        self.count[kind] += 1
        return kind


class SlackTrouble(Faults):
    """In place of the stand-in's queues: any call may fail."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    def take(self, method: str) -> Fault | None:
        """The failure of this call, if it has one."""
        if method in KEPT_WELL or not self.trouble.strikes():
            return super().take(method)
        kind = self.trouble.one_of("slack 500", "slack lost_answer", "slack lost_answer", "slack 429", "slack hang")
        if kind == "slack hang":
            asyncio.get_running_loop().call_later(LET_GO, self.let_go)
        return Fault(kind.removeprefix("slack "))


def troubled_model(app: ASGIApp, trouble: Trouble) -> ASGIApp:
    """The model server, failing, hanging, breaking off, or answering twice."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientDisconnect):  # whoever asked was killed
            await _answered(scope, receive, send)

    async def _answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not trouble.strikes():
            await app(scope, receive, send)
            return
        match trouble.one_of("model 500", "model 503", "model hang", "model cut", "model twice"):
            case "model 500" | "model 503" as kind:
                await _fail(send, int(kind.removeprefix("model ")))
            case "model hang":
                await _hang(receive)
            case "model cut":
                await app(scope, receive, _cut(send))
            case _:
                await app(scope, receive, _twice(send))

    return answer


async def _hang(receive: Receive) -> None:
    """No answer, until whoever asked has had enough."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ENOUGH):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _fail(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"error": {"message": "overloaded", "type": "server_error"}}'})


def _cut(send: Send) -> Send:
    """Half of the body, and then no more of the connection."""

    async def halved(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or not body:
            await send(message)
            return
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        assert transport is not None
        transport.abort()

    return halved


def _twice(send: Send) -> Send:
    """The same answer two times over, as a proxy that repeats itself."""

    async def doubled(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name, value) for name, value in message["headers"] if name != b"content-length"]
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            message = {**message, "body": message.get("body", b"") * 2}
        await send(message)

    return doubled


class SmtpTrouble(deque[SmtpFault]):
    """In place of the stand-in's queue: filled when the dice say so, counted when taken."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self.trouble = trouble

    def __bool__(self) -> bool:
        """Whether something is due to go wrong."""
        if not len(self) and self.trouble.strikes():
            stage = self.trouble.dice.choice(("rcpt", "data", "drop"))
            self.append(SmtpFault(stage))  # type: ignore[arg-type]  # one of the literals
        return len(self) > 0

    def popleft(self) -> SmtpFault:
        """It goes wrong."""
        fault = super().popleft()
        self.trouble.count[f"smtp {fault.stage}"] += 1
        return fault


class Meddler:
    """Between Slack and the agent: delays, repeats and loses answers; several web processes take turns."""

    def __init__(self, trouble: Trouble, outlets: list[Outlet]) -> None:
        self.trouble = trouble
        self.outlets = outlets

    async def send(self, parcel: Parcel, retry: Retry | None, patience: float) -> Answer:
        """Deliver, more or less."""
        if parcel.kind != "events_api" or not self.trouble.strikes():
            return await self._outlet().send(parcel, retry, patience)
        match self.trouble.one_of("inbound delayed", "inbound repeated", "inbound answer lost"):
            case "inbound delayed":  # what was said later overtakes it
                await asyncio.sleep(self.trouble.dice.random())
                return await self._outlet().send(parcel, retry, patience)
            case "inbound repeated":
                again = Retry(1, "http_timeout")
                first, _ = await asyncio.gather(
                    self._outlet().send(parcel, retry, patience), self._outlet().send(parcel, again, patience)
                )
                return first
            case _:
                await self._outlet().send(parcel, retry, patience)
                return Answer(0, failure="http_timeout")

    async def close(self) -> None:
        """Give back the connections."""
        for each in self.outlets:
            await each.close()

    def _outlet(self) -> Outlet:
        return self.trouble.dice.choice(self.outlets)
