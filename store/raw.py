"""A SQLite connection that takes the store's statements without SQLAlchemy in between.

Our statements are plain SQL with `:names`, which sqlite3 takes as they are; SQLAlchemy in between costs several times
what the statement does (measured: 0.5 ms of a transaction's 0.7). This is as much of `sqlalchemy.Connection` as the
store uses, so that the same functions run on PostgreSQL.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

Row = tuple[Any, ...]


class RawResult:
    """The rows of a statement."""

    __slots__ = ("_cursor",)

    def __init__(self, cursor: sqlite3.Cursor) -> None:
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

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(
        self, statement: TextClause, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> RawResult:
        """Run it, once or for each of the values."""
        sql = statement.text
        if values is None:
            return RawResult(self._connection.execute(sql))
        if isinstance(values, Mapping):
            return RawResult(self._connection.execute(sql, values))
        return RawResult(self._connection.executemany(sql, values))
