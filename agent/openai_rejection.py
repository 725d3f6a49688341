"""What a server of the OpenAI kind says when it gives no answer, and what we make of it. Pure.

People read these errors in logs and threads, so they name the setting to look at, and never quote the key or the
prompt: servers like to echo what they were sent, and an echo is cut out.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue

from agent.conversation import JsonObject
from agent.errors import ModelError, ModelRefused, ModelUnavailable
from agent.ports import ModelRequest, ModelTurn

NO_ANSWER: Final = 0
"""In place of a status: nobody answered, or not in time."""

BROKEN: Final = -1
"""In place of a status: the client library gave up in a way of its own."""

TOO_LONG: Final = "context_length_exceeded"
NO_CREDIT: Final = "insufficient_quota"


@dataclass(frozen=True, slots=True)
class Rejection:
    """No answer, and why."""

    status: int
    message: str = ""
    code: str = ""
    param: str = ""
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_pass(self) -> bool:
        """Whether time alone may mend it."""
        if self.code == NO_CREDIT:
            return False
        return self.status in {NO_ANSWER, BROKEN, 408, 409, 429} or self.status >= 500  # noqa: PLR2004 - the range of HTTP errors - RFC 9110, 15.6


_STATUS_OF_CODE: Final = {"rate_limit_exceeded": 429, "invalid_prompt": 400, "server_error": 500}


def rejection_in(payload: JsonObject) -> Rejection | None:
    """A failure that came with status 200: a failed response, or a proxy's way to pass on an error."""
    error = payload.get("error")
    if not error or payload.get("output") or payload.get("choices"):
        return None
    details = error if isinstance(error, dict) else {"message": error}
    code = details.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else _STATUS_OF_CODE.get(str(code), 500)  # noqa: PLR2004 - the range of HTTP errors
    return Rejection(status, message_in(error), code="" if code is None else str(code))


def message_in(body: object) -> str:
    """The words in the body of a refusal, whatever its shape; a page of HTML has none worth showing."""
    match body:
        case str():
            return "" if body.lstrip().startswith("<") else body
        case {"message": str(message)} | {"error": str(message)} | {"detail": str(message)}:
            return message
        case {"error": {"message": str(message)}}:
            return message
        case dict() if body:
            return json.dumps(body, default=str)
        case _:
            return ""


_UNKNOWN: Final = re.compile(
    r"unknown|unsupported|not support|unrecogni[sz]ed|unexpected|not (?:permitted|allowed|known)|extra", re.IGNORECASE
)


def fields_named(rejection: Rejection) -> frozenset[str]:
    """What a refusal asks to leave out: "reasoning" (items of earlier answers), "include", "store", or nothing.

    A reasoning item that does not verify comes first: its message mentions `store` too. A message that merely has the
    word "store" in it is not enough: leaving that field out may mean to be stored.
    """
    if rejection.status not in {400, 404, 422}:
        return frozenset()
    said, param = rejection.message.lower(), rejection.param
    if rejection.code == "invalid_encrypted_content" or re.search(r"\brs_|could not be (?:verified|decrypted)", said):
        return frozenset({"reasoning"})
    if param.startswith("include") or re.search(r"\binclude\b|reasoning\.encrypted_content|encrypted content", said):
        return frozenset({"include"})
    if re.search(r"reasoning|encrypted_content|thought_?signature", said):
        return frozenset({"reasoning"})
    if param == "store" or (re.search(r"\bstore\b", said) and _UNKNOWN.search(said)):
        return frozenset({"store"})
    return frozenset()


def error_of(rejection: Rejection, model: str, server: str) -> ModelError:
    """The error to raise, in words that say what to do."""
    said = f" It said: {rejection.message}" if rejection.message else ""
    trace = f" (request {rejection.request_id[:80]})" if rejection.request_id else ""
    kind = ModelUnavailable if rejection.may_pass else ModelRefused
    return kind(f"{_advice(rejection, model, server)}{said}{trace}")


