"""What docs/audit.md has an operator type, typed: an auditor's questions answered from the command line."""

import asyncio
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from agent.errors import ConfigError, Refused
from approvals.people import token_digest
from bot.cli import app
from store.connect import connect
from store.threads import Threads
from tests.audited import tell
from tests.fakes import FakeClock
from tests.fixtures import ROOT

PAGE = ROOT / "docs" / "audit.md"
PEOPLE = """
people:
  olga:
    name: Olga
    api_tokens: ["{digest}"]
  dana:
    name: Dana
    slack: {{T0: U0DANA}}
    roles: [lead, support-lead, finance]
"""


@pytest.fixture
def folder(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment with a history, and Olga at the terminal."""
    for each in ("agents.yaml", "policy.yaml"):
        shutil.copy(ROOT / each, tmp_path / each)
    for each in ("tools", "prompts"):
        shutil.copytree(ROOT / each, tmp_path / each)
    (tmp_path / "people.yaml").write_text(PEOPLE.format(digest=token_digest("tk_olga")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TWOKEY_TOKEN", "tk_olga")
    asyncio.run(_tell(url))
    return tmp_path


async def _tell(url: str) -> None:
    database = connect(url)
    await tell(Threads(database, FakeClock()))
    await database.write(lambda tx: tx.connection.execute(text("UPDATE card SET shown = wanted")).close())
    await database.aclose()


def spoil(url: str, sql: str) -> None:
    """Do it behind the agent's back."""

    async def work() -> None:
        database = connect(url)
        await database.write(lambda tx: tx.connection.execute(text(sql)).close())
        await database.aclose()

    asyncio.run(work())


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, catch_exceptions=False)


def test_each_command_of_the_page_does_what_it_says(folder: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    typed = [line.partition("  #")[0] for block in blocks for line in block.splitlines() if line.startswith("twokey ")]
    assert len(typed) >= 8
    for line in typed:
        words = shlex.split(line.replace("thr_…", "thr_a").replace("apr_…", "apr_1"))
        done = run(*words[1:])
        assert done.exit_code == 0, (line, done.output)
    assert {"audit-2026-11.jsonl", "audit-2026-11.csv"} <= {each.name for each in folder.iterdir()}


def test_an_export_is_a_new_file_for_its_owner_alone(folder: Path) -> None:
    words = ("admin", "export-audit-log", "--since", "2026-11-01", "--output", "out.jsonl")
    assert "11 facts in out.jsonl" in run(*words).stderr
    assert (folder / "out.jsonl").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="is there already"):
        run(*words)
    shown = run("admin", "export-audit-log", "--since", "2026-11-25T09:00+00:00", "--until", "2026-11-26")
    assert [json.loads(line)["seq"] for line in shown.stdout.splitlines()][:3] == [1, 2, 3]
    with pytest.raises(ConfigError, match="--since: must be a day or a moment"):
        run("admin", "export-audit-log", "--since", "yesterday")
    with pytest.raises(ConfigError, match="cannot be written"):
        run("admin", "export-audit-log", "--since", "2026-11-01", "--output", "no/such/folder")


def test_a_verification_ends_with_1_and_names_what_is_wrong(folder: Path, url: str) -> None:
    run("admin", "export-audit-log", "--since", "2026-11-01", "--output", "out.jsonl")
    assert run("admin", "verify-audit-log", "--against", "out.jsonl").output.endswith("whole\n")
    spoil(url, "UPDATE event SET body = replace(body, 'money', 'funny') WHERE thread_id = 'thr_a' AND seq = 3")
    spoil(url, "DELETE FROM event WHERE thread_id = 'thr_b'")
    spoil(url, "DELETE FROM thread WHERE id = 'thr_b'")
    done = run("admin", "verify-audit-log", "--against", "out.jsonl")
    assert done.exit_code == 1
    assert "thr_a event 3: changed: the text of this event is not what it was" in done.output
    assert "thr_b event 1: removed: the export has this thread, and the database does not" in done.output
    told = json.loads(run("admin", "verify-audit-log", "--against", "out.jsonl", "--json").stdout)
    assert told["found"] == 2
    assert [(each["thread"], each["seq"], each["what"]) for each in told["findings"]] == [
        ("thr_a", 3, "changed"),
        ("thr_b", 1, "removed"),
    ]
    with pytest.raises(ConfigError, match="--against"):
        run("admin", "verify-audit-log", "--against", str(folder / "none.jsonl"))


@pytest.mark.usefixtures("folder")
def test_a_redaction_is_by_somebody_and_counted(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert run("admin", "redact", "thr_a", "--seq", "1").output.startswith("redacted 1 events")
    assert run("admin", "redact", "--person", "dana").output.startswith("redacted 4 events")
    assert ", 5 of them redacted" in run("admin", "verify-audit-log").output
    for words in ((), ("thr_a", "--person", "dana"), ("--person", "dana", "--seq", "1")):
        assert run("admin", "redact", *words).exit_code == 2
    spoil(url, "UPDATE thread SET done_seq = 0 WHERE id = 'thr_b'")
    busy = run("admin", "redact", "--person", "grace@customers.example")
    assert (busy.exit_code, "thr_b is at work" in busy.output) == (1, True)
    with pytest.raises(Refused, match="thr_b is at work"):
        run("admin", "redact", "thr_b")
    monkeypatch.setenv("TWOKEY_TOKEN", "tk_nobody")
    with pytest.raises(ConfigError, match="TWOKEY_TOKEN"):
        run("admin", "redact", "thr_a")
