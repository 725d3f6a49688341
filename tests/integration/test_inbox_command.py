"""A link to the inbox on a terminal: for whoever the token is of, and for nobody else."""

import pytest

from agent.errors import ConfigError, Refused
from tests.terminal import Terminal

KEY = "kq7Zr2mWx9Yb4Tn6Vc8Lp1Sd3Fg5Hj0Aa"


def test_the_command_prints_a_link_for_whoever_types(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("PUBLIC_URL", "https://agent.acme.dev/twokey")

    first, second = terminal.type("inbox"), terminal.type("inbox")

    assert first.startswith("https://agent.acme.dev/twokey/inbox/sign-in/")
    assert first != second


def test_the_command_makes_no_more_links_than_are_mailed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", KEY)
    for _ in range(4):
        terminal.type("inbox")

    with pytest.raises(Refused, match="four times"):
        terminal.type("inbox")


def test_the_command_needs_a_key_and_a_token(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="SECRET_KEY"):
        terminal.type("inbox")
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("TWOKEY_TOKEN", "of nobody")

    with pytest.raises(ConfigError, match="TWOKEY_TOKEN"):
        terminal.type("inbox")
