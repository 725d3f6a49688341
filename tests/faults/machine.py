"""The agent's processes as a test has them in hand: started from the cradle, killed, frozen, stopped and started again.

A fault is counted when it was done to a process that was there.
"""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bot import environment
from sandbox.serving import listen
from tests.faults.timepiece import Timepiece
from tests.fixtures import ROOT

PATIENCE = 30.0
TICK = 0.02


PORTS = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections: a process that starts again must find its own free."""


def own_port() -> int:
    """A port that was free a moment ago."""
    while True:
        with contextlib.suppress(OSError), listen(secrets.choice(PORTS)) as sock:
            return int(sock.getsockname()[1])


@dataclass(eq=False)
class Seat:
    """A place for one process of a role: empty, or taken by the one with that id."""

    role: str
    port: int
    pid: int = 0
    frozen: bool = False
    starts: int = 0
    deaths: list[int] = field(default_factory=list)
    """How each process ended: exit status, or minus the signal."""

    @property
    def url(self) -> str:
        """Where it listens, if its role does."""
        return f"http://127.0.0.1:{self.port}"


class Machine:
    """All processes of one deployment."""

    def __init__(self, folder: Path, told: Mapping[str, str], lease: float, timepiece: Timepiece | None = None) -> None:
        self.folder = folder
        self.timepiece = timepiece
        self._clock = timepiece.env if timepiece else {}
        self.told = {**told, **self._clock}
        self.lease = lease
        self.log = folder / "agent.log"
        self.seats: list[Seat] = []
        self._by_pid: dict[int, Seat] = {}
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._starting = asyncio.Lock()
        self._cradle: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the cradle."""
        self._cradle = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.faults.cradle",
            cwd=ROOT,
            env=environment.child({"PYTHONPATH": str(ROOT), **self._clock}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """End the cradle, and with it whatever still runs."""
        for seat in self.seats:
            self.thaw(seat)
        if self._cradle is not None and self._cradle.stdin is not None and self._reading is not None:
            self._cradle.stdin.close()
            await self._cradle.wait()
            await self._reading

    async def start(self, seat: Seat) -> None:
        """Fill the seat."""
        assert self._cradle is not None
        assert self._cradle.stdin is not None
        env = environment.child({**self.told, "PORT": str(seat.port)})
        order = {"env": env, "cwd": str(self.folder), "role": seat.role, "log": str(self.log), "lease": self.lease}
        async with self._starting:
            self._cradle.stdin.write(json.dumps(order).encode() + b"\n")
            await self._cradle.stdin.drain()
            async with asyncio.timeout(PATIENCE):
                seat.pid = await self._born.get()
        seat.frozen = False
        seat.starts += 1
        self._by_pid[seat.pid] = seat

    async def until_ready(self, seat: Seat) -> None:
        """Wait for a 200 on /readyz; a worker is ready when it runs."""
        if seat.role == "worker":
            return
        async with httpx.AsyncClient() as client, asyncio.timeout(PATIENCE):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{seat.url}/readyz")).status_code == 200:
                        return
                assert seat.pid, f"the agent did not start: {self.tail()}"
                await asyncio.sleep(TICK)

    def kill(self, seat: Seat) -> bool:
        """Pull the plug. Whether there was one to pull."""
        return self._signal(seat, signal.SIGKILL)

    def freeze(self, seat: Seat) -> bool:
        """Stop it in its tracks."""
        seat.frozen = not seat.frozen and self._signal(seat, signal.SIGSTOP)
        return seat.frozen

    def thaw(self, seat: Seat) -> None:
        """Let it go on as if nothing had been."""
        if seat.frozen:
            seat.frozen = False
            self._signal(seat, signal.SIGCONT)

    async def stop(self, seat: Seat) -> int:
        """Ask it to end; its exit status."""
        self.thaw(seat)
        self._signal(seat, signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            while seat.pid:
                await asyncio.sleep(TICK)
        return seat.deaths[-1]

    async def keep_alive(self, pause: float) -> None:
        """Fill every seat that falls empty, as a supervisor does; ends when cancelled."""
        while True:
            for seat in self.seats:
                if not seat.pid:
                    await self.start(seat)
            await asyncio.sleep(pause)

    def tail(self, lines: int = 5) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text().splitlines()[-lines:]) if self.log.exists() else "(no log)"

    def _signal(self, seat: Seat, sign: signal.Signals) -> bool:
        """To a process that is ours and has not been waited for, so that its id is nobody else's."""
        if not seat.pid:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(seat.pid, sign)
            return True
        return False

    async def _read(self) -> None:
        assert self._cradle is not None
        assert self._cradle.stdout is not None
        async for line in self._cradle.stdout:
            said = json.loads(line)
            if isinstance(said, int):
                self._born.put_nowait(said)
                continue
            pid, status = said
            seat = self._by_pid.pop(pid, None)
            if seat is not None:
                seat.deaths.append(status)
                seat.pid = 0
                seat.frozen = False
