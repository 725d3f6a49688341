"""What goes wrong with machines: processes killed and frozen, the database cut off, restarted, locked."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import psycopg

from tests.faults.cluster import Cluster
from tests.faults.machine import Seat
from tests.faults.world import World

Deed = Callable[[], Awaitable[None]]


class Saboteur:
    """Does one harm after another; `deeds` are those that can be done to this world."""

    def __init__(self, world: World, cluster: Cluster | None = None) -> None:
        self.world = world
        self.cluster = cluster
        self.dice = world.trouble.dice
        self.deeds: dict[str, tuple[int, Deed]] = {"kill": (10, self.kill), "freeze": (1, self.freeze)}
        """By name: how likely, and how."""
        if world.machine.timepiece is not None:
            self.deeds["clock"] = (2, self.clock)
        if cluster is None:
            self.deeds["lock"] = (1, self.lock)
        else:
            self.deeds["cut"] = (6, self.cut)
            self.deeds["restart"] = (1, self.restart)
            self.deeds["wake"] = (4, self.wake)

    async def rage(self, pause: float, until: asyncio.Event) -> None:
        """Harm on harm, `pause` seconds apart in the mean, until told to end."""
        weights = [weight for weight, _ in self.deeds.values()]
        running: dict[str, asyncio.Task[None]] = {}
        while not until.is_set():
            await asyncio.sleep(self.dice.expovariate(1 / pause))
            name = self.dice.choices(list(self.deeds), weights)[0]
            if name not in running or running[name].done():
                running[name] = asyncio.create_task(self._do(name), name=name)
        await asyncio.gather(*running.values())

    async def _do(self, name: str) -> None:
        with contextlib.suppress(psycopg.OperationalError):  # another harm was faster
            await self.deeds[name][1]()

    async def kill(self) -> None:
        """Pull the plug of a process; a supervisor starts another."""
        if (seat := self._somebody()) is not None and self.world.machine.kill(seat):
            self._count("kill -9")

    async def freeze(self) -> None:
        """Stop a process for longer than its lease, and let it go on as if nothing had been."""
        seat = self._somebody()
        if seat is None or not self.world.machine.freeze(seat):
            return
        self._count("freeze")
        self.world.has_frozen = True
        await asyncio.sleep(self.world.machine.lease + 0.5)
        self.world.machine.thaw(seat)

    async def lock(self) -> None:
        """Another process holds the file's lock for a while."""
        await asyncio.to_thread(_hold, Path(self.world.database_url.partition("///")[2]), self.dice.uniform(0.3, 2.5))
        self._count("database locked")

    async def clock(self) -> None:
        """The clock of the agent's machine is put forward or back, further than any lease."""
        if (timepiece := self.world.machine.timepiece) is not None:
            timepiece.set(self.dice.uniform(-timepiece.MOST, timepiece.MOST))
            self._count("clock set")

    async def cut(self) -> None:
        """Connections to the database break, whatever they are at."""
        if self.cluster is not None and await asyncio.to_thread(_terminate, self.cluster.conninfo, self.dice.random()):
            self._count("connections cut")

    async def wake(self) -> None:
        """Every thread with something to do is called out three times more, to whichever workers take the calls."""
        if self.cluster is not None and await asyncio.to_thread(_call_out, self.cluster.conninfo):
            self._count("woken again")

    async def restart(self) -> None:
        """The database ends at once, as after a crash, and comes back."""
        if self.cluster is not None:
            await asyncio.to_thread(self.cluster.crash)
            self._count("database restarted")

    def _somebody(self) -> Seat | None:
        living = [seat for seat in self.world.machine.seats if seat.pid and not seat.frozen]
        return self.dice.choice(living) if living else None

    def _count(self, fault: str) -> None:
        self.world.trouble.count[fault] += 1


def _hold(path: Path, seconds: float) -> None:
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("SELECT count(*) FROM thread")
        time.sleep(seconds)
        database.execute("ROLLBACK")


def _terminate(conninfo: str, share: float) -> bool:
    """Cut that share of the connections; whether there were any."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < %s",
            [share],
        ).fetchall()
    return bool(rows)


def _call_out(conninfo: str) -> bool:
    """Defer the engine's job for busy threads; whether there were any."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        done = connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
            "SELECT 'twokey', 'advance', jsonb_build_object('thread_id', id) "
            "FROM thread, generate_series(1, 3) WHERE last_seq > done_seq"
        )
        return done.rowcount > 0
