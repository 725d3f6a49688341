"""The pages on a real store, and a browser without scripts: it keeps cookies, and sends forms as HTML says."""

import asyncio
import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from fastapi import FastAPI

from agent.errors import ChannelDown
from agent.events import DecisionRefused
from bot import pages
from bot.personal import Personal
from bot.sign_in import SignIn
from store.sign_ins import SignIns
from tests.desk import SECRETS, Desk, desk_at

NOTHING: Mapping[str, str] = MappingProxyType({})
PUBLIC_URL = "https://agent.example/twokey"


@dataclass
class Letters:
    """Mails that were sent. Satisfies `bot.pages.post.Post`."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    """Address, subject, text."""
    is_down: bool = False

    async def notify(self, address: str, subject: str, text: str, key: str) -> None:
        """Keep it."""
        if self.is_down:
            raise ChannelDown("mail: down")
        self.sent.append((address, subject, text))

    @property
    def code(self) -> str:
        """In the latest."""
        return str(re.findall(r"\*\*(\d{4} \d{4})\*\*", self.sent[-1][2])[0])

    @property
    def path(self) -> str:
        """Of the link in the latest."""
        return str(re.findall(r"<https://agent\.example(/[^>]*)>", self.sent[-1][2])[0])


@dataclass
class Visitor:
    """Somebody with a browser."""

    client: httpx.AsyncClient
    letters: Letters

    async def open(self, link: str) -> httpx.Response:
        """The page behind the link."""
        return await self.client.get(f"/twokey/approvals/{link}")

    async def send(
        self, link: str, page: httpx.Response | None = None, *, typed: Mapping[str, str] = NOTHING, **values: str
    ) -> httpx.Response:
        """The form of the page, filled in; without following where it leads. `typed` is by whole field names."""
        page = page or await self.open(link)
        return await self.client.post(f"/twokey/approvals/{link}", data={**hidden(page), **values, **typed})

    async def confirm(self, link: str) -> None:
        """Make this browser known as the person's whom the link was mailed to."""
        asked = await self.send(link, decision="code")
        assert asked.status_code == 200, asked.text
        done = await self.send(link, asked, decision="confirm", code=self.letters.code)
        assert done.status_code == 303, done.text

    async def sign_in(self, address: str) -> httpx.Response:
        """By a link that is mailed to that address; where it leads."""
        before = len(self.letters.sent)
        await self.ask_for_a_link(address)
        async with asyncio.timeout(5):
            while len(self.letters.sent) == before:
                await asyncio.sleep(0.005)
        return await self.enter(self.letters.path)

    async def ask_for_a_link(self, address: str, **values: str) -> httpx.Response:
        """Have one sent to that address, if it is known."""
        form = await self.client.get("/twokey/inbox/sign-in")
        return await self.client.post("/twokey/inbox/sign-in", data={**hidden(form), "address": address, **values})

    async def enter(self, path: str) -> httpx.Response:
        """Press the button behind a link."""
        return await self.client.post(path, data=hidden(await self.client.get(path)))


async def refusals(desk: Desk, approval_id: str) -> list[DecisionRefused]:
    """Refused attempts that are on record."""
    entries = await desk.threads.entries((await desk.facts(approval_id)).thread_id)
    return [entry.event for entry in entries if isinstance(entry.event, DecisionRefused)]


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the page, the first of each name."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in reversed(found)}


def application(desk: Desk, public_url: str = PUBLIC_URL, letters: Letters | None = None) -> FastAPI:
    """The pages alone, behind a proxy that strips the prefix."""
    inner, outer = FastAPI(), FastAPI()
    rows = SignIns(desk.database, desk.clock)
    sign_in = SignIn(rows, desk.gate.directory, SECRETS, desk.clock, desk.ids, public_url)
    inner.include_router(pages.router(desk.gate, Personal(desk.gate, desk.index), sign_in, letters))
    outer.mount("/twokey", inner)
    return outer


@asynccontextmanager
async def browser_at(desk: Desk, letters: Letters) -> AsyncIterator[Visitor]:
    """A browser that starts without cookies."""
    transport = httpx.ASGITransport(application(desk, letters=letters), client=("203.0.113.7", 4711))
    headers = {"user-agent": "Browser/1.0"}
    async with httpx.AsyncClient(transport=transport, base_url="https://agent.example", headers=headers) as client:
        yield Visitor(client, letters)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A deployment on a new file."""
    async with desk_at(tmp_path) as found:
        yield found


@pytest.fixture
def letters() -> Letters:
    """No mail yet."""
    return Letters()


@pytest.fixture
async def visitor(desk: Desk, letters: Letters) -> AsyncIterator[Visitor]:
    """A browser that nobody knows yet."""
    async with browser_at(desk, letters) as found:
        yield found


@pytest.fixture
async def lee(desk: Desk, letters: Letters) -> AsyncIterator[Visitor]:
    """Another, in which Lee is signed in."""
    async with browser_at(desk, letters) as found:
        assert (await found.sign_in("lee@acme.example")).status_code == 303
        yield found
