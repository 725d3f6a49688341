"""What the outside saw, kept while a run lasts: every message of the agent's on Slack, every mail, and who waits for
which words. The sandbox itself forgets old mail."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import URLSafeSerializer

from sandbox.app import Sandbox
from sandbox.cast import AGENT_ADDRESS, BOT_USER
from sandbox.mail.letter import Letter
from sandbox.slack.messages import Message
from tests.faults.stories import MARK

LINK = re.compile(r"/approvals/([\w.-]+)")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail of the agent's, as it lay in a mailbox."""

    mailbox: str
    message_id: str
    approval: str
    """Which approval it asks about, by the link in it; empty when it asks nothing."""
    subject: str
    mark: str


@dataclass
class Record:
    """Follows the sandbox. `on_card` and `on_mail` are told of whatever people may want to act on."""

    sandbox: Sandbox
    on_card: Callable[[Message], None] = lambda _message: None
    on_letter: Callable[[Letter], None] = lambda _letter: None
    mails: list[Mail] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    _waiting: dict[str, asyncio.Event] = field(default_factory=dict)

    async def follow(self) -> None:
        """Keep the record; ends when cancelled."""
        await asyncio.gather(self._follow_slack(), self._follow_mail())

    async def wait_for(self, mark: str, patience: float) -> bool:
        """Whether the answer to the message with that mark came in time."""
        waiting = self._waiting.setdefault(mark, asyncio.Event())
        try:
            async with asyncio.timeout(0 if mark in self.answered else patience):
                await waiting.wait()
        except TimeoutError:
            return mark in self.answered
        return True

    def _answer(self, words: str) -> str:
        """The mark that these words answer."""
        found = MARK.search(words) if "done q" in words else None
        if found is None:
            return ""
        self.answered.add(found[0])
        if (waiting := self._waiting.pop(found[0], None)) is not None:
            waiting.set()
        return found[0]

    async def _follow_slack(self) -> None:
        reader = self.sandbox.slack.changes()
        async for change in reader:
            if change["kind"] != "message":
                continue
            message = self.sandbox.slack.workspace.messages.get(change["channel"], change["ts"])
            if message is None or message.user != BOT_USER:
                continue
            self._answer(words_of(message))
            if any(str(block.get("block_id", "")).startswith("approval:") for block in message.blocks):
                self.on_card(message)

    async def _follow_mail(self) -> None:
        async for change in self.sandbox.mail.changes():
            if not isinstance(change, Letter) or change.folder != "inbox":
                continue
            sender = str(change.message["From"] or "")
            if AGENT_ADDRESS not in sender:
                continue
            mark = self._answer(change.text)
            self.mails.append(Mail(change.mailbox, change.message_id, _approval(change.text), change.subject, mark))
            self.on_letter(change)


def _approval(words: str) -> str:
    """The approval that the link in a mail leads to. Anybody can read what is signed."""
    found = LINK.search(words)
    if found is None:
        return ""
    _, claim = URLSafeSerializer("any key will do to read").loads_unsafe(found[1])
    return str(claim[0])


def words_of(message: Message) -> str:
    """All that a message says, in whatever form."""
    texts: list[str] = [message.text]

    def collect(value: Any) -> None:  # noqa: ANN401 - any JSON value
        if isinstance(value, dict):
            for name, each in value.items():
                collect(each) if name != "text" or not isinstance(each, str) else texts.append(each)
        elif isinstance(value, list | tuple):
            for each in value:
                collect(each)

    collect(message.blocks)
    return "\n".join(texts)
