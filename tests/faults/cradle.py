"""A process that has imported everything and forks agents from itself, so that one starts in a tenth of a second.

What it makes are real processes: each runs `bot.serving.run` on settings from its own environment, and dies by a signal
as any other. Only what a deployment would wait long for is shorter: leases, and the pauses after failures.

Run as `python -m tests.faults.cradle`. A JSON object a line comes in, `{"env", "cwd", "role", "log", "lease"}`, and its
process id goes out; a line `[pid, status]` follows when it has ended. At the end of its input it kills what it made.
"""

import gc
import importlib
import json
import os
import random
import select
import signal
import sys
from typing import Any

from agent import timing
from agent.errors import TwokeyError
from bot import cards, line, serving, wiring, worker
from bot.settings import Settings

IMPORTED = (
    "aiosmtplib",
    "alembic.command",
    "bot.cli",
    "bot.mail.smtp_connection",
    "bot.slack.connection",
    "bot.web",
    "h11",
    "httptools",
    "openai.resources",
    "psycopg",
    "psycopg_binary",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.ext.asyncio",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)
LOOK = 0.01
SOON = (0.2, 0.5, 1.0, 1.5, 2.0)
"""Seconds in place of every back-off of the product's."""
SHARE = 25 / 30
"""How much of a card's lease showing it may take: the product's own ratio."""


def main() -> None:
    """Fork whenever told to."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    children: set[int] = set()
    try:
        while _serve(children):
            pass
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


def _serve(children: set[int]) -> bool:
    ready, _, _ = select.select([sys.stdin], [], [], LOOK)
    if ready:
        line = sys.stdin.readline()
        if not line:
            return False
        pid = os.fork()
        if pid == 0:
            os._exit(_run(json.loads(line)))
        children.add(pid)
        _tell(pid)
    while children and (ended := os.waitpid(-1, os.WNOHANG))[0]:
        children.discard(ended[0])
        _tell([ended[0], os.waitstatus_to_exitcode(ended[1])])
    return True


def _tell(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _run(order: dict[str, Any]) -> int:
    """The child: another environment, folder and output, and then the product."""
    random.seed()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(order["cwd"])
    os.environ.clear()  # noqa: TID251 - a forked process is given its environment here
    os.environ.update(order["env"])  # noqa: TID251 - as above
    _hasten(order["lease"])
    try:
        serving.run(Settings.load(None), order["role"])
    except TwokeyError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _hasten(lease: float) -> None:
    """Shorten what is a constant of the product's."""
    timing.BACKOFF = SOON[:3]
    cards.BACKOFF = worker.BACKOFF = SOON
    line.PAUSES = SOON[:4]
    setattr(cards, "LIMIT", lease * SHARE)  # noqa: B010 - the name is one that cards has imported
    setattr(line.Line.__init__, "__defaults__", (lease * SHARE,))  # noqa: B010 - not an attribute that mypy knows
    build = wiring.build

    def built(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the product's takes and gives
        service = build(*args, **options)
        service.threads.lease = service.index.lease = lease
        return service

    setattr(serving, "build", built)  # noqa: B010 - the name is one that serving has imported


if __name__ == "__main__":
    main()
