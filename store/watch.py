"""A connection to PostgreSQL of one's own, kept open.

It hears what is called out on a channel when a transaction commits, and it holds the lock that elects one process among
many. Both belong to the session: the server must be reached directly, not through a pooler that hands sessions round.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, InterfaceError, OperationalError
from psycopg.sql import SQL, Identifier

from agent.errors import StoreDown
from store.database import Database

ELECTION = 7420092
"""The advisory lock of the one that sweeps."""


class Watch:
    """An open one."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._is_elected = False

    @classmethod
    @asynccontextmanager
    async def opened(cls, database: Database, channel: str) -> "AsyncIterator[Watch]":
        """One that hears the channel. Raises StoreDown, also when it breaks."""
        try:
            async with await AsyncConnection.connect(**database.connect_args, autocommit=True) as connection:
                await connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
                yield cls(connection)
        except (OperationalError, InterfaceError, OSError) as error:
            raise StoreDown(f"the database cannot be used: {type(error).__name__}") from error

    async def is_elected(self) -> bool:
        """Whether this is the one; so from the moment on that it is until it closes."""
        if not self._is_elected:
            cursor = await self._connection.execute("SELECT pg_try_advisory_lock(%s)", [ELECTION])
            row = await cursor.fetchone()
            self._is_elected = row is not None and bool(row[0])
        return self._is_elected

    async def calls(self, seconds: float) -> AsyncGenerator[None]:
        """Each call that is heard in the next so many seconds, and those since the last time."""
        async for _ in self._connection.notifies(timeout=seconds):
            yield
