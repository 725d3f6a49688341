"""A toy agent, so that the sandbox can be tried without the real one: it asks, waits for a click, and answers.

No rigour: one Slack request and one mail request at a time, orders 1042 and 1043 only.
"""

import asyncio
import base64
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import aiosmtplib
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.app import Sandbox
from sandbox.cast import AGENT_ADDRESS, DANA

Json = dict[str, Any]
REPLY_TO = "agent+a.toy@acme.example"
REFUSAL = "Only a support lead or finance may decide this."


def _text(text: str, kind: str = "mrkdwn") -> Json:
    return {"type": kind, "text": text}


def _button(text: str, action: str, style: str = "") -> Json:
    button = {"type": "button", "text": _text(text, "plain_text"), "action_id": action, "value": "apr_1"}
    return {**button, "style": style} if style else button


def card(done: str = "") -> list[Json]:
    """The card, with its buttons or with what was decided."""
    fields = ["*Tool*\n`refund_order`", "*Order*\n1042", "*Amount*\n40.00 EUR", "*Reason*\narrived broken"]
    blocks: list[Json] = [
        {"type": "header", "text": _text("Approval needed: refund order 1042", "plain_text")},
        {"type": "section", "text": _text("Refund 40.00 EUR to Sam Poole for Aurora desk lamp, order 1042.")},
        {"type": "section", "fields": [_text(one) for one in fields]},
        {"type": "context", "elements": [_text(done or "Asked by <@U0ADA> · A refund cannot be taken back.")]},
    ]
    if done:
        return blocks
    buttons = [
        _button("Approve", "approve", "primary"),
        _button("Edit…", "edit"),
        _button("Reject…", "reject", "danger"),
    ]
    return [*blocks, {"type": "actions", "block_id": "approval", "elements": buttons}]


def _options(*names: str) -> list[Json]:
    return [{"text": _text(name, "plain_text"), "value": name} for name in names]


_AMOUNT = {"type": "number_input", "is_decimal_allowed": True, "initial_value": "40.00", "min_value": "0.01"}
_INPUTS: dict[str, list[tuple[str, str, Json]]] = {
    "edit": [
        ("amount", "Amount", _AMOUNT),
        ("why", "Kind", {"type": "static_select", "options": _options("broken", "late")}),
        ("reason", "Reason", {"type": "plain_text_input", "multiline": True, "initial_value": "arrived broken"}),
        ("tell", "Notify", {"type": "checkboxes", "options": _options("Tell the customer")}),
        ("how", "How", {"type": "radio_buttons", "options": _options("Card", "Voucher")}),
    ],
    "reject": [("reason", "Why not?", {"type": "plain_text_input", "multiline": True})],
}


def window(kind: str) -> Json:
    """The modal to edit the call or to give a reason."""
    blocks = [
        {
            "type": "input",
            "block_id": name,
            "label": _text(label, "plain_text"),
            "element": {**element, "action_id": "v"},
            "optional": name in {"tell", "how", "why"},
        }
        for name, label, element in _INPUTS[kind]
    ]
    title = _text("Edit and approve" if kind == "edit" else "Reject", "plain_text")
    return {"type": "modal", "callback_id": kind, "title": title, "submit": title, "blocks": blocks}


