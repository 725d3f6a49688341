"""Procrastinate's own tables in our database: made and upgraded together with ours, and known not to be ours.

It ships its schema as SQL and keeps no record of what was applied, so we keep one: a comment on its jobs table that
names the newest of its migrations. The rows are disposable: what is due is what our own tables say is due.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, text

from agent.errors import ConfigError

LOCK = 7420091
"""The advisory lock under which a schema is changed."""
_MARK = "twokey: "
_COMMENT = text(
    "SELECT obj_description(to_regclass('procrastinate_jobs')), to_regclass('procrastinate_jobs') IS NOT NULL"
)
_REMOVE = """
DO $$ DECLARE it record; BEGIN
  FOR it IN SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE 'procrastinate\\_%'
    AND pg_table_is_visible(oid) LOOP EXECUTE 'DROP TABLE ' || it.name || ' CASCADE'; END LOOP;
  FOR it IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'procrastinate\\_%'
    AND pg_function_is_visible(oid) LOOP EXECUTE 'DROP FUNCTION ' || it.name || ' CASCADE'; END LOOP;
  FOR it IN SELECT oid::regtype AS name FROM pg_type WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c')
    AND pg_type_is_visible(oid) LOOP EXECUTE 'DROP TYPE ' || it.name || ' CASCADE'; END LOOP;
END $$
"""


def is_ours(name: str | None, kind: str, _: object = None) -> bool:
    """For Alembic's `include_name`: whether its autogenerate may have an opinion on it."""
    return kind != "table" or not (name or "").startswith("procrastinate_")


def is_current(connection: Connection) -> bool:
    """Whether the database has what the installed Procrastinate needs; more than that does no harm."""
    applied, _ = _applied(connection)
    return applied >= _steps()[-1].stem


def install(connection: Connection) -> None:
    """Make its tables, unless we have before. Raises ConfigError when there are some that are not our doing."""
    applied, exists = _applied(connection)
    if applied:
        return
    if exists:
        raise ConfigError(
            "DATABASE_URL: has tables named procrastinate_… that Twokey did not make; give Twokey a database of its own"
        )
    _apply(connection, _folder() / "schema.sql", _steps()[-1].stem)


def step(connection: Connection) -> bool:
    """Apply the next of its migrations that is missing; False when none is. Each in a transaction of its own: some use
    what the one before has added to a type, which PostgreSQL allows only once that is committed."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")  # two operators at once: one waits
    applied, _ = _applied(connection)
    missing = [each for each in _steps() if each.stem > applied]
    if missing:
        _apply(connection, missing[0], missing[0].stem)
    return bool(missing)


def _apply(connection: Connection, script: Path, name: str) -> None:
    plain = connection.execution_options(no_parameters=True)  # several statements at once, and percent signs in them
    plain.exec_driver_sql(script.read_text(encoding="utf-8"))
    plain.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{_MARK}{name}'")


def remove(connection: Connection) -> None:
    """Drop all of it."""
    connection.execution_options(no_parameters=True).exec_driver_sql(_REMOVE)


def _applied(connection: Connection) -> tuple[str, bool]:
    """The newest migration that was applied, by our record; and whether the tables are there at all."""
    comment, exists = connection.execute(_COMMENT).one()
    return (comment or "").removeprefix(_MARK) if (comment or "").startswith(_MARK) else "", exists


@cache
def _steps() -> list[Path]:
    return sorted((_folder() / "migrations").glob("*.sql"))


def _folder() -> Path:
    found = find_spec("procrastinate")
    assert found is not None  # noqa: S101 - `store.connect` has looked
    assert found.origin is not None  # noqa: S101 - a package has a file
    return Path(found.origin).parent / "sql"
