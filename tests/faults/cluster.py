"""A PostgreSQL server that a test may crash: as the one of `tests.postgres`, but it keeps what it has committed."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot import environment
from tests.fixtures import ROOT
from tests.postgres import START_SECONDS, PostgresServer, _initdb, _unprivileged, _wait, postgres_binaries

SETTINGS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=300")
"""The machine stays up, so nothing need reach the disk; what is committed must reach the kernel all the same."""


class Cluster:
    """The server, its database of the moment, and the means to crash it."""

    def __init__(self, binaries: Path, folder: Path, user: str | None) -> None:
        self.binaries = binaries
        self.server = PostgresServer(folder)
        self.user = user
        self.running = self._start()
        self.database = ""

    def fresh_url(self) -> str:
        """What the product connects with: a new database, with its schema; the one before is dropped."""
        if self.database:
            self.server.drop(self.database)
        self.database = self.server.create()
        url = self.server.url(self.database)
        migrated = subprocess.run(
            [sys.executable, "-m", "bot", "admin", "migrate"],
            cwd=ROOT,
            env=environment.child({"DATABASE_URL": url}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert migrated.returncode == 0, migrated.stderr
        return url

    @property
    def conninfo(self) -> str:
        """What psycopg connects with."""
        return self.server.conninfo(self.database)

    def crash(self) -> None:
        """Immediate shutdown: no checkpoint, everybody cut off; and up again, through recovery."""
        self.running.send_signal(signal.SIGQUIT)
        self.running.wait(START_SECONDS)
        self.running = self._start()

    def stop(self) -> None:
        """For good."""
        self.running.send_signal(signal.SIGINT)
        self.running.wait(START_SECONDS)

    def _start(self) -> "subprocess.Popen[bytes]":
        folder = self.server.folder
        settings = (f"unix_socket_directories={folder}", *SETTINGS)
        words = ["-D", str(folder / "cluster"), *(word for each in settings for word in ("-c", each))]
        with (folder / "log").open("ab") as log:
            running = subprocess.Popen(  # noqa: S603 - the machine's own program, with words from this file
                [str(self.binaries / "postgres"), *words],
                user=self.user,
                cwd=folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        _wait(self.server, running)
        return running


@contextmanager
def a_cluster() -> Iterator[Cluster | None]:
    """A running one, deleted at the end; None where there are no server binaries."""
    binaries = postgres_binaries()
    if binaries is None:
        yield None
        return
    user = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="twokey-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        _initdb(binaries, folder, user)
        cluster = Cluster(binaries, folder, user)
        try:
            yield cluster
        finally:
            cluster.stop()
