"""A driver's connection that takes the store's statements without SQLAlchemy in between.

Our statements are plain SQL with `:names`. sqlite3 takes them as they are, for psycopg the names are respelt, once.
SQLAlchemy in between costs several times what the statement does (measured: 0.5 ms of a transaction's 0.7 on SQLite,
two thirds of one on PostgreSQL). This is as much of `sqlalchemy.Connection` as the store uses.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import TextClause
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

Row = tuple[Any, ...]
_NAME = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""As SQLAlchemy finds them."""


class Cursor(Protocol):
    """What both drivers give for a statement."""

    @property
    def rowcount(self) -> int:
        """Rows changed."""
        ...

    @property
    def description(self) -> Any:  # noqa: ANN401 - of its columns, each beginning with the name
        """The columns."""
        ...

    def fetchall(self) -> list[Any]:
        """Every row."""
        ...

    def fetchmany(self, size: int, /) -> list[Any]:
        """So many rows at most."""
        ...

    def fetchone(self) -> Any:  # noqa: ANN401 - a row, or None
        """The next row."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Driver(Protocol):
    """A connection of either."""

    def execute(self, sql: Any, values: Any = ..., /) -> Any:  # noqa: ANN401 - each has its own types
        """Run a statement; its cursor."""
        ...

    def cursor(self) -> Any:  # noqa: ANN401 - each has its own type
        """One that nothing was run on yet."""
        ...


@cache
def respelt(sql: str) -> str:
    """The statement as psycopg wants it: `%(name)s` for `:name`, and percent signs doubled."""
    return _NAME.sub(r"%(\1)s", sql.replace("%", "%%"))


def unchanged(sql: str) -> str:
    """The statement as it is."""
    return sql


class RawResult:
    """The rows of a statement."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        """Rows changed."""
        return self._cursor.rowcount

    def all(self) -> list[Row]:
        """Every row."""
        return self._cursor.fetchall()

    def one_or_none(self) -> Row | None:
        """The row, if there is one; never several."""
        rows = self._cursor.fetchmany(2)
        if len(rows) > 1:
            raise MultipleResultsFound("more than one row")
        return rows[0] if rows else None

    def one(self) -> Row:
        """The row."""
        row = self.one_or_none()
        if row is None:
            raise NoResultFound("no row")
        return row

    def scalar_one(self) -> Any:  # noqa: ANN401 - whatever the column holds
        """The first column of the row."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:  # noqa: ANN401 - whatever the column holds
        """The first column of the row, if there is one."""
        row = self.one_or_none()
        return row[0] if row else None

    def scalar(self) -> Any:  # noqa: ANN401 - whatever the column holds
        """The first column of the first row, if there is one."""
        row = self._cursor.fetchone()
        return row[0] if row else None

    def scalars(self) -> "RawScalars":
        """The first column of every row."""
        return RawScalars([row[0] for row in self._cursor.fetchall()])

    def mappings(self) -> "RawScalars":
        """Every row by the names of its columns."""
        names = [column[0] for column in self._cursor.description]
        return RawScalars([dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()])

    def __iter__(self) -> Iterator[Row]:
        """Every row."""
        return iter(self._cursor.fetchall())

    def close(self) -> None:
        """Let go of the cursor."""
        self._cursor.close()


class RawScalars(list[Any]):
    """A list that answers to `all`, as SQLAlchemy's results do."""

    def all(self) -> list[Any]:
        """Itself."""
        return self


class RawConnection:
    """Executes statements."""

    __slots__ = ("_spell", "driver")

    def __init__(self, driver: Driver, spell: Callable[[str], str] = unchanged) -> None:
        self.driver = driver
        self._spell = spell

    def execute(
        self, statement: TextClause, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> RawResult:
        """Run it, once or for each of the values."""
        sql = self._spell(statement.text)
        if values is None:
            return RawResult(self.driver.execute(sql, {}))
        if isinstance(values, Mapping):
            return RawResult(self.driver.execute(sql, values))
        if len(values) == 1:
            return RawResult(self.driver.execute(sql, values[0]))
        cursor = self.driver.cursor()
        cursor.executemany(sql, values)
        return RawResult(cursor)