@dataclass
class ToyBot:
    """Serve `app` on the sandbox's bot port. `refunds` is its orders table."""

    sandbox: Sandbox
    refunds: list[tuple[str, float]] = field(default_factory=list)
    place: tuple[str, str] = ("", "")
    card_ts: str = ""
    mailed: EmailMessage | None = None
    spied: list[str] = field(default_factory=list)
    """What the images in its mails were fetched from. A mail client that minds its reader fetches none."""
    answers: int = 1
    """How many replies it gives to one request. More than one is a mistake that somebody should notice."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def app(self) -> Starlette:
        """What to serve."""
        return Starlette(
            routes=[
                Route("/slack/events", self._slack, methods=["POST"]),
                Route("/email/inbound/raw", self._mail, methods=["POST"]),
                Route("/spy.png", self._spy),
            ]
        )

    def log(self, event: str, level: str = "info", **more: object) -> None:
        """One line, as the real agent writes them."""
        line = {"timestamp": "2026-11-25T10:00:00Z", "level": level, "event": event, "thread": "thr_toy", **more}
        self.sandbox.feed_log(json.dumps(line))

    async def call(self, method: str, **body: object) -> Json:
        """A Web API call; a refusal is an error."""
        env = self.sandbox.env()
        headers = {"authorization": f"Bearer {env['SLACK_BOT_TOKEN']}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(env["SLACK_API_URL"] + method, json=body, headers=headers) as got,
        ):
            answer: Json = await got.json()
        if not answer["ok"]:
            raise AssertionError(f"{method}: {answer}")
        return answer

    async def _spy(self, request: Request) -> Response:
        self.spied.append(str(request.url))
        return Response(status_code=404)

    async def _slack(self, request: Request) -> Response:
        body = await request.body()
        if body.startswith(b"payload="):
            return await self._interaction(json.loads(parse_qs(body.decode())["payload"][0]))
        event = json.loads(body)["event"]
        if event["type"] == "app_mention":
            self._later(self._asked(event))
        return Response()

    async def _mail(self, request: Request) -> Response:
        raw = base64.b64decode(json.loads(await request.body())["raw_b64"])
        self._later(self._mailed(message_from_bytes(raw, policy=policy.default)))
        return Response()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _post(self, text: str, blocks: list[Json]) -> str:
        channel, root = self.place
        answer = await self.call("chat.postMessage", channel=channel, thread_ts=root, text=text, blocks=blocks)
        return str(answer["ts"])

    async def _asked(self, event: Json) -> None:
        self.place = (event["channel"], event.get("thread_ts") or event["ts"])
        self.log("message_received", channel="slack", person="ada")
        where = {"channel_id": self.place[0], "thread_ts": self.place[1]}
        await self.call("assistant.threads.setStatus", **where, status="is looking up order 1042…")
        await asyncio.sleep(0.1)
        self.card_ts = await self._post("Approval needed: refund order 1042", card())
        await self.call("assistant.threads.setStatus", **where, status="")
        self.log("approval_requested", tool="refund_order", approval="apr_1", approvers=["dana", "lee"])

    async def _interaction(self, payload: Json) -> Response:
        if payload["type"] == "view_submission":
            return self._submitted(payload)
        action, user = payload["actions"][0]["action_id"], payload["user"]["id"]
        channel, root = self.place
        if user != DANA.slack:
            self.log("decision_refused", level="error", person=user, approval="apr_1")
            await self.call("chat.postEphemeral", channel=channel, thread_ts=root, user=user, text=REFUSAL)
        elif action == "approve":
            self._later(self._settle(f"Approved by <@{user}>", "Done: I refunded **40.00 EUR** to Sam Poole.", 40.0))
        else:
            await self.call("views.open", trigger_id=payload["trigger_id"], view=window(action))
        return Response()

    def _submitted(self, payload: Json) -> Response:
        values, kind = payload["view"]["state"]["values"], payload["view"]["callback_id"]
        if kind == "reject":
            why = values["reason"]["v"]["value"]
            self._later(self._settle("Rejected by <@U0DANA>", f"It was not approved: {why}.", 0))
            return Response()
        amount = float(values["amount"]["v"]["value"])
        if amount > 40:
            errors = {"amount": "At most 40.00 EUR of order 1042 can be refunded."}
            return JSONResponse({"response_action": "errors", "errors": errors})
        words = f"Done: I refunded **{amount:.2f} EUR** to Sam Poole."
        self._later(self._settle("Approved with changes by <@U0DANA>", words, amount))
        return Response()

    async def _settle(self, done: str, words: str, amount: float) -> None:
        await self.call("chat.update", channel=self.place[0], ts=self.card_ts, text=done, blocks=card(done))
        self.log("approval_decided", approval="apr_1", outcome=done.split(maxsplit=1)[0].lower(), via="slack")
        if amount:
            self.refunds.append(("1042", amount))
        for _ in range(self.answers):
            await self._post(words, [{"type": "markdown", "text": words}])
        self.log("reply_sent", channel="slack")

    async def _mailed(self, message: EmailMessage) -> None:
        self.log("mail_received", sender=str(message["From"]))
        body = message.get_body(("plain",))
        first = str(body.get_content()).strip().splitlines()[0] if body else ""
        if first == "approve" and self.mailed is not None:
            self.refunds.append(("1043", 189.5))
            await self._send(str(self.mailed["From"]), f"Re: {self.mailed['Subject']}", "Done: I refunded 189.50 EUR.")
            return
        self.mailed = message
        ask = "May I refund 189.50 EUR for order 1043?\n\nThe first line of your answer decides: approve, or reject …"
        await self._send(DANA.email, "Approval needed: refund order 1043", ask, REPLY_TO)

    async def _send(self, to: str, subject: str, text: str, reply_to: str = "") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"Twokey <{AGENT_ADDRESS}>", to, subject
        message["Date"], message["Message-ID"] = "Wed, 25 Nov 2026 10:00:00 +0000", f"<{id(message)}@acme.example>"
        if reply_to:
            message["Reply-To"] = reply_to
        message.set_content(text)
        image = f"<img src='{self.sandbox.bot_url}/spy.png'><script>parent.document.title='owned'</script>"
        message.add_alternative(f"<p>{text.replace(chr(10), '<br>')}</p>{image}", subtype="html")
        port = int(self.sandbox.env()["SMTP_URL"].rpartition(":")[2])
        await aiosmtplib.send(message, hostname="127.0.0.1", port=port, start_tls=False)
        self.log("mail_sent", to=to)
