"""Alembic's entry: it runs on the connection that `store.schema` hands it, or on DATABASE_URL's for developers."""

from alembic import context
from sqlmodel import SQLModel

import store.tables  # noqa: F401 - fills the metadata


def run() -> None:
    """Migrate on the given connection, inside the transaction that is already open on it."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=False,
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7420091)")  # two operators at once: one waits
    context.run_migrations()


run()
