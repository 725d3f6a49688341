"""The test server itself: tests that trust it must be able to."""

import psycopg
import pytest
from sqlalchemy import make_url

from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres


def tables(server: PostgresServer, database: str) -> list[str]:
    """The names of the tables in `database`."""
    with psycopg.connect(server.conninfo(database)) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [row[0] for row in rows]


def test_each_database_is_empty_and_apart_from_the_others(postgres_server: PostgresServer) -> None:
    one, other = postgres_server.create(), postgres_server.create()
    with psycopg.connect(postgres_server.conninfo(one)) as connection:
        connection.execute("CREATE TABLE mark (id int)")

    assert tables(postgres_server, one) == ["mark"]
    assert tables(postgres_server, other) == []

    postgres_server.drop(one)
    postgres_server.drop(other)


def test_a_database_is_dropped_under_its_users(postgres_server: PostgresServer) -> None:
    database = postgres_server.create()
    with psycopg.connect(postgres_server.conninfo(database)) as connection:
        postgres_server.drop(database)

        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_the_url_is_one_that_sqlalchemy_understands(postgres_url: str, postgres_server: PostgresServer) -> None:
    url = make_url(postgres_url)

    assert url.drivername == "postgresql+psycopg"
    assert url.database is not None
    assert tables(postgres_server, url.database) == []
