"""REST on a real store, and a caller with a token."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot import api
from tests.desk import Desk, desk_at


@dataclass
class Caller:
    """Somebody, or something, with a token."""

    client: httpx.AsyncClient
    name: str

    async def get(self, path: str) -> httpx.Response:
        """Look."""
        return await self.client.get(f"/api{path}", headers=self.headers)

    async def post(self, path: str, content: object = None, key: str = "") -> httpx.Response:
        """Do."""
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return await self.client.post(f"/api{path}", json=content, headers=headers)

    @property
    def headers(self) -> dict[str, str]:
        """With the token."""
        return {"Authorization": f"Bearer token-of-{self.name}"} if self.name else {}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A deployment on a new file."""
    async with desk_at(tmp_path) as found:
        yield found


def application_of(desk: Desk) -> FastAPI:
    """REST alone."""
    app = FastAPI()
    agents = ("support", "billing")
    app.include_router(
        api.router(desk.gate, desk.index, desk.threads, desk.inbox, desk.gate.directory, desk.ids, agents=agents)
    )
    return app


@pytest.fixture
def application(desk: Desk) -> FastAPI:
    """REST over that deployment."""
    return application_of(desk)


@pytest.fixture
async def client(application: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A connection without a token."""
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent.example") as found:
        yield found


@pytest.fixture
def lee(client: httpx.AsyncClient) -> Caller:
    """May decide."""
    return Caller(client, "lee")


@pytest.fixture
def ada(client: httpx.AsyncClient) -> Caller:
    """May not decide."""
    return Caller(client, "ada")


@pytest.fixture
def crm(client: httpx.AsyncClient) -> Caller:
    """A service with the role that decides."""
    return Caller(client, "crm")


def problem(response: httpx.Response) -> dict[str, Any]:
    """What went wrong, in the one shape that all errors have."""
    content: dict[str, dict[str, Any]] = response.json()
    assert list(content) == ["error"], content
    assert {"code", "message"} <= content["error"].keys() <= {"code", "message", "fields"}
    return content["error"]
