"""OpenAI, and every server that speaks as it does, behind the Model port. The only importer of `openai`.

- The client's generic `post` is used, never its typed `create`, which walks the whole history through a transform on
  every call: at 500 steps that is a hundred times the work of the call itself.
- The client is imported and built on first use, in a thread: that takes a second, and a process that only shows cards
  never needs it. `warm` does it ahead of time.
- Retries are ours, not the client's, so that they are bounded in time, can be waited for by a fake clock, and are told.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol
from urllib.parse import urlsplit

import structlog

from agent import openai_chat, openai_responses
from agent.conversation import JsonObject
from agent.errors import ConfigError
from agent.openai_json import decode, encode
from agent.openai_rejection import (
    BROKEN,
    NO_ANSWER,
    Rejection,
    error_of,
    fields_named,
    message_in,
    rejection_in,
    without_secrets,
)
from agent.openai_retry import Patience
from agent.ports import ModelAnswer, ModelRequest, ModelTurn

if TYPE_CHECKING:
    import openai

log = structlog.get_logger()

OPENAI: Final = "https://api.openai.com/v1"


class Dialect(Protocol):
    """One of the two APIs: where it is, what it is asked, what it says."""

    PATH: str

    def body(self, request: ModelRequest, without: frozenset[str]) -> JsonObject:
        """The request, without the fields named."""
        ...

    def answer(self, payload: JsonObject, taken: frozenset[str]) -> ModelAnswer:
        """What the model said."""
        ...


@dataclass(eq=False, kw_only=True)
class OpenAIModel:
    """A Model. Safe to share by any number of threads of work; close it with `aclose`."""

    api_key: str = field(repr=False)
    """May be empty for a server that asks for none."""
    base_url: str = OPENAI
    api: Literal["responses", "chat"] = "responses"
    timeout: float = 120.0
    """Seconds that one try may take."""
    retries: int = 4
    patience: float = 60.0
    """Seconds of waiting between the tries of one answer, all together."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    _client: "openai.AsyncOpenAI | None" = field(default=None, init=False, repr=False)
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)
    _unknown: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False)
    """By model: fields that its server has been seen to refuse."""

    def __post_init__(self) -> None:
        """Raises ConfigError for what no request could be made with."""
        if not self.api_key.isascii() or any(not letter.isprintable() or letter == " " for letter in self.api_key):
            raise ConfigError("OPENAI_API_KEY has a space, a line break or a letter that no key has; copy it again")
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("OPENAI_BASE_URL must be an address such as https://api.openai.com/v1")

    @property
    def server(self) -> str:
        """Where we ask, as people may read it: without a password or query in the address."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def _dialect(self) -> Dialect:
        return openai_responses if self.api == "responses" else openai_chat

    async def respond(self, request: ModelRequest) -> ModelAnswer:
        """One answer. Raises ModelUnavailable (after retries) when a later try may succeed, else ModelRefused."""
        said, without = await self._ask_leaving_out(request, self._unknown.get(request.model, frozenset()))
        if isinstance(said, Rejection):
            raise error_of(without_secrets(said, self.api_key, request), request.model, self.server)
        if without:
            self._unknown[request.model] = without - {"reasoning"}
        return self._dialect.answer(said, _taken(request))

    async def _ask_leaving_out(
        self, request: ModelRequest, without: frozenset[str]
    ) -> tuple[JsonObject | Rejection, frozenset[str]]:
        """The answer, and what was left out to get it: once each, what the server says that it cannot take."""
        body = encode(self._dialect.body(request, without))
        said = await self._ask(body)
        while isinstance(said, Rejection) and (refused := self._optional(said) - without):
            without |= refused
            if (less := encode(self._dialect.body(request, without))) == body:
                break
            log.info("model.left_out", fields=sorted(refused), status=said.status)
            body, said = less, await self._ask(less)
        return said, without

    def _optional(self, rejection: Rejection) -> frozenset[str]:
        """OpenAI itself knows `store`, and would store when it is left out."""
        host = urlsplit(self.base_url).hostname or ""
        known = {"store"} if host == "openai.com" or host.endswith(".openai.com") else set()
        return fields_named(rejection) - known

    async def _ask(self, body: bytes) -> JsonObject | Rejection:
        """The answer to one body, asked for as often as it takes and patience lasts."""
        patience = Patience(self.retries, self.patience)
        said = await self._post(body)
        while isinstance(said, Rejection) and (pause := patience.pause(said, self.jitter())) is not None:
            log.info("model.retried", status=said.status, pause=round(pause, 3), retry=patience.retried + 1)
            await self.sleep(pause)
            patience = patience.after(pause)
            said = await self._post(body)
        return said

    async def _post(self, body: bytes) -> JsonObject | Rejection:
        """One try. `cast_to=bytes` hands the body over unread; a redirect is an error, not another reader's prompt."""
        client = await self._opened()
        import openai  # noqa: PLC0415 - imported in a thread by now

        try:
            async with asyncio.timeout(self.timeout):
                raw = await client.post(
                    self._dialect.PATH, content=body, cast_to=bytes, options={"follow_redirects": False}
                )
        except (openai.OpenAIError, TimeoutError) as error:
            return rejection_of(error)
        payload = decode(raw)
        return rejection_in(payload) or payload

    async def warm(self) -> None:
        """Import and build the client now, without holding up the event loop."""
        await self._opened()

    async def _opened(self) -> "openai.AsyncOpenAI":
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._open)
            return self._client

    def _open(self) -> "openai.AsyncOpenAI":
        import openai  # noqa: PLC0415 - a second of work, and only here

        limit = openai.Timeout(self.timeout, connect=min(10.0, self.timeout))
        # Without a key the client looks for one in the environment and refuses to start.
        key = self.api_key or "none"
        return openai.AsyncOpenAI(api_key=key, base_url=self.base_url, timeout=limit, max_retries=0)

    async def aclose(self) -> None:
        """Close the connections. A later `respond` opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def rejection_of(error: BaseException) -> Rejection:
    """Any error of the client's, as a value of ours."""
    import openai  # noqa: PLC0415 - there is an error of its, so it has been imported

    match error:
        case openai.APIStatusError():
            return Rejection(
                error.status_code,
                message_in(error.body),
                code=error.code or "",
                param=error.param if isinstance(error.param, str) else "",
                request_id=error.request_id or "",
                headers=dict(error.response.headers),
            )
        case openai.APITimeoutError() | TimeoutError():
            return Rejection(NO_ANSWER, "no answer in time")
        case openai.APIConnectionError():
            cause = error.__cause__ or error
            return Rejection(NO_ANSWER, str(cause) or type(cause).__name__)
        case _:
            return Rejection(BROKEN, type(error).__name__)


def _taken(request: ModelRequest) -> frozenset[str]:
    """Ids of calls that the thread has used."""
    return frozenset(call.provider_id for turn in request.turns if isinstance(turn, ModelTurn) for call in turn.calls)
