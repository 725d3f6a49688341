"""Slack's other hosts: response URLs (hooks.slack.com) and files (files.slack.com)."""

import json
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.slack.dropped import DroppedAnswer, hang
from sandbox.slack.refused import Json, Refused
from sandbox.slack.response_urls import answer_with
from sandbox.slack.standin import SlackStandIn

RESPONSE_URL = "response_url"
"""The name of a response URL among calls and faults."""
_STATUS = {"expired_url": 404, "used_url": 404}
_SIGN_IN = "<!DOCTYPE html><title>Sign in | Slack</title><p>Sign in to your workspace</p>"


def routes(standin: SlackStandIn) -> list[Route]:
    """What they serve."""

    async def respond(request: Request) -> Response:
        return await _responded(standin, request)

    async def upload(request: Request) -> Response:
        return await _uploaded(standin, request)

    async def download(request: Request) -> Response:
        return _downloaded(standin, request)

    return [
        Route("/response/{secret}", respond, methods=["POST"]),
        Route("/upload/{file_id}", upload, methods=["POST"]),
        Route("/files-pri/{file_id}/{name}", download, methods=["GET"]),
    ]


async def _responded(standin: SlackStandIn, request: Request) -> Response:
    """A response URL is its own authentication."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return PlainTextResponse("invalid_payload", 400)
    secret = request.path_params["secret"]
    url = standin.workspace.tickets.response_urls.get(secret)
    seq = standin.call_log.begin(RESPONSE_URL, body, url.team_id if url else "", standin.workspace.clock())
    fault = standin.faults.take(RESPONSE_URL)
    if fault is not None and fault.kind == "hang":
        return await hang(request, standin.faults)
    if fault is not None and fault.kind in {"429", "500"}:
        standin.call_log.end(seq, int(fault.kind), {"ok": False})
        return PlainTextResponse("", int(fault.kind), {"Retry-After": str(fault.retry_after)})
    status, answer = _answer(standin, secret, body) if not fault or not fault.error else _refused(Refused(fault.error))
    lost = fault is not None and fault.kind == "lost_answer"
    standin.call_log.end(seq, 0 if lost else status, answer)
    if lost:
        return DroppedAnswer()
    return PlainTextResponse("ok") if answer["ok"] else JSONResponse(answer, status)


def _answer(standin: SlackStandIn, secret: str, body: Json) -> tuple[int, Json]:
    try:
        answer_with(standin.workspace, secret, body)
    except Refused as refusal:
        return _refused(refusal)
    return 200, {"ok": True}


def _refused(refusal: Refused) -> tuple[int, Json]:
    return _STATUS.get(refusal.error, 400), refusal.answer()


async def _uploaded(standin: SlackStandIn, request: Request) -> Response:
    files = standin.workspace.tickets.files
    file = files.get(request.path_params["file_id"])
    content = await request.body()
    if file is None or file.complete or len(content) != file.length:
        return PlainTextResponse("Upload failed", 400)
    files[file.id] = replace(file, content=content)
    return PlainTextResponse(f"OK - {len(content)}")


def _downloaded(standin: SlackStandIn, request: Request) -> Response:
    """Without the right token or scope Slack answers 200 with a sign-in page, not an error."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    installs = standin.workspace.directory.installations.values()
    allowed = any(one.token == token and "files:read" in one.scopes and not one.revoked for one in installs)
    file = standin.workspace.tickets.files.get(request.path_params["file_id"])
    if not allowed:
        return HTMLResponse(_SIGN_IN)
    if file is None or not file.complete:
        return HTMLResponse("<title>File not found</title>", 404)
    return Response(file.content, media_type=file.mimetype)
