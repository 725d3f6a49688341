"""A deployment of the agent in a sandbox full of trouble: its processes, its people, what is said to it, and a record.

`a_world` gives one on a database; `talk` lets people write to it; `at_rest` waits until all is done; `evidence` is then
what the checker judges. Everything random comes from one seed, save what real processes do.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bot import shell
from bot.settings import Settings
from sandbox import cast
from sandbox.app import Ports, Sandbox
from sandbox.clock import now
from sandbox.slack.directory import Channel
from sandbox.slack.http import HttpOutlet
from tests.faults import checker
from tests.faults.chaos import Meddler, SlackTrouble, SmtpTrouble, Trouble, troubled_model
from tests.faults.crowd import Crowd
from tests.faults.evidence import Evidence, gathered, left_to_do, stalled
from tests.faults.machine import Machine, Seat, own_port
from tests.faults.record import Record
from tests.faults.stories import Story, stories
from tests.faults.timepiece import Timepiece

DEPLOYMENT = Path(__file__).with_name("deployment")
ROOMS = 12
SOONER = 0.02
"""Slack's pauses between retries, shortened to this part."""
Roles = tuple[str, ...]
ALONE: Roles = ("all",)
TOGETHER: Roles = ("web", "web", "worker", "worker", "worker")


def dice(seed: float) -> Random:
    """Chance that can be had again."""
    return Random(seed)  # noqa: S311 - no secrets are made of it


@dataclass
class World:
    """All of it, running."""

    sandbox: Sandbox
    machine: Machine
    trouble: Trouble
    record: Record
    crowd: Crowd
    dice: Random
    database_url: str
    letters: list[tuple[str, str]] = field(default_factory=list)
    said: int = 0
    unanswered: int = 0
    has_frozen: bool = False
    revived: int = 0

    def __post_init__(self) -> None:
        self._stories = stories(dice(self.dice.random()))
        self._rooms = itertools.cycle(f"C0ROOM{number}" for number in range(ROOMS))

    # --- what people say --------------------------------------------------------------------------------------------

    async def talk(self, at_once: int, until: asyncio.Event) -> None:
        """So many conversations side by side, each followed by another, until told to end."""

        async def one_after_another() -> None:
            while not until.is_set():
                await self.conversation()

        await asyncio.gather(*(one_after_another() for _ in range(at_once)))

    async def conversations(self, count: int, at_once: int = 8) -> None:
        """So many conversations, and no more."""
        room = asyncio.Semaphore(at_once)

        async def one() -> None:
            async with room:
                await self.conversation()

        await asyncio.gather(*(one() for _ in range(count)))

    async def conversation(self, patience: float = 6.0) -> None:
        """Somebody asks, waits for the answer, and perhaps asks once more."""
        match self.dice.randrange(6):
            case 0 | 1:
                await self._by_mail(patience)
            case 2:
                await self._in_person(patience)
            case _:
                await self._in_a_room(patience)

    async def _in_a_room(self, patience: float) -> None:
        story, room, slack = self._next(), next(self._rooms), self.sandbox.slack
        said = await slack.say(cast.ADA.slack, room, story.text, mention=True)
        if await self._answer(story, patience) and self.dice.random() < 0.4:
            more = self._next()
            await slack.say(cast.ADA.slack, room, more.text, thread_ts=said.ts, mention=self.dice.random() < 0.5)
            await self._answer(more, patience)

    async def _in_person(self, patience: float) -> None:
        story = self._next()
        await self.sandbox.slack.dm(cast.ADA.slack, story.text)
        await self._answer(story, patience)

    async def _by_mail(self, patience: float) -> None:
        story, mail = self._next(), self.sandbox.mail
        letter = mail.send(cast.ADA.email, cast.AGENT_ADDRESS, f"About {story.mark}", story.text)
        self.letters.append((letter.message_id, story.mark))
        self._repeat_mail()
        await self._answer(story, patience)

    def _repeat_mail(self) -> None:
        """The provider is not sure whether it handed a mail over."""
        if self.trouble.strikes():
            deliveries = list(self.sandbox.mail._posted)
            self.trouble.count["inbound mail repeated"] += 1
            self.sandbox.mail.redeliver(self.dice.choice(deliveries[-20:]))

    def _next(self) -> Story:
        self.said += 1
        return next(self._stories)

    async def _answer(self, story: Story, patience: float) -> bool:
        answered = await self.record.wait_for(story.mark, patience)
        self.unanswered += not answered
        return answered

    # --- the end ----------------------------------------------------------------------------------------------------

    async def at_rest(self, patience: float = 30.0) -> None:
        """Wait until nobody has anything to do, or nothing has moved for so long; what is left the checker says."""
        self.trouble.is_calm = True
        if self.machine.timepiece is not None:
            self.machine.timepiece.set_late()
        moved, moved_at = -1, now()
        while now() < moved_at + patience:
            await self._revive()
            left, events = await asyncio.to_thread(left_to_do, self.database_url)
            if not left and self._is_all_said():
                return
            if events != moved:
                moved, moved_at = events, now()
            await asyncio.sleep(0.3)

    async def _revive(self) -> None:
        """What an operator does about threads that were parked, once the trouble is over."""
        for thread_id in await asyncio.to_thread(stalled, self.database_url):
            settings = Settings.load(None, database_url=self.database_url, config_dir=self.machine.folder)
            await shell.on_store(settings, lambda desk, parked=thread_id: desk.revive(parked))  # type: ignore[misc]  # mypy cannot infer it
            self.revived += 1

    def _is_all_said(self) -> bool:
        """Slack and the mail provider have given over, or given up, whatever was said."""
        return not self.sandbox.slack.post._tasks and all(each.done for each in self.sandbox.mail.deliveries())

    async def evidence(self) -> Evidence:
        """What is left of the run."""
        ledger = self.machine.folder / "tools" / "ledger.jsonl"
        return await gathered(self.database_url, ledger, self.record, self.letters, has_frozen=self.has_frozen)

    async def check(self) -> Evidence:
        """Wait for rest, and hold what is left against every invariant."""
        await self.at_rest()
        evidence = await self.evidence()
        found = checker.judge(evidence)
        assert not found, "\n".join(f"{name}: {each}" for name, problems in found.items() for each in problems)
        return evidence


