"""A card in a thread of the sandbox's Slack, and the hands of whoever looks at it."""

from dataclasses import replace
from typing import Any

from agent.conversation import SlackThread
from approvals.card import Card
from bot.slack.app import SlackApp
from bot.slack.inputs import INPUT
from sandbox import cast
from sandbox.slack.standin import SlackStandIn
from tests.integration.slack.doubles import RecordingGate, Shown

SUPPORT = cast.SUPPORT.id
ADA, DANA, LEE = cast.ADA.slack, cast.DANA.slack, cast.LEE.slack
PARAMETERS: dict[str, Any] = {
    "properties": {"order_id": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["order_id", "amount"],
}


class Screen:
    """A card in a thread, and whoever looks at it."""

    def __init__(self, slack: SlackStandIn, app: SlackApp, gate: RecordingGate, root: str, ts: str) -> None:
        self.slack, self.app, self.gate, self.root, self.ts = slack, app, gate, root, ts

    @classmethod
    async def with_card(cls, slack: SlackStandIn, app: SlackApp, gate: RecordingGate, card: Card) -> "Screen":
        gate.shown = Shown(card, {"order_id": "4711", "amount": 49.9}, PARAMETERS)
        said = await slack.say(ADA, SUPPORT, "refund")
        place = SlackThread(team=cast.TEAM, channel=SUPPORT, thread_ts=said.ts)
        receipt = await app.channel.show(place, card, "", fresh=True)
        return cls(slack, app, gate, said.ts, receipt.split(":")[2])

    async def click(self, user: str, action: str) -> None:
        assert (await self.slack.click(user, SUPPORT, self.ts, action)).ok
        await self.app.errands.drain(3)

    async def choose(self, user: str, deed: str, card: Card | None = None) -> None:
        """From the menu of a card, or of one call of a plan."""
        value = f"{deed}:{(card or self.card).approval_id}"
        assert (await self.slack.click(user, SUPPORT, self.ts, "approval_more", value)).ok
        await self.app.errands.drain(3)

    @property
    def card(self) -> Card:
        assert self.gate.shown is not None
        return self.gate.shown.card

    def become(self, **changes: Any) -> None:  # noqa: ANN401 - fields of Card
        """What the log says by now, while the screen has not caught up."""
        assert self.gate.shown is not None
        self.gate.shown = replace(self.gate.shown, card=replace(self.card, **changes))

    def modal(self, user: str) -> dict[str, Any]:
        return self.slack.open_views(user)[-1]

    async def submit(self, user: str, **values: str) -> None:
        view = self.modal(user)
        blocks = {each["block_id"].split(".")[-1]: each["block_id"] for each in view["blocks"] if "block_id" in each}
        given = {blocks[name]: {INPUT: value} for name, value in values.items()}
        assert (await self.slack.submit(user, view["id"], given)).ok
        await self.app.errands.drain(3)
