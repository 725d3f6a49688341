"""Every benchmark that needs nothing but this repository, one after another: a table to read, and JSON to keep.

    python benchmarks/all.py [FILE]

Or `make bench`. Each runs in a process of its own; what each measures is said at its head. What needs PostgreSQL starts
a server of its own where its binaries are installed, and is left out otherwise. FILE takes the figures as JSON. Walls
wobble with whatever else the machine does: compare figures of one run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.faults.cluster import a_cluster

HERE = Path(__file__).parent
PAUSED = "2000"


def runs(folder: str, server: str) -> Iterator[tuple[str, list[str]]]:
    """Name and command line of each."""
    yield "cold start", ["cold_start.py"]
    yield "Slack acknowledged, all in one process", ["slack_ack.py", "50", "15", "all"]
    yield "Slack acknowledged, web process", ["slack_ack.py", "300", "10", "web"]
    yield "paused threads", ["paused.py", PAUSED]
    yield "audit log", ["audit.py", f"sqlite+aiosqlite:///{folder}/audit.db", "10000"]
    yield "policy", ["policy.py"]
    if server:
        yield "workers on PostgreSQL", ["workers.py", server, "8"]


def measured(command: list[str]) -> dict[str, object]:
    """What it prints. Raises CalledProcessError."""
    done = subprocess.run(  # noqa: S603 - our own scripts
        [sys.executable, str(HERE / command[0]), *command[1:]], check=True, stdout=subprocess.PIPE, cwd=HERE.parent
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def lines(figures: Mapping[str, object], before: str = "") -> Iterator[str]:
    """A figure a line."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from lines(value, f"{before}{name} ")
        else:
            yield f"  {before}{name:<{44 - len(before)}} {value}"


def main(file: str) -> None:
    """Run them all."""
    found: dict[str, object] = {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    with tempfile.TemporaryDirectory() as folder, a_cluster() as cluster:
        server = cluster.fresh_url() if cluster else ""
        if not server:
            print("PostgreSQL's server binaries are not installed: its part is left out", file=sys.stderr)
        for name, command in runs(folder, server):
            began = time.monotonic()
            figures = measured(command)
            found[name] = figures
            print(f"{name}  ({time.monotonic() - began:.0f} s)", *lines(figures), sep="\n", flush=True)
    if file:
        Path(file).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
