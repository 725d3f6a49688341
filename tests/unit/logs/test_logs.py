"""Logging: one JSON object a line, the same shape whoever logs, and a crash is a line, too."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

from bot import logs
from tests.fixtures import ROOT


@pytest.fixture
def out() -> Iterator[StringIO]:
    """Puts everything back that logging shares with the whole process."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    configured = structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in logs.QUIET}
    yield StringIO()
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before
    logging.captureWarnings(capture=False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.configure(**configured)


def lines(out: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def fail(body: str = "") -> None:
    raise ValueError("known-" + "secret" + body[:0])


def test_an_event_is_one_json_object_on_one_line(out: StringIO) -> None:
    logs.configure("info", "json", stream=out)

    with structlog.contextvars.bound_contextvars(thread_id="thr_1"):
        structlog.get_logger().info("tool.started", tool="refund\norder", at={"x": 1})

    (line,) = lines(out)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "tool.started",
        "tool": "refund\norder",
        "at": {"x": 1},
        "thread_id": "thr_1",
    }


def test_libraries_log_in_the_same_shape(out: StringIO) -> None:
    logs.configure("info", "json", stream=out)

    with structlog.contextvars.bound_contextvars(delivery_id="dlv_1"):
        logging.getLogger("uvicorn.error").warning("lost %s", "xoxb-123456-abc")
        logging.getLogger("slack_bolt").error("b")

    first, second = lines(out)
    assert first.pop("timestamp")
    assert first == {"level": "warning", "event": "lost [secret]", "delivery_id": "dlv_1", "logger": "uvicorn.error"}
    assert second["event"] == "b"


@pytest.mark.parametrize("level, seen", [("debug", 3), ("info", 2), ("warning", 1), ("critical", 0)])
def test_what_is_below_the_level_is_not_written(out: StringIO, level: str, seen: int) -> None:
    logs.configure(level, "json", stream=out)

    for name in ("debug", "info", "warning"):
        getattr(structlog.get_logger(), name)("a")
        getattr(logging.getLogger("some.library"), name)("b")

    assert [line["event"] for line in lines(out)].count("a") == seen
    assert [line["event"] for line in lines(out)].count("b") == seen


@pytest.mark.parametrize("name", ["sqlalchemy.engine", "aiosmtplib", "httpx", "openai._base_client", "uvicorn.access"])
def test_libraries_that_write_bodies_are_quiet_even_when_all_is_wanted(out: StringIO, name: str) -> None:
    logs.configure("debug", "json", stream=out)

    logging.getLogger(name).debug("the body")

    assert lines(out) == []


def test_an_exception_is_a_field_of_its_line_without_secrets_or_local_values(out: StringIO) -> None:
    logs.configure("info", "json", ["known-secret"], out)

    try:
        fail(body=f"the {'mail'}'s body")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed")

    for line in lines(out):
        assert line["exception"].startswith("Traceback")
        assert "ValueError: [secret]" in line["exception"]
        assert "the mail's body" not in line["exception"]


def test_the_console_is_for_people_and_as_discreet(out: StringIO) -> None:
    logs.configure("info", "console", ["known-secret"], out)

    structlog.get_logger().info("hello", name="known-secret")
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "hello" in out.getvalue()
    assert "Traceback" in out.getvalue()
    assert "known-secret" not in out.getvalue()


def test_a_later_configuration_holds_for_loggers_made_before(out: StringIO) -> None:
    logger = structlog.get_logger()
    logs.configure("info", "json", stream=StringIO())
    logger.info("a")
    logs.configure("warning", "json", stream=out)

    logger.info("b")
    logger.warning("c")

    assert [line["event"] for line in lines(out)] == ["c"]


CRASH = """
import asyncio, threading
from bot import logs
logs.configure("info", "json", ["known-secret"])
def fail(): raise ValueError("known-" + "secret")
thread = threading.Thread(target=fail); thread.start(); thread.join()
async def main():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0.01)
asyncio.run(main())
fail()
"""


def test_whatever_nobody_caught_is_one_line_each() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words

    assert done.returncode == 1
    assert done.stderr == ""
    written = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["level"] for line in written] == ["critical", "error", "critical"]
    assert all("ValueError: [secret]" in line["exception"] for line in written)