def _advice(rejection: Rejection, model: str, server: str) -> str:
    status, code = rejection.status, rejection.code
    if code == NO_CREDIT:
        return f"The account at {server} has no credit left. Add some, or set OPENAI_API_KEY to another account's."
    if code == TOO_LONG or status == 413:  # noqa: PLR2004 - the range of HTTP errors - RFC 9110, 15.5.14
        return f"The thread is longer than {model} can read. Start a new one, or set OPENAI_MODEL to a larger model."
    if rejection.may_pass:
        return _unavailable(status, server)
    advice = _ADVICE.get(status, _REDIRECTED if 300 <= status < 400 else _OTHER)  # noqa: PLR2004 - the range of HTTP errors - RFC 9110, 15.4
    return advice.format(model=model, server=server, status=status)


def _unavailable(status: int, server: str) -> str:
    match status:
        case _ if status == NO_ANSWER:
            return f"The model's server {server} could not be reached."
        case _ if status == BROKEN:
            return f"The model's server {server} gave an answer that the client could not read."
        case _:
            return f"The model's server {server} is unavailable (status {status})."


_REDIRECTED: Final = "{server} sends us elsewhere (status {status}). Set OPENAI_BASE_URL to where the server is now."
_OTHER: Final = "The model's server {server} refused the request (status {status}). Check OPENAI_BASE_URL."
_ADVICE: Final[Mapping[int, str]] = {
    400: "The model's server cannot take this request for {model} (status 400). Check OPENAI_MODEL and OPENAI_API.",
    401: "The model's server {server} does not accept our key (status 401). Set OPENAI_API_KEY to a valid one.",
    403: "Our key may not use {model} at {server} (status 403). Check the rights of OPENAI_API_KEY, and OPENAI_MODEL.",
    404: (
        "There is no model {model}, or nothing at all, at {server} (status 404). Check OPENAI_MODEL and "
        "OPENAI_BASE_URL; for a server without the Responses API set OPENAI_API=chat."
    ),
    422: "The model's server cannot take this request for {model} (status 422). Check OPENAI_MODEL and OPENAI_API.",
}

MAX_MESSAGE: Final = 300
_STRIDE: Final = 12
"""Any stretch of the prompt twice as long is found in a message; shorter ones cannot be told from common words."""


def without_secrets(rejection: Rejection, key: str, request: ModelRequest) -> Rejection:
    """The same, its message cut short, and the key and every longer piece of the prompt replaced by an ellipsis."""
    message = _plain(rejection.message)[: 4 * MAX_MESSAGE]
    if key:
        message = message.replace(key, "…")
    message = re.sub(r"\bsk-[\w*.-]+", "…", message)
    message = _without_echo(message, _plain("\n".join(_words(request))))
    shortened = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"
    return replace(rejection, message=shortened)


def _words(request: ModelRequest) -> Iterator[str]:
    yield request.instructions
    for turn in request.turns:
        yield turn.text
        if isinstance(turn, ModelTurn):
            yield from (json.dumps(call.arguments, ensure_ascii=False) for call in turn.calls)
            yield from _strings([*turn.items])


def _strings(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _strings(each)
        case list():
            for each in value:
                yield from _strings(each)
        case int() | float() | None:
            pass


def _plain(words: str) -> str:
    """Without the escapes of JSON and Python, under which an echo would not be known again."""
    words = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), words)
    return " ".join(words.replace("\\n", " ").replace("\\", "").split())


def _without_echo(message: str, prompt: str) -> str:
    """Looks at every stride's start only, and cuts its neighbours too: an echo seldom begins on one."""
    echoed = [False] * len(message)
    for start in range(0, len(message) - _STRIDE + 1, _STRIDE):
        if message[start : start + _STRIDE] in prompt:
            first, last = max(0, start - _STRIDE), min(len(message), start + 2 * _STRIDE)
            echoed[first:last] = [True] * (last - first)
    kept = "".join("\0" if cut else letter for letter, cut in zip(message, echoed, strict=True))
    return re.sub("\0+", "…", kept)
