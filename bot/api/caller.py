"""Who calls, with what body, and what comes back when that goes wrong. Rules:

- The token is checked before a byte of the body is read.
- A body is bounded and is read by Pydantic alone, which refuses what is no JSON in UTF-8.
- When the store cannot be reached, the caller is told to come again.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from agent.errors import AlreadySettled, StoreDown
from approvals.people import Directory, Person
from bot.api.problem import NOT_KEPT, Problem, invalid
from bot.request_body import BodyTooLarge, read_body

log = structlog.get_logger()

Arguments = ParamSpec("Arguments")
Wanted = TypeVar("Wanted")
_LONGEST_KEY = 255


def answering(
    endpoint: Callable[Arguments, Awaitable[BaseModel]], status: int = 200
) -> Callable[Arguments, Awaitable[Response]]:
    """Makes an answer of what an endpoint returns, or of what stopped it."""

    @wraps(endpoint)
    async def answer(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Response:
        try:
            found = await endpoint(*args, **kwargs)
        except Problem as problem:
            return problem.answer()
        except AlreadySettled as settled:
            return Problem(409, "already_settled", str(settled)).answer()
        except StoreDown as error:
            log.warning("api.unavailable")
            return Problem(503, "unavailable", str(error), headers={"Retry-After": "5"}).answer()
        return Response(found.model_dump_json(), status, NOT_KEPT, "application/json")

    return answer


def caller(request: Request, directory: Directory) -> Person:
    """Whose token it is. Raises Problem (401, RFC 6750 section 3)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("Send a token of people.yaml: Authorization: Bearer …", "")
    person = directory.by_token(token.strip())
    if person is None:
        raise _unauthorized("This token is nobody's.", ', error="invalid_token"')
    return person


def _unauthorized(message: str, detail: str) -> Problem:
    headers = {"WWW-Authenticate": f'Bearer realm="twokey"{detail}'}
    return Problem(401, "unauthorized", message, headers=headers)


async def body(request: Request, wanted: TypeAdapter[Wanted]) -> Wanted:
    """The body. Raises Problem."""
    try:
        return wanted.validate_json(await read_body(request))
    except BodyTooLarge as error:
        raise Problem(413, "too_large", str(error)) from None
    except ValidationError as error:
        raise invalid(error) from None


def flag(name: str, value: str) -> bool:
    """What a flag in the query says. Raises Problem."""
    if value.lower() not in {"", "0", "1", "false", "true"}:
        raise Problem(422, "invalid", f"`{name}` is 1 or 0.", {name: "must be 1 or 0"})
    return value.lower() in {"1", "true"}


def idempotency_key(request: Request) -> str:
    """The caller's name for this request; empty when there is none. Raises Problem."""
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > _LONGEST_KEY or not (key.isascii() and (key.isprintable() or not key)):
        message = f"An Idempotency-Key has at most {_LONGEST_KEY} printable ASCII characters."
        raise Problem(422, "invalid", message, {"Idempotency-Key": message})
    return key
