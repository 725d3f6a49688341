"""What every command of the terminal shares: the settings, and a way to the store."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from agent.errors import ConfigError
from bot import logs
from bot.settings import Settings

if TYPE_CHECKING:
    from bot import shell

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def settings_of(**overrides: object) -> Settings:
    """Those of the environment and `.env`, and what the command line says instead."""
    return Settings.load(".env", **overrides)


def on_desk(work: "Callable[[shell.Desk], Awaitable[T]]") -> T:
    """Do it on the store of the settings. Imports are late so that `--help` and wrong use answer at once."""
    from bot import shell  # noqa: PLC0415 - as above

    settings = settings_of()
    logs.configure("warning", "console", settings.secrets(), stream=sys.stderr)
    return asyncio.run(shell.on_store(settings, work))


def moment(text: str, option: str) -> datetime:
    """A day or a moment; UTC where it does not say. Raises ConfigError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: must be a day or a moment such as 2026-11-01 or 2026-11-01T09:00+01:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
