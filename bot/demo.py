"""`twokey demo`: the real agent, as its own process, in a sandbox that plays Slack, mail and the model.

The agent gets a copy of the deployment in a folder of its own and is told everything by its environment, as in earnest.
The sandbox and the agent speak over the wire only.
"""

import asyncio
import contextlib
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from agent.errors import ConfigError
from bot import environment
from bot.settings import Settings
from sandbox.app import Ports, RealModel, Sandbox
from sandbox.scenario import ScenarioFailed, run_scenario

FILES = ("agents.yaml", "policy.yaml", "people.yaml", "tools", "prompts")
START_LIMIT = 30.0
STOP_LIMIT = 15.0


async def interactive(port: int) -> bool:
    """Start it all, say where to look, and go on until interrupted."""
    real = environment.ModelSettings(_env_file=".env").told()
    name = RealModel(real.get("OPENAI_MODEL") or str(Settings.model_fields["openai_model"].default)) if real else None
    async with _stage(Ports(page=port), real, name) as (sandbox, _):
        typer.echo(f"Twokey's demo is at {sandbox.page_url}  (Ctrl+C ends it)")
        await _interrupted()
    return True


async def headless() -> bool:
    """Play both stories and print them. True when each effect happened exactly once."""
    try:
        async with _stage(Ports(), {}, None) as (sandbox, folder):
            await run_scenario(sandbox.slack, sandbox.mail, lambda: _refunds(folder), told=typer.echo)
    except ScenarioFailed as failure:
        typer.echo(f"twokey: {failure}", err=True)
        return False
    return True


@asynccontextmanager
async def _stage(ports: Ports, real: Mapping[str, str], name: RealModel | None) -> AsyncIterator[tuple[Sandbox, Path]]:
    with tempfile.TemporaryDirectory(prefix="twokey-demo-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        _copy_deployment(Path.cwd(), folder)
        async with Sandbox(ports, real_model=name) as sandbox:
            told = {**sandbox.env(), **real, "DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'twokey.db'}"}
            async with _agent(sandbox, folder, told):
                yield sandbox, folder


def _copy_deployment(source: Path, target: Path) -> None:
    """The demo leaves no trace in the deployment that it shows."""
    for each in FILES:
        path = source / each
        if not path.exists():
            raise ConfigError(f"{each}: not found in {source}; run the demo in a folder with a deployment")
        if path.is_dir():
            shutil.copytree(path, target / each, ignore=shutil.ignore_patterns("*.db*", "__pycache__"))
        else:
            shutil.copy(path, target / each)


@asynccontextmanager
async def _agent(sandbox: Sandbox, folder: Path, told: Mapping[str, str]) -> AsyncIterator[None]:
    """The agent's process, ready, for as long as the context lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        cwd=folder,
        env=environment.child({**told, "PYTHONPATH": str(Path(__file__).parents[1])}),
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    lines: list[str] = []
    reading = asyncio.create_task(_read_log(process, sandbox, lines))
    try:
        await _until_ready(sandbox.bot_url, process, lines)
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading


async def _read_log(process: asyncio.subprocess.Process, sandbox: Sandbox, lines: list[str]) -> None:
    """Every line to the page; the last of them are kept, to be shown if it does not start."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    async for line in process.stdout:
        lines[:] = [*lines[-19:], line.decode(errors="replace").rstrip()]
        sandbox.feed_log(lines[-1])


async def _until_ready(url: str, process: asyncio.subprocess.Process, lines: list[str]) -> None:
    """Wait until it says that it can work. Raises ConfigError when it ends or takes too long."""
    port = int(url.rpartition(":")[2])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_LIMIT):
            while process.returncode is None:
                if await _is_ready(port):
                    return
                await asyncio.sleep(0.1)
    said = "\n".join(lines) or "nothing; see above"
    raise ConfigError(f"the agent did not start. What it said:\n{said}")


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        return b" 200 " in await reader.readline()
    finally:
        writer.close()


def _refunds(folder: Path) -> list[tuple[str, float]]:
    """What the refund tool has really done: the orders system's own record."""
    path = folder / "tools" / "orders.db"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT order_id, cents FROM refunds WHERE idempotency_key NOT LIKE 'seed-%'")
        return [(order_id, cents / 100) for order_id, cents in rows]


async def _interrupted() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
