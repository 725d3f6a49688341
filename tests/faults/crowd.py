"""The people who decide: they click, click twice, click both at once, reject, edit, answer by mail, or stop the work.

Everybody acts on what is shown to them, after a random while, and again when nothing comes of it.
"""

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import Coroutine
from random import Random
from typing import Any

import httpx

from sandbox import cast
from sandbox.app import Sandbox
from sandbox.mail.letter import Letter
from sandbox.slack.messages import Message
from sandbox.slack.refused import NotPossible

APPROVERS = (cast.DANA, cast.LEE)
CHOICE = re.compile(r"approval_choice_\d+")
PATIENCE = 3.0
"""Seconds until somebody looks at a card again that is still open."""
LATE = 2
"""Looks at the list of open approvals until somebody decides what nobody has."""
Json = dict[str, Any]


class Crowd:
    """All of them."""

    def __init__(self, sandbox: Sandbox, url: str, dice: Random) -> None:
        self.sandbox = sandbox
        self.url = url
        self.dice = dice
        self.deeds: dict[str, int] = {}
        self._acting: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._modals: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._seen: dict[str, int] = {}

    def notice_card(self, message: Message) -> None:
        """A card was shown, or changed."""
        key = (message.channel, message.ts)
        if _buttons(message) and key not in self._acting:
            self._acting.add(key)
            self._start(self._see_to(key))

    def notice_letter(self, letter: Letter) -> None:
        """A mail of the agent's came."""
        if letter.subject.startswith(("Approval wanted:", "Please look:")) and self.dice.random() < 0.4:
            self._start(self._answer(letter))

    def close(self) -> list[asyncio.Task[None]]:
        """Everybody goes home; what they were about to do, to be waited for."""
        for task in self._tasks:
            task.cancel()
        return list(self._tasks)

    async def watch(self) -> None:
        """Somebody goes through the open approvals now and then, decides what is left lying, and stops some work."""
        async with self._client() as client:
            while True:
                await asyncio.sleep(1.0)
                with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
                    await self._go_through((await client.get("/api/approvals")).json()["approvals"], client)

    async def _go_through(self, approvals: list[Json], client: httpx.AsyncClient) -> None:
        for each in approvals:
            looks = self._seen[each["id"]] = self._seen.get(each["id"], 0) + 1
            if looks > LATE or (each["about"] == "call" and self.dice.random() < 0.1):
                await self._decide_over_rest(each, client)
            elif self.dice.random() < 0.01:
                self._did("stopped")
                await client.post(f"/api/threads/{each['thread_id']}/cancel", json={})

    async def _decide_over_rest(self, approval: Json, client: httpx.AsyncClient) -> None:
        body: Json = {"decision": "approve", "digest": approval["digest"]}
        if approval["choices"]:
            body = {"decision": "answer", "text": self.dice.choice(approval["choices"])}
        elif self.dice.random() < 0.2:
            body = {"decision": "reject", "reason": "not today"}
        elif "amount" in approval["arguments"] and self.dice.random() < 0.5:
            body["arguments"] = {**approval["arguments"], "amount": self.dice.randrange(100, 200)}
        self._did(f"rest {body['decision']}")
        await client.post(f"/api/approvals/{approval['id']}/decision", json=body)

    def _client(self) -> httpx.AsyncClient:
        token = f"token-of-{self.dice.choice(APPROVERS).id}"
        return httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {token}"}, timeout=5)

    def _did(self, deed: str) -> None:
        self.deeds[deed] = self.deeds.get(deed, 0) + 1

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- Slack ------------------------------------------------------------------------------------------------------

    async def _see_to(self, key: tuple[str, str]) -> None:
        """Act on a card until it shows no buttons any more."""
        pause = self.dice.random() ** 2
        try:
            while True:
                await asyncio.sleep(pause)
                message = self.sandbox.slack.workspace.messages.get(*key)
                if message is None or not _buttons(message):
                    return
                with contextlib.suppress(NotPossible):  # it changed under their hands
                    await self._act(message, _buttons(message))
                pause = PATIENCE
        finally:
            self._acting.discard(key)

    async def _act(self, message: Message, buttons: list[str]) -> None:
        who = self._who_sees(message)
        if "approval_approve" not in buttons:
            choices = [each for each in buttons if CHOICE.fullmatch(each)]
            if choices:
                self._did("chose")
                await self._click(who, message, self.dice.choice(choices))
            return
        match self.dice.randrange(12):
            case 0 | 1:
                self._did("clicked twice")
                await asyncio.gather(*(self._click(who, message, "approval_approve") for _ in range(2)))
            case 2 | 3:
                self._did("clicked both at once")
                deciding = [self._click(who, message, "approval_approve"), self._look_and_decide(message)]
                await asyncio.gather(*deciding)
            case 4 if not message.channel.startswith("D"):
                self._did("clicked without a right to")
                await self._click(cast.ADA.slack, message, "approval_approve")
            case 5 | 6:
                self._did("rejected")
                await self._reject(who, message)
            case _:
                self._did("clicked")
                await self._click(who, message, "approval_approve")

    async def _click(self, who: str, message: Message, button: str) -> None:
        await self.sandbox.slack.click(who, message.channel, message.ts, button)

    async def _look_and_decide(self, message: Message) -> None:
        approval_id = next(str(b["block_id"]) for b in message.blocks if "approval:" in str(b.get("block_id")))
        with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
            async with self._client() as client:
                answer = await client.get(f"/api/approvals/{approval_id.split(':')[1]}")
                await self._decide_over_rest(answer.json(), client)

    async def _reject(self, who: str, message: Message) -> None:
        async with self._modals[who]:
            await self._click(who, message, "approval_reject")
            for _ in range(40):
                await asyncio.sleep(0.05)
                for view in self.sandbox.slack.open_views(who)[-1:]:
                    await self.sandbox.slack.submit(who, view["id"])
                    self.sandbox.slack.workspace.views.clear(who)
                    return

    def _who_sees(self, message: Message) -> str:
        place = self.sandbox.slack.workspace.directory.channels[message.channel]
        if place.kind == "im":
            return place.user
        return self.dice.choice(APPROVERS).slack

    # --- mail -------------------------------------------------------------------------------------------------------

    async def _answer(self, letter: Letter) -> None:
        await asyncio.sleep(self.dice.random())
        if letter.subject.startswith("Please look:"):
            words = self.dice.choice(("It happened", "Run it again"))
        else:
            words = self.dice.choice(("approve", "approve", "approve", "reject not like this"))
        self._did(f"mailed {words.split()[0]}")
        self.sandbox.mail.reply(letter.mailbox, letter, words)


def _buttons(message: Message) -> list[str]:
    """What could be clicked on a card."""
    elements = [e for block in message.blocks if block.get("type") == "actions" for e in block["elements"]]
    return [
        str(each["action_id"])
        for each in elements
        if str(each.get("action_id")).startswith(("approval_approve", "approval_choice"))
    ]
