"""Logging: one JSON object a line on standard output (factor XI), or coloured lines for people.

Our own events and those of every library go through the same steps and have the same shape: `timestamp`, `level`,
`event`, what is bound to the current context (`thread_id`, `delivery_id`, …), and what the event says of itself. An
exception is one more field, not thirty more lines. Secrets are removed last, when everything is text.
"""

import logging
import sys
import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from bot.scrubber import scrubber

QUIET = {
    # At their finest these write bodies of messages, parameters of statements, or a line a request.
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "openai": logging.INFO,
    "procrastinate": logging.WARNING,
    "psycopg": logging.ERROR,  # its pool warns of each attempt; our own events say that the database is away
    "slack_sdk": logging.INFO,
    "slack_bolt": logging.INFO,
    "aiohttp": logging.INFO,
    "aiosmtplib": logging.INFO,
    "multipart": logging.WARNING,
    "python_multipart": logging.WARNING,
    "markdown_it": logging.WARNING,
    # What we answered is in our own events, with ids; addresses of approval pages hold tokens.
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,  # its greetings; ours say the same, with the address
}


def configure(level: str, format: str, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:  # noqa: A002 - as LOG_FORMAT
    """Send all logging of this process through here. `format` is `json` or `console`; uvicorn is to be run with
    `log_config=None`, so that it leaves this alone."""
    out = stream or sys.stdout
    shared = _shared(format)
    ending = _ending(format, secrets, colours=out.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, *shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,  # a logger made at import must follow a later configuration
    )
    _take_over_stdlib(number, out, shared, ending)
    _take_over_crashes()


def _shared(format: str) -> list[Processor]:  # noqa: A002 - as LOG_FORMAT
    steps: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    return [*steps, structlog.processors.format_exc_info] if format == "json" else steps


def _ending(format: str, secrets: Iterable[str], *, colours: bool) -> list[Processor]:  # noqa: A002 - as LOG_FORMAT
    if format == "json":
        return [scrubber(secrets), _in_order, structlog.processors.JSONRenderer(default=str)]
    console = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return [structlog.processors.format_exc_info, scrubber(secrets), console]


def _in_order(_: object, __: str, event: EventDict) -> EventDict:
    """What every line has comes first, so that lines can be read one under the other."""
    first = {name: event[name] for name in ("timestamp", "level", "event") if name in event}
    return {**first, **event}


def _take_over_stdlib(level: int, out: TextIO, shared: Sequence[Processor], ending: Sequence[Processor]) -> None:
    """Libraries log through the standard library; one handler gives their records the same shape."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                *shared,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


def _take_over_crashes() -> None:
    """What nobody caught is one event, too, wherever it was raised. The event loop's go to the logger `asyncio`."""

    def in_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        structlog.get_logger().critical("crashed", exc_info=(kind, error, trace))

    def in_thread(crash: threading.ExceptHookArgs) -> None:
        if crash.exc_value is not None and not issubclass(crash.exc_type, SystemExit):
            details = (crash.exc_type, crash.exc_value, crash.exc_traceback)
            where = crash.thread.name if crash.thread else ""
            structlog.get_logger().critical("crashed", in_thread=where, exc_info=details)

    sys.excepthook = in_main
    threading.excepthook = in_thread
