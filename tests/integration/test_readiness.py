"""A process is ready only on a database that is there and as this release needs it; one process works on a file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from agent.errors import ConfigError
from bot import web
from bot.settings import Settings
from bot.wiring import build
from store.connect import connect
from store.lock import exclusive
from tests.migrated import sqlite_at


@asynccontextmanager
async def a_web_role(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Started, and a client of it."""
    app = web.create(build(Settings.load(env_file=None, database_url=url), role="web"))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://bot") as client,
    ):
        yield client


async def change(url: str, statement: str) -> None:
    """Change something behind the product's back."""
    database = connect(url)
    await database.write(lambda tx: tx.connection.execute(text(statement)).close())
    await database.aclose()


@pytest.mark.postgres
@pytest.mark.parametrize(
    "behind",
    [
        "UPDATE alembic_version SET version_num = '0001'",
        "COMMENT ON TABLE procrastinate_jobs IS 'twokey: 03.02.00_50_post_batch_defer_jobs'",
    ],
    ids=["ours", "procrastinates"],
)
async def test_a_process_is_not_ready_while_a_schema_is_behind(migrated_postgres_url: str, behind: str) -> None:
    async with a_web_role(migrated_postgres_url) as client:
        assert (await client.get("/readyz")).json() == {"ready": True, "started": True, "store": True, "schema": True}
        await change(migrated_postgres_url, behind)
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["schema"]) == (503, False)
        assert (await client.get("/healthz")).status_code == 200
    with pytest.raises(ConfigError, match="run: twokey admin migrate"):
        async with a_web_role(migrated_postgres_url):
            pass


async def test_one_process_works_on_a_file(tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "twokey.db")
    first, second = connect(url), connect(url)
    with exclusive(first), pytest.raises(ConfigError, match="another process works on"), exclusive(second):
        pass
    with exclusive(second):
        pass
    await first.aclose()
    await second.aclose()
