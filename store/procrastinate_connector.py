"""How Procrastinate reaches the database: its own connector, made to outlive the database's restarts.

As it ships, its worker ends at the first statement that fails, stops listening for good when the server is away for a
moment (its monitor of such tasks ends with the first that has nothing to do), and forgets a call that arrives while it
fetches. Each would cost a wake-up, or all of them, until somebody looks.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

import psycopg
import structlog
from procrastinate import PsycopgConnector, sql
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncConnectionPool
from pydantic import JsonValue
from sqlalchemy import Connection, text

log = structlog.get_logger()
T = TypeVar("T")

RETRY = 0.25
"""Seconds between two attempts to reach the database."""
FETCH = sql.queries["fetch_job"]
_DEFER = text(
    "SELECT procrastinate_defer_jobs_v1(ARRAY[CAST(ROW(:queue, :task, 0, NULL, NULL, CAST(:args AS jsonb), NULL) "
    "AS procrastinate_job_to_defer_v1)])"
)
"""What its own client sends, which takes no plain connection of ours."""


def defer(connection: Connection, queue: str, task: str, arguments: Mapping[str, JsonValue]) -> None:
    """Have the task done, by whichever worker of that queue, once the running transaction is committed."""
    connection.execute(_DEFER, {"queue": queue, "task": task, "args": json.dumps(arguments)})


class SteadyConnector(PsycopgConnector):
    """Asks again until it is answered, or closed."""

    def __init__(self, connect_args: Mapping[str, Any]) -> None:
        super().__init__()
        self._connect_args = dict(connect_args)
        self._closing = asyncio.Event()
        self._fetching = False
        self._missed: Callable[[], Awaitable[None]] | None = None
        self._telling: set[asyncio.Future[None]] = set()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Its connections, made as they are needed."""
        pool = AsyncConnectionPool(
            kwargs=self._connect_args, min_size=1, max_size=4, timeout=5, reconnect_timeout=1, open=False, name="engine"
        )
        async with pool:
            await self.open_async(pool)
            yield

    def close_soon(self) -> None:
        """From now on what fails, fails."""
        self._closing.set()

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:  # noqa: ANN401 - as the base
        """As the base, patiently."""
        await self._patiently(super().execute_query_async, query, arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as the base
        """As the base, patiently; and what is called while a job is fetched is said again afterwards."""
        if query is not FETCH:
            return await self._patiently(super().execute_query_one_async, query, arguments)
        self._fetching, self._missed = True, None
        try:
            return await self._patiently(super().execute_query_one_async, query, arguments)
        finally:
            self._fetching = False
            if self._missed is not None:
                asyncio.get_running_loop().call_soon(self._tell, self._missed)

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - as the base
        """As the base, patiently."""
        return await self._patiently(super().execute_query_all_async, query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """As the base, for ever."""
        names = list(channels)

        async def heard(*, channel: str, payload: str) -> None:
            if self._fetching:
                self._missed = lambda: on_notification(channel=channel, payload=payload)
            await on_notification(channel=channel, payload=payload)

        while True:
            await self._patiently(super().listen_notify, heard, {"channels": names})

    def _tell(self, missed: Callable[[], Awaitable[None]]) -> None:
        telling = asyncio.ensure_future(missed())
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _patiently(self, ask: Callable[..., Awaitable[T]], what: object, arguments: dict[str, Any]) -> T:
        while True:
            try:
                return await ask(what, **arguments)
            except ConnectorException as error:
                is_away = isinstance(error.__cause__, psycopg.OperationalError | psycopg.InterfaceError)
                if self._closing.is_set() or not is_away:
                    raise
                log.warning("engine.database_away", error_type=type(error.__cause__).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await self._closing.wait()
