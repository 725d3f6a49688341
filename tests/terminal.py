"""A terminal on a deployment in a folder: what the tests of commands type on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from approvals.people import token_digest
from bot.cli import app
from bot.wiring import SystemClock
from tests.desk import Desk, desk_at
from tests.fakes import CountingIds, FakeClock

TOKEN = "tk_of_lee"
PEOPLE = {
    "lee": {"name": "Lee Chen", "roles": ["finance"], "api_tokens": [token_digest(TOKEN)]},
    "mia": {"name": "Mia Novak", "roles": ["finance"]},
}
FILES = {
    "people.yaml": {"people": PEOPLE},
    "policy.yaml": {
        "rules": [{"name": "refunds", "tools": ["refund"], "outcome": "ask", "approvers": {"roles": ["finance"]}}]
    },
    "agents.yaml": {"default": "support", "agents": {"support": {"prompt": "support", "tools": ["refund"]}}},
    "tools/registry.yaml": {"tools": [{"python": "refunds.py"}]},
}


@dataclass
class Terminal:
    """Where Lee types, on a store in which approvals wait."""

    folder: Path
    ids: CountingIds = field(default_factory=CountingIds)

    def fill(self, work: Callable[[Desk], Awaitable[str]]) -> str:
        """Do something on the store, as of an hour ago."""

        async def filled() -> str:
            async with desk_at(self.folder) as desk:
                desk.ids = self.ids
                desk.clock.at = NOW.now() - timedelta(hours=1)
                return await work(desk)

        return asyncio.run(filled())

    def type(self, *words: str) -> str:
        """What a command prints."""
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output


NOW = FakeClock()


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """With the settings that lead to its store."""
    NOW.at = SystemClock().now()
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content))
    (tmp_path / "tools" / "refunds.py").write_text("from tests.desk import refund\n\nTOOLS = [refund]\n")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "support.md").write_text(
        "---\nname: support\nversion: 1.0.0\ndescription: Helps.\n---\nHelp.\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/desk.db")
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TWOKEY_TOKEN", TOKEN)
    return Terminal(tmp_path)
