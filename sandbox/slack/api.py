"""The Web API as an ASGI app: authentication, scopes, faults and the record of calls, around the table of methods."""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.slack import hosts, methods
from sandbox.slack.arguments import METHODS, arguments_of
from sandbox.slack.directory import Installation
from sandbox.slack.dropped import DroppedAnswer, droppable, hang
from sandbox.slack.faults import Fault
from sandbox.slack.methods.ask import Ask
from sandbox.slack.methods.chat import Slower
from sandbox.slack.refused import Json, Refused
from sandbox.slack.standin import SlackStandIn


def api(standin: SlackStandIn) -> ASGIApp:
    """The whole of what the bot may call."""

    async def call(request: Request) -> Response:
        return await _called(standin, request)

    routes = [Route("/api/{method}", call, methods=["GET", "POST"]), *hosts.routes(standin)]
    return droppable(Starlette(routes=routes))


async def _called(standin: SlackStandIn, request: Request) -> Response:
    method = request.path_params["method"]
    try:
        given = await _given(request)
    except Refused as refusal:
        return JSONResponse(refusal.answer())
    token = _token(request, given)
    install = next((one for one in standin.workspace.directory.installations.values() if one.token == token), None)
    seq = standin.call_log.begin(method, given, install.team_id if install else "", standin.workspace.clock())
    fault = standin.faults.take(method)
    if fault is not None and fault.kind == "hang":
        return await hang(request, standin.faults)
    status, answer, headers = _planned(fault) or _done(standin, method, given, (token, install))
    lost = fault is not None and fault.kind == "lost_answer"
    standin.call_log.end(seq, 0 if lost else status, answer)
    standin.workspace.feed.tell("call", method=method, ok=answer.get("ok", False))
    if lost:
        return DroppedAnswer()
    if status >= 500:
        return Response("upstream error", status, media_type="text/html")
    scopes = {"x-oauth-scopes": ",".join(sorted(install.scopes))} if install else {}
    return JSONResponse(answer, status, {**headers, **scopes})


Outcome = tuple[int, Json, dict[str, str]]


def _planned(fault: Fault | None) -> Outcome | None:
    if fault is None:
        return None
    if fault.error:
        return 200, {"ok": False, "error": fault.error}, {}
    if fault.kind == "429":
        return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(fault.retry_after)}
    return (500, {"ok": False, "error": "internal_error"}, {}) if fault.kind == "500" else None


def _done(standin: SlackStandIn, method: str, given: Json, who: tuple[str, Installation | None]) -> Outcome:
    try:
        return 200, _answer(standin, method, given, who), {}
    except Refused as refusal:
        return 200, refusal.answer(), {}
    except Slower:
        return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"}


def _answer(standin: SlackStandIn, method: str, given: Json, who: tuple[str, Installation | None]) -> Json:
    token, install = who
    if method not in METHODS:
        raise Refused("unknown_method", req_method=method)
    if not token:
        raise Refused("not_authed")
    if METHODS[method].app_token:
        return _connection(standin, token, install)
    if token == standin.app_token:
        raise Refused("not_allowed_token_type")
    if install is None:
        raise Refused("invalid_auth")
    if install.revoked:
        raise Refused("token_revoked")
    ask = Ask(method, {}, install, standin.workspace)
    if METHODS[method].scopes:
        ask.need(*METHODS[method].scopes)
    return methods.TABLE[method](Ask(method, arguments_of(method, given), install, standin.workspace))


def _connection(standin: SlackStandIn, token: str, install: Installation | None) -> Json:
    if install is not None:
        raise Refused("not_allowed_token_type")
    if token != standin.app_token:
        raise Refused("invalid_auth")
    return {"ok": True, "url": standin.socket.link()}


async def _given(request: Request) -> Json:
    """The arguments as sent: query, then form or JSON on top. The SDK puts many in the query of a POST."""
    given: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError as error:
            raise Refused("invalid_json") from error
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return given | body
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return given | dict(await request.form())
    if await request.body():
        raise Refused("invalid_post_type" if kind else "missing_post_type")
    return given


def _token(request: Request, given: Json) -> str:
    """The bearer token, or the `token` argument, which is taken out of the record."""
    argument = str(given.pop("token", ""))
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else argument
