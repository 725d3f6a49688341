"""Alembic's entry: it runs on the connection that `store.schema` hands it.

The tables themselves (`store.tables`) are needed only to compare them with the migrations, as a test does: importing
SQLModel for an upgrade would make every first start slower.
"""

from alembic import context

from store.procrastinate_schema import LOCK, is_ours


def run() -> None:
    """Migrate on the given connection, inside the transaction that is already open on it."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("metadata"),
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=False,
        include_name=is_ours,
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")  # two operators at once: one waits
    context.run_migrations()


run()
