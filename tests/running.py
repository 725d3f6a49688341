"""The real agent as its own process in the sandbox: started, stopped, killed and started again by a test."""

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx

from bot import environment
from sandbox.app import Sandbox
from tests.fixtures import ROOT

FILES = ("agents.yaml", "policy.yaml", "people.yaml", "tools", "prompts")
PATIENCE = 30.0


class RunningAgent:
    """One deployment in a folder of its own, and the process that runs it."""

    def __init__(self, sandbox: Sandbox, folder: Path, database: str) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.told = {**sandbox.env(), "DATABASE_URL": database, "PYTHONPATH": str(ROOT)}
        self.log: list[dict[str, object]] = []
        self.process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self, *words: str) -> None:
        """Start it, and wait until it is ready."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            *words,
            cwd=self.folder,
            env=environment.child(self.told),
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        self._reading = asyncio.create_task(self._read())
        await self.until_ready()

    async def until_ready(self) -> None:
        """Wait for a 200 on /readyz."""
        async with httpx.AsyncClient() as client, asyncio.timeout(PATIENCE):
            while self.process is not None and self.process.returncode is None:
                try:
                    if (await client.get(f"{self.sandbox.bot_url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.05)
        raise AssertionError(f"the agent did not start: {self.log[-3:]}")

    async def kill(self) -> None:
        """Pull the plug."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, sign: signal.Signals) -> int:
        assert self.process is not None
        assert self._reading is not None
        if self.process.returncode is None:
            self.process.send_signal(sign)
        async with asyncio.timeout(PATIENCE):
            status = await self.process.wait()
            await self._reading
        return status

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.log.append(json.loads(line))

    def events(self, name: str) -> list[dict[str, object]]:
        """Log lines of that event."""
        return [line for line in self.log if line["event"] == name]

    def refunds(self) -> list[tuple[str, float]]:
        """What the refund tool has really done: the orders system's own record."""
        path = self.folder / "tools" / "orders.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT order_id, cents FROM refunds WHERE idempotency_key NOT LIKE 'seed-%'")
            return [(order_id, cents / 100) for order_id, cents in rows]


@asynccontextmanager
async def an_agent(folder: Path, *, database: str = "", socket_mode: bool = False) -> AsyncIterator[RunningAgent]:
    """A sandbox, and an agent in it that is not started yet."""
    for each in FILES:
        if (ROOT / each).is_dir():
            shutil.copytree(ROOT / each, folder / each, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        else:
            shutil.copy(ROOT / each, folder / each)
    async with Sandbox(socket_mode=socket_mode) as sandbox:
        agent = RunningAgent(sandbox, folder, database or f"sqlite+aiosqlite:///{folder / 'twokey.db'}")
        try:
            yield agent
        finally:
            if agent.process is not None:
                await agent.kill()


async def until(what: str, look: Callable[[], Awaitable[object] | object], patience: float = 15.0) -> object:
    """Wait until it is there, and give it."""
    try:
        async with asyncio.timeout(patience):
            while True:
                found = look()
                if isinstance(found, Awaitable):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"waited {patience:g} s for {what}, in vain") from None