@asynccontextmanager
async def a_world(  # noqa: PLR0913 - each is one thing that may be wrong
    folder: Path,
    database_url: str,
    *,
    seed: int,
    chance: float = 0.0,
    roles: Roles = ALONE,
    lease: float = 5.0,
    timepiece: Timepiece | None = None,
) -> AsyncIterator[World]:
    """The world, its processes started and ready. `chance` is that of trouble at each port, each time; `timepiece` is
    the clock that its processes go by, if it is not the right time."""
    shutil.copytree(DEPLOYMENT, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.jsonl"))
    trouble = Trouble(dice(seed + 1), chance)
    sandbox = _sandbox(trouble)
    async with sandbox:
        told = {**sandbox.env(), "DATABASE_URL": database_url, "MODEL_TIMEOUT": "2", "HUMAN_APPROVAL_TIMEOUT": "3600"}
        machine = Machine(folder, told, lease, timepiece)
        machine.seats = _seats(roles, sandbox.bot_port)
        record, crowd = Record(sandbox), Crowd(sandbox, sandbox.bot_url, dice(seed + 2))
        record.on_card, record.on_letter = crowd.notice_card, crowd.notice_letter
        _meddle(sandbox, machine, trouble)
        world = World(sandbox, machine, trouble, record, crowd, dice(seed), database_url)
        await machine.open()
        tasks: list[asyncio.Task[Any]] = []
        try:
            for seat in machine.seats:
                await machine.start(seat)
                await machine.until_ready(seat)
            work: list[Coroutine[Any, Any, None]] = [record.follow(), crowd.watch(), machine.keep_alive(0.05)]
            tasks = [asyncio.create_task(each) for each in work]
            yield world
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *crowd.close(), return_exceptions=True)
            await machine.close()


def _sandbox(trouble: Trouble) -> Sandbox:
    sandbox = Sandbox(Ports(bot=own_port()))
    slack = sandbox.slack
    slack.faults = SlackTrouble(trouble)
    slack.mention_order = "together"
    slack.post._scale = SOONER
    sandbox.model.app = troubled_model(sandbox.model.app, trouble)  # type: ignore[assignment]  # any ASGI app will do
    sandbox.mail._smtp.faults = SmtpTrouble(trouble)
    everybody = frozenset({cast.ADA.slack, cast.DANA.slack, cast.LEE.slack, cast.BOT_USER})
    for number in range(ROOMS):
        slack.add_channel(Channel(f"C0ROOM{number}", f"room-{number}", cast.TEAM, members=everybody))
    return sandbox


def _seats(roles: Roles, port: int) -> list[Seat]:
    """The first that listens does so where the sandbox expects it."""
    seats: list[Seat] = []
    for role in roles:
        is_first = not any(each.role != "worker" for each in seats)
        seats.append(Seat(role, port if role != "worker" and is_first else own_port()))
    return seats


def _meddle(sandbox: Sandbox, machine: Machine, trouble: Trouble) -> None:
    urls = [f"{seat.url}/slack/events" for seat in machine.seats if seat.role != "worker"]
    secret = sandbox.slack.signing_secret
    sandbox.slack.post.use(Meddler(trouble, [HttpOutlet(url, secret, now) for url in urls]))
