"""The paths of the REST API, and what OpenAPI says of them. What they do is in `threads` and `approvals`."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from fastapi import APIRouter, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel, TypeAdapter

from agent.ports import Ids
from approvals.gate import Gate
from approvals.people import Directory
from bot.api.answers import ApprovalList, ApprovalOut, GrantList, GrantOut, GrantWords, ThreadId, ThreadOut
from bot.api.approvals import ApprovalEndpoints
from bot.api.bodies import APPROVE, DECISION, NEW_MESSAGE, NEW_THREAD, PLAN, REMARK, REVOKE, documented
from bot.api.caller import answering
from bot.api.grants import GrantEndpoints
from bot.api.problem import ErrorAnswer
from bot.api.threads import ThreadEndpoints
from bot.inbox import Inbox
from store.approvals import ApprovalIndex
from store.threads import Threads

_BEARER = HTTPBearer(auto_error=False, description="A token whose SHA-256 is among the api_tokens of people.yaml.")
_ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorAnswer, "description": "No token, or nobody's."},
    503: {"model": ErrorAnswer, "description": "The store cannot be reached; try again."},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": ErrorAnswer, "description": "There is no such thing."}}
_WRONG: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The body is not JSON."},
    413: {"model": ErrorAnswer, "description": "The body is larger than 1 MiB."},
    422: {"model": ErrorAnswer, "description": "The body does not fit; `fields` says where."},
}
_DECISION: dict[int | str, dict[str, Any]] = {
    403: {"model": ErrorAnswer, "description": "This person may not decide it, or the policy is against it."},
    409: {"model": ErrorAnswer, "description": "Decided already, expired, or no longer what was shown."},
}
_KEY = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255}}

Endpoint = Callable[..., Awaitable[BaseModel]]


def router(  # noqa: PLR0913 - each is one part of the deployment
    gate: Gate,
    index: ApprovalIndex,
    threads: Threads,
    inbox: Inbox,
    directory: Directory,
    ids: Ids | None = None,
    *,
    agents: Collection[str] = (),
) -> APIRouter:
    """The routes under /api. `agents` are the names that a new thread may ask for, besides the inbox's own; `ids`
    replaces the inbox's."""
    found = APIRouter(prefix="/api", dependencies=[Security(_BEARER)], responses=_ERRORS)
    inbox = Inbox(inbox.threads, inbox.clock, ids or inbox.ids, inbox.agent)
    add = _Adding(found)
    _add_threads(add, ThreadEndpoints(gate, index, threads, inbox, directory, tuple(agents)))
    approvals = ApprovalEndpoints(gate, index, directory)
    _add_approvals(add, approvals)
    _add_grants(add, approvals, GrantEndpoints(gate, index, directory))
    return found


class _Adding:
    """Adds an endpoint with what all of them share."""

    def __init__(self, found: APIRouter) -> None:
        self.router = found

    def __call__(self, route: str, endpoint: Endpoint, model: type[BaseModel], status: int = 200, **more: Any) -> None:  # noqa: ANN401 - FastAPI's own options
        method, path = route.split()
        answer = answering(endpoint, status)
        self.router.add_api_route(path, answer, methods=[method], response_model=model, status_code=status, **more)


def _add_threads(add: _Adding, threads: ThreadEndpoints) -> None:
    tags: dict[str, Any] = {"tags": ["threads"]}
    start, message = documented(NEW_THREAD), documented(NEW_MESSAGE)
    keyed = {"parameters": [_KEY]}
    add(
        "POST /threads",
        threads.start,
        ThreadId,
        201,
        summary="Launch a thread",
        responses=_WRONG,
        openapi_extra=start | keyed,
        **tags,
    )
    add("GET /threads/{thread_id}", threads.show, ThreadOut, summary="Look at a thread", responses=_NOT_FOUND, **tags)
    add(
        "POST /threads/{thread_id}/messages",
        threads.write,
        ThreadId,
        202,
        summary="Write in a thread",
        responses=_WRONG | _NOT_FOUND,
        openapi_extra=message | keyed,
        **tags,
    )
    cancel = "POST /threads/{thread_id}/cancel"
    add(cancel, threads.cancel, ThreadId, summary="Stop a thread", responses=_NOT_FOUND, **tags)


def _saying(body: TypeAdapter[Any]) -> dict[str, Any]:
    """What OpenAPI says of a request by which somebody has their say."""
    return {"responses": _WRONG | _NOT_FOUND | _DECISION, "openapi_extra": documented(body)}


def _add_approvals(add: _Adding, approvals: ApprovalEndpoints) -> None:
    tags: dict[str, Any] = {"tags": ["approvals"]}
    one = "GET /approvals/{approval_id}"
    add("GET /approvals", approvals.listed, ApprovalList, summary="List approvals", **tags)
    add(one, approvals.show, ApprovalOut, summary="Look at an approval", responses=_NOT_FOUND, **tags)
    add(
        "POST /approvals/{approval_id}/decision",
        approvals.decide,
        ApprovalOut,
        summary="Decide an approval",
        **_saying(DECISION),
        **tags,
    )
    add(
        "POST /approvals/{approval_id}/plan",
        approvals.decide_plan,
        ApprovalOut,
        summary="Decide several calls of one plan",
        **_saying(PLAN),
        **tags,
    )
    add(
        "POST /approvals/{approval_id}/remarks",
        approvals.remark,
        ApprovalOut,
        202,
        summary="Ask the agent about a call that waits",
        **_saying(REMARK),
        **tags,
    )


def _add_grants(add: _Adding, approvals: ApprovalEndpoints, grants: GrantEndpoints) -> None:
    tags: dict[str, Any] = {"tags": ["grants"]}
    add(
        "POST /approvals/{approval_id}/grant-words",
        approvals.grant_words,
        GrantWords,
        summary="Read what a grant would let run, before giving it",
        **_saying(APPROVE),
        **tags,
    )
    add("GET /grants", grants.listed, GrantList, summary="List grants", **tags)
    add("GET /grants/{grant_id}", grants.show, GrantOut, summary="Look at a grant", responses=_NOT_FOUND, **tags)
    add(
        "POST /grants/{grant_id}/revoke",
        grants.revoke,
        GrantOut,
        summary="Take a grant back",
        **_saying(REVOKE),
        **tags,
    )
