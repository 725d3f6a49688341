"""A channel that is dead keeps nobody waiting but itself, and says so."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from agent.conversation import MailAddress, MailHeaders, MailThread
from agent.errors import ChannelDown
from agent.events import ApprovalRequested
from agent.ports import Presence, Reply
from agent.verdict import Approvers
from approvals.card import Card
from bot import outbox as module
from bot.cards import Cards
from bot.line import Line
from bot.outbox import Outbox
from tests.builders import AT, PLACE
from tests.world import a_world

LETTERS = MailThread(mailbox="agent@x.example", root="<1@x.example>")
ANYBODY = Approvers(anyone_in_thread=True)
HEADERS = MailHeaders(message_id="<1@x.example>", reply_address="sam@x.example")


def an_approval(name: str) -> ApprovalRequested:
    """A question to whoever is in the thread."""
    until = AT + timedelta(hours=1)
    return ApprovalRequested(
        at=AT, approval_id=name, about="question", title="?", why="w", rule="r", approvers=ANYBODY, expires_at=until
    )


@dataclass
class Hung:
    """Never answers."""

    tried: int = 0

    async def send(self, conversation: object, reply: Reply) -> tuple[str, ...]:
        self.tried += 1
        await asyncio.sleep(3600)
        return ()

    async def show(self, address: object, card: Card, receipt: str, *, fresh: bool) -> str:
        self.tried += 1
        await asyncio.sleep(3600)
        return ""

    async def remind(self, address: object, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        raise AssertionError("nobody is reminded of what they have not been shown")

    async def show_presence(self, conversation: object, presence: Presence) -> None:
        pass


@dataclass
class Lively:
    """Answers at once, and keeps the order."""

    said: list[str] = field(default_factory=list)
    slow: bool = False

    async def send(self, conversation: object, reply: Reply) -> tuple[str, ...]:
        self.said.append(reply.text)
        return ("1.1",)

    async def show(self, address: object, card: Card, receipt: str, *, fresh: bool) -> str:
        if self.slow:  # the first takes the longest
            await asyncio.sleep(0.2 / (1 + len(self.said)))
        self.said.append(card.approval_id)
        return "T:C:1.1"

    async def remind(self, address: object, card: Card, number: int, receipt: str, *, fresh: bool) -> str:
        return ""

    async def show_presence(self, conversation: object, presence: Presence) -> None:
        pass


async def test_while_mail_is_dead_slack_is_spoken_to_and_mail_is_given_up_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "Line", lambda name: Line(name, limit=0.05))
    mail, slack = Hung(), Lively()
    outbox = Outbox({"mail": mail, "slack": slack})
    for number in range(6):
        with pytest.raises(ChannelDown):
            await outbox.send(LETTERS, Reply("thr_1", f"r{number}", "Hello", HEADERS, at=AT))
    assert mail.tried == 3
    await outbox.send(PLACE, Reply("thr_2", "r1", "Hello", at=AT))
    assert slack.said == ["Hello"]


async def test_cards_of_a_dead_channel_hold_up_none_of_another_and_are_shown_in_order(url: str) -> None:
    mail, slack = Hung(), Lively(slow=True)
    everybody = (PLACE, MailAddress(address="dana@x.example", person="dana"))
    async with a_world(url) as world:
        thread = await world.say("Hi")
        await world.until(thread, "reply_sent")
        names = [f"apr_{number}" for number in range(12)]
        requests = [an_approval(each).model_copy(update={"shown_on": everybody}) for each in names]
        await world.threads.inform(thread, requests)
        cards = Cards(world.index, world.gate, Outbox({"mail": mail, "slack": slack}))
        running = asyncio.create_task(cards.run())
        async with asyncio.timeout(10):
            while len(slack.said) < len(names):
                await asyncio.sleep(0.01)
        assert slack.said == names
        assert mail.tried == 1  # one at a time at each place
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
