"""The whole of Twokey in this process, between the sandbox's Slack (signed requests over HTTP) and a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent.effects import Allow, Ask, Verdict
from agent.events import Event, ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.people import Directory, Person
from approvals.policy import Policy, PolicyFile
from bot.deployment import Agent, Deployment
from bot.service import Service
from bot.settings import Settings
from bot.slack.app import SlackApp
from bot.slack.connection import connected
from bot.wiring import build
from sandbox import cast
from sandbox.serving import serving
from sandbox.slack.scenery import BOT_TOKEN, SIGNING_SECRET
from sandbox.slack.standin import SlackStandIn
from tests.builders import Ledger
from tests.fakes import CountingIds, FakeClock, ScriptedModel, Step
from tests.migrated import sqlite_at
from tests.world import PlainPrompt

SUPPORT = cast.SUPPORT.id
ADA, DANA, LEE = cast.ADA.slack, cast.DANA.slack, cast.LEE.slack
PATIENCE = 15.0
PEOPLE = Directory(
    [
        Person(id="ada", name="Ada Okafor", slack={cast.TEAM: ADA}),
        Person(id="dana", name="Dana Reyes", slack={cast.TEAM: DANA}, roles=("lead", "finance")),
        Person(id="lee", name="Lee Chen", slack={cast.TEAM: LEE}, roles=("finance",)),
    ]
)


class Asking(Policy):
    """Reads run; about everything else the same is asked."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(PolicyFile.model_validate({"rules": []}))
        self.ask = ask

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """What is asked."""
        return Allow("reads") if tool.effect == "read" else self.ask


@dataclass
class House:
    """What a test looks at and acts with."""

    slack: SlackStandIn
    app: SlackApp
    service: Service
    model: ScriptedModel
    ledger: Ledger
    clock: FakeClock

    async def say(self, text: str = "please refund order 1042") -> str:
        """Ada mentions the agent; the ts of her message."""
        said = await self.slack.say(ADA, SUPPORT, text, mention=True)
        assert said.ok
        return said.ts

    async def until(self, what: str, look: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is looked for
        """Wait until it is there, and give it."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := look()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited {PATIENCE:g} s for {what}, in vain") from None
        return found

    def cards(self, user: str = ADA) -> list[dict[str, Any]]:
        """The messages with cards that this person sees, in the channel or their DM."""
        places = [SUPPORT, *(im.id for im in self._ims(user))]
        messages = [each for place in places for each in self.slack.messages(place)]
        return [each for each in messages if "card:" in str(each.get("metadata"))]

    def _ims(self, user: str) -> list[Any]:
        channels = self.slack.workspace.directory.channels.values()
        return [each for each in channels if each.kind == "im" and user in each.members]

    async def card(self, holds: str = "actions", user: str = ADA) -> dict[str, Any]:
        """The latest card, once its blocks hold this text."""

        def look() -> dict[str, Any] | None:
            found = [each for each in self.cards(user) if holds in str(each.get("blocks"))]
            return found[-1] if found else None

        found: dict[str, Any] = await self.until(f"a card with {holds!r}", look)
        return found

    async def click(self, user: str, action: str, value: str | None = None, holds: str = "actions") -> None:
        """On the latest card."""
        card = await self.card(holds, user)
        assert (await self.slack.click(user, card["channel"], card["ts"], action, value)).ok
        await self.app.errands.drain(PATIENCE)

    async def choose(self, user: str, deed: str, approval_id: str = "") -> None:
        """From the menu of the latest card."""
        await self.card(user=user)
        await self.click(user, "approval_more", f"{deed}:{approval_id or self.approval_id(user)}")

    def approval_id(self, user: str = ADA) -> str:
        """Of the latest card."""
        key: str = self.cards(user)[-1]["metadata"]["event_payload"]["key"]
        return key.partition(":")[2]

    async def submit(self, user: str, **values: str) -> None:
        """The modal that is open, filled in: fields by the last word of their names."""
        view = self.slack.open_views(user)[-1]
        blocks = {each["block_id"].split(".")[-1]: each["block_id"] for each in view["blocks"] if "block_id" in each}
        assert (await self.slack.submit(user, view["id"], {blocks[name]: value for name, value in values.items()})).ok
        await self.app.errands.drain(PATIENCE)

    async def dead(self, user: str) -> list[dict[str, Any]]:
        """Their cards, once none of them can be clicked."""
        await self.until("no buttons", lambda: "button" not in str(self.cards(user)))
        return self.cards(user)

    async def shown(self, user: str, count: int) -> None:
        """Wait until they see so many cards."""
        await self.until(f"{count} cards", lambda: len(self.cards(user)) == count)

    async def events(self) -> list[Event]:
        """The log of all threads."""
        ids = {(await self.facts(each)).thread_id for each in await self.service.index.listed(open_only=False)}
        return [entry.event for each in sorted(ids) for entry in await self.service.threads.entries(each)]

    async def facts(self, approval_id: str) -> Any:  # noqa: ANN401 - of an approval
        """What the log says of it."""
        return await self.service.index.facts(approval_id)

    async def home(self, user: str) -> None:
        """Open the Home tab."""
        assert (await self.slack.open_home(user)).ok
        await self.app.errands.drain(PATIENCE)

    def tab(self, user: str) -> dict[str, Any]:
        """The Home tab as it was published last."""
        found = self.slack.workspace.views.home_of(user)
        return {"id": found.id, **found.content} if found else {}


@asynccontextmanager
async def a_house(
    slack: SlackStandIn, folder: Path, ask: Ask, *steps: Step, database: Path | None = None
) -> AsyncIterator[House]:
    """A running process whose model answers these steps and whose policy asks this."""
    settings = Settings.load(
        env_file=None,
        database_url=f"sqlite+aiosqlite:///{database}" if database else sqlite_at(folder / "twokey.db"),
        slack_bot_token=BOT_TOKEN,
        slack_signing_secret=SIGNING_SECRET,
        slack_api_url=f"{slack.workspace.base_url}/api/",
        secret_key="a secret of forty characters for the tests",
        public_url="https://agent.example/twokey",
    )
    ledger, clock, model = Ledger(), FakeClock(), ScriptedModel(list(steps))
    tools = ledger.tools()
    agent = Agent("support", "", "m", PlainPrompt(), {}, tools)  # type: ignore[arg-type]  # a prompt without a file
    deployment = Deployment({"support": agent}, "support", Asking(ask), PEOPLE, tools, {})
    service = build(settings, deployment=deployment, clock=clock, ids=CountingIds(), model=model)
    async with service, connected(service) as app:
        await service.work()

        async def events(request: Request) -> Response:
            return await app.handle(request)

        async with serving(Starlette(routes=[Route("/slack/events", events, methods=["POST"])])) as url:
            slack.use_http(f"{url}/slack/events")
            yield House(slack, app, service, model, ledger, clock)


def asking(**changes: object) -> Ask:
    """Leads are asked in the thread, and by DM where that is said."""
    return replace(Ask("writes", "It changes the world.", Approvers(roles=("lead",)), show_on=("thread",)), **changes)  # type: ignore[arg-type]  # fields of Ask
