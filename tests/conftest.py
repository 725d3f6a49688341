"""What every test can ask for: a PostgreSQL database, a browser. And how logs look where a test does not say."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

pytest_plugins = ["tests.chromium", "tests.postgres", "tests.migrated", "tests.terminal"]  # some import the one before

settings.register_profile("patient", deadline=None)  # how long an example takes says something of the machine only
settings.load_profile("patient")

# structlog's own default draws a frame around every local variable of a traceback: seconds each, on the event loop.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """What a test starts may configure logging, on streams that end with the test: the next one has it as it was."""
    root, configured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**configured)
    root.handlers[:] = handlers
    root.setLevel(level)
