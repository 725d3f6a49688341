"""Tools are loaded from the deployment's own folder, by path, without mixing with anybody else's."""

import sys
from pathlib import Path

import pytest

from agent.errors import ConfigError
from bot import tool_registry

TOOL = '''
from agent.tool import tool

@tool(effect="read")
def {name}() -> str:
    """Say it."""
    return "{name}"
'''


def write(folder: Path, **modules: str) -> Path:
    (folder / "tools").mkdir(parents=True)
    for name, text in modules.items():
        (folder / "tools" / f"{name}.py").write_text(text)
    listed = "".join(f"  - python: {name}.py\n" for name in modules if not name.startswith("_"))
    (folder / "tools" / "registry.yaml").write_text(f"tools:\n{listed}")
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        tool_registry.load(folder)
    return str(caught.value)


def test_every_tool_of_a_module_is_found_beside_the_built_in_ones(tmp_path: Path) -> None:
    write(tmp_path, a=TOOL.format(name="one") + TOOL.format(name="two") + "again = one\n", b=TOOL.format(name="three"))

    assert list(tool_registry.load(tmp_path)) == ["ask_human", "finish", "one", "two", "three"]


def test_a_module_may_list_its_tools_itself(tmp_path: Path) -> None:
    write(tmp_path, a=TOOL.format(name="one") + TOOL.format(name="two") + "TOOLS = [two]\n")

    assert "one" not in tool_registry.load(tmp_path)


def test_without_a_registry_there_are_the_built_in_tools(tmp_path: Path) -> None:
    assert list(tool_registry.load(tmp_path)) == ["ask_human", "finish"]


def test_a_module_may_import_its_sibling_and_leaves_no_path_behind(tmp_path: Path) -> None:
    before = list(sys.path)
    write(tmp_path, a="from _twokey_test_sibling import one\n", _twokey_test_sibling=TOOL.format(name="one"))

    assert "one" in tool_registry.load(tmp_path)
    assert sys.path == before
    del sys.modules["_twokey_test_sibling"]


def test_two_deployments_do_not_mix(tmp_path: Path) -> None:
    first = tool_registry.load(write(tmp_path / "1", a=TOOL.format(name="one")))
    second = tool_registry.load(write(tmp_path / "2", a=TOOL.format(name="two")))

    assert ("one" in first, "two" in first, "one" in second, "two" in second) == (True, False, False, True)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1 / 0\n", "a.py: line 1: ZeroDivisionError: division by zero"),
        ("x = 1\ndef f(:\n", "a.py: line 2: SyntaxError"),
        ("import twokey_no_such_module\n", "a.py: line 1: ModuleNotFoundError"),
        ("x = 1\n", "a.py: has no tool"),
        ("TOOLS = []\n", "a.py: has no tool"),
        ("TOOLS = [1]\n", "a.py: TOOLS must be a list of tools"),
        ("TOOLS = 1\n", "a.py: TOOLS must be a list of tools"),
        (TOOL.format(name="finish"), "a.py: there is a tool named finish already"),
        ("from agent.tool import tool\n@tool\ndef f(): pass\n", "tool f: needs a docstring"),
        ("from agent.tool import tool\n@tool\ndef f(x):\n    'F.'\n", "tool f: parameter x needs a type"),
    ],
)
def test_a_module_that_breaks_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    said = complaint(write(tmp_path, a=text))

    assert said.startswith("tools/registry.yaml:2: tools.0.python: ")
    assert expected in said


def test_a_name_that_two_modules_use_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a=TOOL.format(name="one"), b=TOOL.format(name="one"))

    assert complaint(tmp_path) == ("tools/registry.yaml:3: tools.1.python: b.py: there is a tool named one already")
