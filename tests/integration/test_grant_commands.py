"""Grants on a terminal: said before they are given, listed with all of their words, taken back."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import yaml
from typer.testing import CliRunner

from agent.errors import AlreadySettled, BadTerms, ConfigError, Refused
from bot import grant_desk, shell
from bot.cli import app
from bot.terminal import on_desk
from tests.desk import ADA, Desk
from tests.terminal import NOW, PEOPLE, Terminal

RULE = {
    "name": "refunds",
    "tools": ["refund"],
    "outcome": "ask",
    "approvers": {"roles": ["finance"]},
    "may_grant": True,
}


@pytest.fixture
def asked(terminal: Terminal) -> str:
    """A refund that waits for a deployment whose policy lets grants be given."""
    (terminal.folder / "policy.yaml").write_text(yaml.safe_dump({"rules": [RULE]}))
    people = {"people": {**PEOPLE, "ada": {"name": "Ada Okafor"}}}
    (terminal.folder / "people.yaml").write_text(yaml.safe_dump(people))

    async def ask(desk: Desk) -> str:
        return await desk.ask(may_grant=True, requester=ADA, expires_at=NOW.now() + timedelta(days=1))

    return terminal.fill(ask)


def approve(terminal: Terminal, asked: str, *words: str) -> str:
    return terminal.type("approvals", "approve", asked, *words)


def listed(terminal: Terminal, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(terminal.type("grants", "list", "--json", *words))
    return found


def test_it_is_said_what_would_run_and_then_what_does(terminal: Terminal, asked: str) -> None:
    told = approve(terminal, asked, "--for", "requester", "--until", "7d", "--uses", "3")
    (found,) = listed(terminal)
    words = str(found["words"])
    assert words.startswith('refund with exactly order_id="1042", amount=40.0; only when Ada Okafor asks; until ')
    assert words.endswith(", at most 3 times")
    assert f"would run from now on without being asked about: {words}" in told
    assert f"runs from now on without being asked about: {words}" in told.split("would run")[1]
    table = terminal.type("grants", "list")
    assert words in table
    assert "0/3" in table
    assert "standing" in table
    assert (found["given_by"], found["requester"], found["used"]) == ("lee", "ada", 0)


def test_a_condition_and_a_moment(terminal: Terminal, asked: str) -> None:
    until = (NOW.now() + timedelta(days=2)).replace(microsecond=0, tzinfo=None).isoformat()
    approve(terminal, asked, "--for", "thread", "--until", until, "--where", "args.amount <= 50")
    (found,) = listed(terminal)
    assert (found["condition"], found["arguments"], found["until"]) == ("args.amount <= 50", None, f"{until}Z")


@pytest.mark.parametrize(
    "words, error, said",
    [
        (("--until", "7d"), ConfigError, "--for: must be one of thread, requester, anyone"),
        (("--for", "all", "--until", "7d"), ConfigError, "--for: must be one of"),
        (("--for", "anyone"), ConfigError, "--until: must be a span"),
        (("--for", "anyone", "--until", "soon"), ConfigError, "--until: must be a span"),
        (("--for", "anyone", "--until", "100d"), BadTerms, "at most 90 days"),
        (("--for", "anyone", "--until", "7d", "--uses", "0"), BadTerms, "from 1 to 10000"),
        (("--for", "anyone", "--until", "7d", "--where", "args."), BadTerms, "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_decides_nothing(
    terminal: Terminal, asked: str, words: tuple[str, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        approve(terminal, asked, *words)
    assert "[open]" in terminal.type("approvals", "show", asked)


@pytest.mark.usefixtures("terminal")
def test_what_is_given_is_what_was_shown_however_long_somebody_reads_it(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.wiring.SystemClock", lambda: NOW)

    async def given(desk: shell.Desk) -> tuple[tuple[str, ...], list[str]]:
        shown = await grant_desk.proposed(desk, [asked], "", grant_desk.Wish("anyone", "7d"))
        NOW.move(3600)
        await grant_desk.approve(desk, shown)
        found = await grant_desk.listed(desk, every=False)
        return shown.words, [desk.service.gate.granting.words(each.grant) for each in found]

    told, stands = on_desk(given)

    assert list(told) == stands


def test_not_for_a_whole_plan(terminal: Terminal, asked: str) -> None:
    done = CliRunner().invoke(app, ["approvals", "approve", asked, "--all", "--for", "anyone", "--until", "7d"])
    assert done.exit_code == 2
    assert "not with --all" in done.output


def test_it_is_taken_back(terminal: Terminal, asked: str) -> None:
    approve(terminal, asked, "--for", "anyone", "--until", "12h")
    (found,) = listed(terminal)
    revoke: Callable[..., str] = partial(terminal.type, "grants", "revoke", str(found["id"]))
    assert "it was used 0 times" in revoke("--reason", "too wide")
    assert listed(terminal) == []
    (found,) = listed(terminal, "--all")
    assert (found["status"], found["revoked_by"], found["reason"]) == ("revoked", "lee", "too wide")
    assert "revoked" in terminal.type("grants", "list", "--all")
    with pytest.raises(AlreadySettled, match="taken back already"):
        revoke()
    with pytest.raises(Refused, match="there is no grant grt_none; see: twokey grants list --all"):
        terminal.type("grants", "revoke", "grt_none")
