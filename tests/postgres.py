"""A real PostgreSQL for tests: one throw-away server a test session, one empty database a test.

The server is made from whatever binaries the machine has (`initdb` on the PATH, or Debian's folder), listens on a Unix
socket in its own temporary folder and nowhere else, and is stopped and deleted at the end. Where there are no binaries
the tests skip. Under xdist each worker has its own server, so that workers never meet.
"""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

ROLE = "twokey"
START_SECONDS = 30
OFF = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")  # speed over what a crash of the machine leaves


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached over the Unix socket in `folder`."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def conninfo(self, database: str = "postgres") -> str:
        """What psycopg connects with."""
        return f"host={self.folder} user={ROLE} dbname={database}"

    def url(self, database: str) -> str:
        """What SQLAlchemy connects with."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """A new database like the template (which nobody may be connected to), else an empty one; gives its name."""
        name = f"test_{next(self.numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Removes a database, and whoever is still connected to it."""
        self._execute(f"DROP DATABASE {database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(statement.encode())


def postgres_binaries() -> Path | None:
    """The folder of the newest server binaries on this machine, or None."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


def _unprivileged() -> str | None:
    """Whom to run the server as: root may not, so its package's user does, or else nobody."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _initdb(binaries: Path, folder: Path, user: str | None) -> None:
    words = ["-D", str(folder / "cluster"), "-U", ROLE, "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync"]
    done = subprocess.run(  # noqa: S603 - the machine's own program, with words from this file
        [str(binaries / "initdb"), *words], user=user, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"initdb failed:\n{done.stdout}{done.stderr}"


def _start(binaries: Path, folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    settings = (f"unix_socket_directories={folder}", "listen_addresses=", *OFF)
    words = ["-D", str(folder / "cluster"), *(word for each in settings for word in ("-c", each))]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the machine's own program, with words from this file
            [str(binaries / "postgres"), *words],
            user=user,
            cwd=folder,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )


def _stop(running: subprocess.Popen[bytes]) -> None:
    running.send_signal(signal.SIGINT)  # "fast": roll back, disconnect everybody, stop
    try:
        running.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        running.kill()
        raise


def _wait(server: PostgresServer, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.conninfo()).close()
        except psycopg.OperationalError:
            log = (server.folder / "log").read_text(errors="replace")
            assert running.poll() is None, f"PostgreSQL did not start:\n{log}"
            assert time.monotonic() < deadline, f"PostgreSQL did not answer within {START_SECONDS} s:\n{log}"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server of our own."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's server binaries are not installed")
    user = _unprivileged()
    with tempfile.TemporaryDirectory(prefix="twokey-pg-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        _initdb(binaries, folder, user)
        running = _start(binaries, folder, user)
        try:
            server = PostgresServer(folder)
            _wait(server, running)
            yield server
        finally:
            _stop(running)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database, this test's alone; `postgres_server` gives more of them."""
    database = postgres_server.create()
    yield postgres_server.url(database)
    postgres_server.drop(database)
