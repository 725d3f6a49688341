"""What the README and the other pages tell a reader to type or to open, there is."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from bot.cli import app
from tests.fixtures import ROOT
from tests.repository import shown, tracked

PAGES = tuple(path for path in tracked() if path.suffix == ".md" and path.parts[-2:-1] != ("prompts",))
TYPED = re.compile(r"^(?:\$ | {4})?(?:[A-Z_]+=\S+ )*(?:\S*/)?twokey ([a-z].*)$")
INLINE = re.compile(r"`(?:[A-Z_]+=\S+ )?twokey ([a-z][^`]*)`")
BLOCK = re.compile(r"^```(?:console|sh|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRONG_USE = next(each for each in typer.BadParameter.__mro__ if each.__name__ == "UsageError")
"""Of the parser that Typer brings along; it has no public name."""
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def commands() -> list[str]:
    """What follows `twokey` wherever a page has it typed, without the comment behind it."""
    found = set()
    for page in PAGES:
        text = page.read_text()
        lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
        found |= {match[1] for line in lines if (match := TYPED.match(line))} | set(INLINE.findall(text))
    return sorted(each.partition(" #")[0].strip() for each in found)


def parsed(words: list[str]) -> None:
    """Parse as the command line would, and run nothing. Raises WRONG_USE for what it would refuse."""
    command = get_command(app)
    context = command.make_context("twokey", list(words))
    while isinstance(command, TyperGroup):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)


@pytest.mark.parametrize("command", commands())
def test_each_command_that_a_page_names_is_one(command: str) -> None:
    parsed(shlex.split(command))


@pytest.mark.parametrize("wrong", ["demo --headles", "threads shew x", "run --role everything", "threads show"])
def test_a_command_that_is_none_is_noticed(wrong: str) -> None:
    with pytest.raises(WRONG_USE):
        parsed(shlex.split(wrong))


def test_the_pages_do_name_commands() -> None:
    assert {"demo --headless", "admin migrate", "run --role web", "threads list"} <= set(commands())


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_each_file_that_a_page_links_is_there(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]

    assert not missing, missing


def test_each_setting_that_the_readme_names_is_one() -> None:
    listed = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    named = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)[`=]", (ROOT / "README.md").read_text()))

    assert named
    assert named <= listed, f"no such setting: {sorted(named - listed)}"
