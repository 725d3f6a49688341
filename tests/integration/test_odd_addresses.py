"""Addresses that nobody was given, asked of the whole web process: nothing breaks, and none leads to another host."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from approvals import token
from bot import web
from bot.settings import Settings
from bot.wiring import build
from tests.migrated import sqlite_at

KEY = "kq7Zr2mWx9Yb4Tn6Vc8Lp1Sd3Fg5Hj0Aa"


@asynccontextmanager
async def a_visitor(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody of people.yaml is signed in."""
    settings = Settings.load(env_file=None, database_url=url, secret_key=KEY, public_url="http://bot")
    service = build(settings, role="web")
    app = web.create(service)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client,
    ):
        person = next(each for each in service.deployment.directory.people if not each.service)
        link = await service.sign_in.link(person)
        assert link is not None
        assert (await client.post(link, data=hidden(await client.get(link)))).status_code == 303
        yield client


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the page, the first of each name."""
    return dict(reversed(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)))


@pytest.mark.parametrize("path", ["/inbox/", "/inbox/sign-in/", "/approvals/", "//evil.example", "/api/grants/"])
async def test_no_address_leads_to_the_host_that_a_request_names(tmp_path: Path, path: str) -> None:
    async with a_visitor(sqlite_at(tmp_path / "twokey.db")) as client:
        answer = await client.get(path, headers={"host": "evil.example"})

        assert "evil.example" not in answer.headers.get("location", "")


async def test_the_inbox_is_there_with_a_slash_at_its_end_as_well(tmp_path: Path) -> None:
    async with a_visitor(sqlite_at(tmp_path / "twokey.db")) as client:
        assert (await client.get("/inbox/")).status_code == 200


async def test_the_address_alone_leads_to_the_inbox(tmp_path: Path) -> None:
    async with a_visitor(sqlite_at(tmp_path / "twokey.db")) as client:
        assert (await client.get("/", headers={"host": "evil.example"})).headers["location"] == "/inbox"


@pytest.mark.postgres
@pytest.mark.parametrize("what", ["%00", "apr_%00", "a%E2%80%AEb", "..%2F..", "apr_x%0D%0AX-A:%20b", "a" * 3000])
async def test_what_can_be_no_id_leads_nowhere_on_postgres_as_well(migrated_postgres_url: str, what: str) -> None:
    async with a_visitor(migrated_postgres_url) as client:
        await client.get("/inbox")
        session = token.unsealed("session", client.cookies["twokey_session"], [KEY])
        csrf = token.csrf_token(client.cookies["twokey_form"], f"{session} inbox", [KEY])

        assert (await client.get(f"/inbox/approvals/{what}")).status_code == 404
        revoked = await client.post(f"/inbox/grants/{what}/revoke", data={"csrf": csrf})
        assert revoked.status_code in {403, 404}
