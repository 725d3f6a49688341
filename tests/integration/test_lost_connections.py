"""Connections that PostgreSQL has cut: noticed when they are used, and used no more."""

import psycopg
import pytest
from sqlalchemy import text

from agent.errors import StoreDown
from store.connect import connect
from store.database import Tx

pytestmark = pytest.mark.postgres

CUT_OTHERS = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()"
)


async def test_a_connection_that_was_cut_while_idle_costs_nobody_anything(postgres_url: str) -> None:
    database, other = connect(postgres_url), connect(postgres_url)
    tried: list[str] = []

    def work(tx: Tx) -> int:
        tried.append("write")
        tx.after_commit.append(lambda: tried.append("told"))
        return int(tx.connection.execute(text("SELECT 1")).scalar_one())

    assert await database.write(work) == 1
    await other.read(lambda c: c.execute(CUT_OTHERS).scalar())
    assert await database.write(work) == 1
    await other.read(lambda c: c.execute(CUT_OTHERS).scalar())
    assert await database.read(lambda c: c.execute(text("SELECT 2")).scalar()) == 2
    assert tried[-1] == "told"
    assert tried.count("told") == 2
    await database.aclose()
    await other.aclose()


async def test_a_transaction_whose_end_is_unknown_is_not_run_again(postgres_url: str) -> None:
    """Cut between its last statement and its commit: whoever asked is told, and may look."""
    database = connect(postgres_url)
    await database.write(lambda tx: tx.connection.execute(text("CREATE TABLE mark (n int)")).close())
    tried: list[str] = []

    def work(tx: Tx) -> None:
        tried.append("insert")
        tx.connection.execute(text("INSERT INTO mark VALUES (1)"))
        with psycopg.connect(postgres_url.replace("postgresql+psycopg", "postgresql")) as other:
            other.execute(CUT_OTHERS.text)

    with pytest.raises(StoreDown):
        await database.write(work)
    assert tried == ["insert"]
    assert await database.read(lambda c: c.execute(text("SELECT count(*) FROM mark")).scalar()) == 0
    await database.aclose()


async def test_a_server_that_is_not_there_is_down(postgres_url: str) -> None:
    database = connect(postgres_url.replace("host=", "host=/nowhere"))
    with pytest.raises(StoreDown):
        await database.read(lambda c: c.execute(text("SELECT 1")).scalar())
    await database.aclose()
