"""A page on a real store, and a browser without scripts: it keeps cookies, and sends forms as HTML says."""

import html
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from fastapi import FastAPI

from bot import pages
from tests.desk import SECRETS, Desk, desk_at

NOTHING: Mapping[str, str] = MappingProxyType({})
PUBLIC_URL = "https://agent.example/twokey"


@dataclass
class Visitor:
    """Somebody with a browser."""

    client: httpx.AsyncClient

    async def open(self, link: str) -> httpx.Response:
        """The page behind the link."""
        return await self.client.get(f"/twokey/approvals/{link}")

    async def send(
        self, link: str, page: httpx.Response | None = None, *, typed: Mapping[str, str] = NOTHING, **values: str
    ) -> httpx.Response:
        """The form of the page, filled in; without following where it leads. `typed` is by whole field names."""
        page = page or await self.open(link)
        return await self.client.post(f"/twokey/approvals/{link}", data={**hidden(page), **values, **typed})


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the page's first form."""
    found = re.findall(r'<input type="hidden" name="(csrf|digest)" value="([^"]*)">', page.text)
    return {name: html.unescape(value) for name, value in reversed(found)}


def application(desk: Desk, public_url: str = PUBLIC_URL) -> FastAPI:
    """The pages alone, behind a proxy that strips the prefix."""
    inner, outer = FastAPI(), FastAPI()
    directory = desk.gate.directory
    inner.include_router(pages.router(desk.gate, directory, SECRETS, desk.clock, public_url))
    outer.mount("/twokey", inner)
    return outer


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A deployment on a new file."""
    async with desk_at(tmp_path) as found:
        yield found


@pytest.fixture
async def visitor(desk: Desk) -> AsyncIterator[Visitor]:
    """A browser that starts without cookies."""
    transport = httpx.ASGITransport(application(desk))
    async with httpx.AsyncClient(transport=transport, base_url="https://agent.example") as client:
        yield Visitor(client)
